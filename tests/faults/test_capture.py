"""Faults of the capture, on a real database: a killed Connect worker, and a connector that tells everything twice."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import pytest

from gateway.stack import Stack

from .database import Database, captured_database
from .installation import Installation

pytestmark = pytest.mark.stack
OUTLIVES = "GATEWAY_TEST_STACK" in os.environ


@pytest.fixture
def database(stack: Stack, prefix: str, seed: int) -> Iterator[Database]:
    installation = Installation(stack.endpoints.bootstrap, stack.endpoints.registry_url, prefix)
    with captured_database(stack, installation, seed) as found:
        installation.create(missing=True)
        installation.push()
        yield found


def _wait_for_all_events(database: Database, seconds: float) -> None:
    wanted = database.events_expected()

    def published() -> int:
        return sum(counts[5] for counts in database.installation.counts())

    told = lambda: f"{published()} of {wanted} events are published"  # noqa: E731
    database.installation.wait(lambda: published() >= wanted, seconds, told)
    time.sleep(1.0)  # repeats may still be on their way
    database.raw()
    database.installation.wait_until_settled(database, 60)


def test_connect_killed_amid_copies_loses_nothing_of_the_database(stack: Stack, database: Database, seed: int) -> None:
    """Three strikes, each between the first and the last record of a COPY; then each row has its event, once."""
    chance = random.Random(seed)
    database.installation.run(workers=2)
    strikes = 0
    while strikes < 3:
        before = database.raw()
        database.copy(7_000)
        begun = database.installation.ends()
        wanted = begun + chance.randint(1, 3_500)
        database.installation.wait(
            lambda wanted=wanted: database.installation.ends() >= wanted,  # type: ignore[misc]
            60,
            lambda: f"{database.capture.status()}",
            look_every=0.005,
        )
        stack.kill("connect")
        after = database.raw()
        print(f"struck with {after - before} of 7000 rows told")
        strikes += after - before < 7_000
        stack.start("connect", detached=OUTLIVES)
        _wait_for_all_events(database, 120)
    database.change(500)
    _wait_for_all_events(database, 60)
    events = database.installation.check(database)
    repeats = database.repeats()
    ignored = sum(counts[2] for counts in database.installation.counts())
    print(f"{repeats} rows were told twice and dropped")
    assert repeats == ignored
    newest = {event.aggregate: event.amount for event in events}
    assert newest == database.amounts()


def test_a_connector_set_back_over_a_second_slot_publishes_nothing_twice(database: Database, seed: int) -> None:
    """Everything since a point is told again, new changes behind it: repeats are dropped, the rest is published."""
    slot = f"again_{database.installation.prefix.strip('.')}"
    database.installation.run(workers=2)
    database.copy(1_500)
    _wait_for_all_events(database, 60)
    offsets = database.second_slot(slot)
    database.copy(2_000)
    database.change(8_000)
    _wait_for_all_events(database, 90)
    before = database.raw()
    database.go_back(offsets, slot)
    database.change(1_000)
    database.installation.wait(lambda: database.raw() >= before + 10_000, 60, lambda: f"{database.capture.status()}")
    _wait_for_all_events(database, 90)
    repeats = database.repeats()
    print(f"{database.rows} raw records, {repeats} of them repeats")
    assert repeats >= 10_000
    assert database.rows >= 20_000
    assert sum(counts[2] for counts in database.installation.counts()) == repeats
    database.installation.check(database)
