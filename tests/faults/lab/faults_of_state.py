"""Faults of what the gateway remembers: offsets deleted, a source that went back, parked things that change hands."""

from __future__ import annotations

import json
import time

from ..test_recover import delete_offsets, recover
from .bench import Bench
from .registry import fault


@fault("F18", "the group's offsets deleted, and written back by `gateway recover`", chaos=2, full=20)
def offsets_deleted(bench: Bench, strikes: int) -> None:
    for _ in range(strikes):
        gateway = bench.gateway()
        bench.serving(gateway)
        with bench.load():
            bench.hit("flush", "kill")
            bench.strikes -= 1
            assert gateway.stop() == 0
            begun = time.monotonic()
            bench.anybody()  # a static member would stay in the group for its session
            delete_offsets(bench.installation)
            status, _, told = recover(bench.installation, "--yes")
            assert status == 0, told
            bench.serving(again := bench.gateway())
            bench.recover(since=begun)
            bench.strikes += 1
        again.stop()
    bench.gateway()


@fault("F10", "a restored database: lower log positions, later times; declared, and gone on with", chaos=2, full=20)
def source_restored(bench: Bench, strikes: int) -> None:
    declared: list[dict[str, int]] = []
    gateway = bench.gateway()
    bench.serving(gateway)
    for number in range(2, strikes + 2):
        bench.source.write(300)
        bench.recover()
        bench.source.go_back()
        declared.append({"name": number, "from": bench.source.ts_ms})
        bench.source.write(300)
        begun = time.monotonic()
        bench.installation.wait(lambda gateway=gateway: bool(gateway.said("partition stopped")), 60)  # type: ignore[misc]
        gateway.stop()
        gateway = bench.gateway(GATEWAY_INCARNATIONS=json.dumps(declared))
        bench.recover(since=begun)
        bench.strikes += 1


@fault("F15", "parked things change hands: poison under a rebalance storm, some by SIGKILL", chaos=6, full=50)
def parked_things_move(bench: Bench, strikes: int) -> None:
    bench.anybody()
    bench.source.poison = frozenset(one for one in range(1, 301) if one % 7 == 0)
    workers = [bench.gateway(GATEWAY_INSTANCE=name) for name in ("a", "b")]
    bench.serving(*workers)
    with bench.load():
        for number in range(strikes):
            if number % 2:
                bench.hit(bench.chance.choice(["produce", "offsets", "committed"]), "kill")
                continue
            workers.pop(0).stop()
            workers.append(bench.gateway(GATEWAY_INSTANCE=f"c{number}"))
            bench.serving(workers[-1])
            bench.recover()
            bench.strikes += 1
    assert sum(bench.source.letters.values()) > 0
