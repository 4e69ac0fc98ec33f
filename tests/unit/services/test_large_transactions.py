"""Large transactions are published some aggregates at a time: each event once, wherever the worker is killed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gateway.pipeline.cursor import Steps
from gateway.pipeline.progress import parse_progress
from gateway.ports import Committed, Membership, Partition
from gateway.services.worker_cursor import Cursors

from . import memory_world
from .memory_world import COMPILED, PREFIX, FaultySink, Killed, MemoryInstallation
from .test_worker import run_with_faults, turn_until_settled

TINY: dict[str, Any] = {"transaction_max_records": 10}
SPILLED: dict[str, Any] = {**TINY, "unit_memory_bytes": 2_000}


def cursors(world: MemoryInstallation) -> list[tuple[int, int, int]]:
    """Cursors in the committed progress."""
    found = [parse_progress(at.metadata).cursor for at in world.broker.committed.values()]
    return [cursor for cursor in found if cursor is not None]


def large_world(seed: int, things: int = 60) -> MemoryInstallation:
    """A few small transactions around one over all things, many of them changed more than once."""
    world = MemoryInstallation(seed, poison=frozenset({4, 21}), things=things)
    world.source.write(things)
    often = [thing for thing in range(1, things + 1) if thing not in world.source.poison]
    chosen = [*world.source.poison, *often, *often[::2], *often[::3]]
    random.Random(seed).shuffle(chosen)
    world.source.write_large(chosen)
    world.source.write(things // 2)
    return world


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.pipeline.cursor._RECORDS", 4)


@pytest.mark.parametrize("settings", [TINY, SPILLED], ids=["in memory", "on disk"])
def test_each_kafka_transaction_holds_some_aggregates_and_the_offset_stays_until_all_are_done(
    settings: dict[str, Any],
) -> None:
    world = large_world(51)
    worker, _ = world.worker(**settings)
    seen: dict[int, list[int]] = {}
    for _ in range(2_000):
        worker.turn()
        for first, _last, done in cursors(world):
            offsets = {at.offset for at in world.broker.committed.values()}
            assert first in offsets
            seen.setdefault(first, []).append(done)
        world.clock.seconds += 0.03
        if world.settled() >= world.source.rows:
            break
    world.check()
    assert not cursors(world)
    assert any(len(set(steps)) > 2 for steps in seen.values())
    assert all(steps == sorted(steps) for steps in seen.values())


class KilledAt(FaultySink):
    """Kills the process at one commit, before it, amid it or after it."""

    commits = 0
    at = 0
    when = ""

    def commit(
        self, offsets: Mapping[Partition, Committed], membership: Membership | None, deadline: float | None = None
    ) -> None:
        type(self).commits += 1
        strikes = type(self).commits == type(self).at
        if strikes and self.when == "before":
            raise Killed(self.when)
        if strikes and self.when == "amid" and offsets:
            self.stage(offsets, membership)
            raise Killed(self.when)
        super().commit(offsets, membership, deadline)
        if strikes and self.when == "after":
            raise Killed(self.when)


@pytest.mark.parametrize("when", ["before", "amid", "after"])
def test_killed_at_any_of_its_commits_no_aggregate_is_told_twice_and_none_is_missing(
    when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_world, "FaultySink", KilledAt)
    monkeypatch.setattr(KilledAt, "when", when)
    killed_amid = 0
    for at in range(1, 100, 2):
        monkeypatch.setattr(KilledAt, "commits", 0)
        monkeypatch.setattr(KilledAt, "at", at)
        world = large_world(52, things=24)
        worker, member = world.worker(**SPILLED)
        try:
            turn_until_settled(world, worker)
        except Killed:
            world.group.leave(member)
        else:
            world.check()
            break
        killed_amid += bool(cursors(world))
        again, _ = world.worker(**SPILLED)
        turn_until_settled(world, again)
        world.check()
    else:
        pytest.fail("it never came through")
    assert killed_amid > 2


@pytest.mark.parametrize("seed", range(3))
def test_whatever_fails_wherever_large_transactions_are_whole_in_the_end(seed: int) -> None:
    """Kills, aborts, doubts and rebalances, with hardly a transaction that is not a large one."""
    run_with_faults(seed, transaction_max_records=3, unit_memory_bytes=2_000 if seed % 2 else 1_000_000)


def stopped_amid(world: MemoryInstallation) -> None:
    """Let a worker publish some steps, and end."""
    worker, _ = world.worker(**SPILLED)
    for _ in range(500):
        worker.turn()
        if cursors(world):
            break
    worker.close()
    assert cursors(world)


def test_what_stands_behind_it_meanwhile_is_no_part_of_it() -> None:
    """Records that arrive between the crash and the second reading belong to later units, as they would have."""
    world = large_world(53)
    stopped_amid(world)
    for place in sorted(one for one in world.broker.logs if one.topic == f"{PREFIX}thing.raw"):
        world.broker.append(place, b'{"thingId": 999}', b"no JSON", timestamp_ms=1)
        world.source.rows += 1
        world.source.letters[999] += 1
    again, _ = world.worker(**SPILLED)
    turn_until_settled(world, again)
    world.check()


def test_the_rest_is_told_by_the_rules_that_began_it() -> None:
    world = large_world(54)
    stopped_amid(world)
    others = [replace(one, digest="f" * 16) for one in COMPILED]
    again, _ = world.worker(mappings=others, **SPILLED)
    for _ in range(200):
        again.turn()
        world.clock.seconds += 0.05
    stopped = world.signals.stopped()
    assert stopped
    assert all(f"published in part by rules {COMPILED[0].digest}" in error for error in stopped)
    again.close()
    through, _ = world.worker(**SPILLED)
    turn_until_settled(world, through)
    world.check()


def test_under_halt_nothing_of_it_is_published_before_all_of_it_was_looked_at() -> None:
    world = large_world(55)
    before = Counter({thing: len(facts) for thing, facts in world.source.facts.items()})
    assert before
    worker, _ = world.worker(mappings=[replace(one, on_error="halt") for one in COMPILED], **SPILLED)
    for _ in range(400):
        worker.turn()
        world.clock.seconds += 0.05
        assert not [one for one in cursors(world) if str(one) in "".join(world.signals.stopped())]
    assert world.signals.stopped()
    assert not cursors(world)
    assert not world.letters()
    worker.close()


def test_a_small_transaction_that_says_too_much_is_taken_by_steps_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """More events than fit, of fewer records: its limit of records is not reached."""
    world = large_world(56)
    begun: list[int] = []
    begin = Cursors.begin
    monkeypatch.setattr(Cursors, "takes", lambda *_: False)
    monkeypatch.setattr(Cursors, "begin", lambda self, owned, units: (begun.append(1), begin(self, owned, units))[1])
    worker, _ = world.worker(**SPILLED)
    turn_until_settled(world, worker)
    world.check()
    assert begun


def test_a_worker_that_forgets_its_cursor_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: after a crash the large transaction is published from its start again."""
    world = large_world(57)
    stopped_amid(world)
    parts = Steps.parts
    monkeypatch.setattr(Steps, "parts", lambda self, _done, largest: parts(self, 0, largest))
    again, _ = world.worker(**SPILLED)
    with pytest.raises(AssertionError):
        turn_until_settled(world, again)
        world.check()
