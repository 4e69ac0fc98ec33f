"""Faults of the capture, on a real database and a real connector."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..database import Database, captured_database
from .bench import Bench
from .registry import fault

LENT = "GATEWAY_TEST_STACK" in os.environ
CREATE = """
CREATE SCHEMA shop;
CREATE TABLE shop.thing (thing_id int PRIMARY KEY, val int NOT NULL, cod char(1) NOT NULL, upd_pgm text NOT NULL);
CREATE TABLE shop.part (part_id int PRIMARY KEY, thing_id int NOT NULL, qty int NOT NULL, note text NOT NULL);
"""


@contextmanager
def _captured(bench: Bench) -> Iterator[Database]:
    with captured_database(bench.stack, bench.installation, bench.seed, CREATE) as database:
        bench.database = database
        yield database
        bench.concluded = bench.verdict()  # while its topics are there


def _told(bench: Bench, database: Database, seconds: float = 120) -> None:
    """Wait until every fact has its event, and then for repeats that may still come."""

    def published() -> int:
        return sum(counts[5] for counts in bench.installation.counts())

    wanted = database.events_expected()
    bench.installation.wait(lambda: published() >= wanted, seconds, lambda: f"{published()} of {wanted} events")
    time.sleep(1)
    database.raw()
    bench.installation.wait_until_settled(database, 60)


@fault("F8 A9", "SIGKILL of Connect amid a transaction of 7,000 rows", chaos=2, full=20)
def connect_killed(bench: Bench, strikes: int) -> None:
    with _captured(bench) as database:
        bench.serving(bench.gateway())
        while bench.strikes < strikes:
            before = database.raw()
            database.copy(7_000)
            wanted = bench.installation.ends() + bench.chance.randint(1, 3_500)
            bench.installation.wait(lambda wanted=wanted: bench.installation.ends() >= wanted, 60, look_every=0.005)  # type: ignore[misc]
            begun = time.monotonic()
            bench.stack.kill("connect")
            told = database.raw() - before
            bench.stack.start("connect", detached=LENT)
            _told(bench, database)
            if told < 7_000:  # it fell inside
                bench.strikes += 1
                bench.recoveries.append(time.monotonic() - begun)


@fault("F9 A10", "the connector's offsets set back over a second slot", chaos=1, full=5)
def offsets_set_back(bench: Bench, strikes: int) -> None:
    with _captured(bench) as database:
        bench.serving(bench.gateway())
        database.copy(1_500)
        _told(bench, database)
        for number in range(strikes):
            slot = f"again_{number}_{bench.installation.prefix.strip('.')}"
            offsets = database.second_slot(slot)
            database.copy(1_000)
            database.change(3_000)
            _told(bench, database)
            before, begun = database.raw(), time.monotonic()
            database.go_back(offsets, slot)
            database.change(500)
            bench.installation.wait(lambda before=before: database.raw() >= before + 4_500, 120, look_every=1)  # type: ignore[misc]
            _told(bench, database)
            bench.recoveries.append(time.monotonic() - begun)
            bench.strikes += 1


@fault("A11", "columns that no rule uses are added, retyped, renamed and dropped under load", chaos=4, full=20)
def unused_columns_drift(bench: Bench, strikes: int) -> None:
    with _captured(bench) as database:
        bench.serving(bench.gateway())
        database.copy(300)
        for number in range(strikes):
            change = (
                "ADD COLUMN extra int DEFAULT 7",
                "ALTER COLUMN extra TYPE text",
                "RENAME COLUMN extra TO more",
                "DROP COLUMN more",
            )[number % 4]
            database.change(200)
            database.connection.execute(f"ALTER TABLE shop.thing {change}".encode())
            database.connection.commit()
            database.change(200)
            bench.strikes += 1
        _told(bench, database)
        bench.recoveries.append(0.0)
