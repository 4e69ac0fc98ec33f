"""Faults of what stands in the raw topic: told twice, in halves, unreadable, stated anew, unexplainable."""

from __future__ import annotations

import time

from .bench import Bench
from .registry import fault


@fault("F9 A9", "rows told again, as by a connector whose offsets were set back, and kills", chaos=8, full=50, few=2)
def rows_told_again(bench: Bench, strikes: int) -> None:
    gateway = bench.gateway()
    bench.serving(gateway)
    for _ in range(strikes):
        bench.source.write(400)
        told = bench.source.repeat(bench.chance.randint(20, 600))
        bench.source.write(100)
        bench.hit(bench.chance.choice(["flush", "committed"]), "kill")
        bench.notes[:] = [f"the last time {told} rows"]


@fault("F7", "the end of a transaction is read before the markers of its rows", chaos=6, full=50, few=2)
def marker_delayed(bench: Bench, strikes: int) -> None:
    bench.serving(bench.gateway())
    for _ in range(strikes):
        bench.source.write(100)
        bench.recover()
        release = bench.source.halved()
        time.sleep(1.0)  # END and the first half are readable, and nothing else comes
        release()
        bench.strikes += 1
        bench.recover()


@fault("F11 A10", "a snapshot's rows amid transactions, and kills", chaos=4, full=20)
def snapshot_amid(bench: Bench, strikes: int) -> None:
    bench.serving(bench.gateway())
    with bench.load(pause=0.1):
        for _ in range(strikes):
            bench.source.state_next = 150
            bench.hit("flush", "kill")
            bench.installation.wait(lambda: bench.source.state_next == 0, 30)


@fault("F12", "unreadable records between rows of an open transaction, and kills", chaos=8, full=50, few=2)
def broken_amid(bench: Bench, strikes: int) -> None:
    bench.serving(bench.gateway())
    with bench.load():
        for _ in range(strikes):
            letters = sum(bench.source.letters.values())
            bench.source.break_next = True
            bench.installation.wait(lambda letters=letters: sum(bench.source.letters.values()) > letters, 30)  # type: ignore[misc]
            bench.hit(bench.chance.choice(["produce", "offsets", "committed"]), "kill")


@fault("A14 A15", "mutated payloads, tombstones and records without a key", chaos=3_000, full=100_000, few=300)
def mutated(bench: Bench, strikes: int) -> None:
    bench.serving(bench.gateway(GATEWAY_COMMIT_INTERVAL_MS="100"))
    with bench.load(pause=0.1):
        while bench.strikes < strikes:
            some = min(500, strikes - bench.strikes)
            bench.source.mutate(some)
            bench.strikes += some
        bench.recover()


@fault("A16", "values that the database did not send", chaos=400, full=5_000)
def unsent_values(bench: Bench, strikes: int) -> None:
    bench.source.unsent = True
    bench.serving(bench.gateway())
    with bench.load():
        bench.installation.wait(lambda: bench.source.unsent_rows >= strikes, 600)
    bench.strikes = bench.source.unsent_rows


@fault("A19", "a storm of poison: three of ten things cannot be told, and kills", chaos=2_000, full=100_000)
def poison_storm(bench: Bench, strikes: int) -> None:
    bench.source.poison = frozenset(one for one in range(1, 301) if one % 10 < 3)
    bench.serving(bench.gateway())
    with bench.load(rows=200, pause=0.05):
        bench.installation.wait(lambda: sum(bench.source.letters.values()) >= strikes, 3_000)
        bench.hit("flush", "kill")
    bench.strikes = sum(bench.source.letters.values())


@fault("A12", "rows of 10 MB", chaos=3, full=10)
def big_rows(bench: Bench, strikes: int) -> None:
    bench.serving(bench.gateway())
    with bench.load(pause=0.2):
        for _ in range(strikes):
            bench.source.big_next = 10_000_000
            bench.installation.wait(lambda: bench.source.big_next == 0, 60)
            bench.strikes += 1
            bench.recover()


@fault("F13", "SIGKILL amid transactions too large for memory and for one Kafka transaction", chaos=6, full=50)
def large_transactions(bench: Bench, strikes: int) -> None:
    small = {"GATEWAY_TRANSACTION_MAX_RECORDS": "400", "GATEWAY_UNIT_MEMORY_BYTES": "200000"}
    bench.serving(bench.gateway(**small))
    for number in range(strikes):
        bench.source.write(50)
        bench.recover()
        bench.source.large(4_000)
        point = ("produce", "committed", "flush", "committed", "offsets")[number % 5]
        proof = bench.hit(point, "kill", 100)
        assert proof["records"] >= 100, "this was no part of a large transaction"
