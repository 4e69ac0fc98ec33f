"""What a worker must not do amid a failure: commit half a unit, take records it cannot settle, stop asking."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.adapters.memory import MemoryCluster, MemorySink
from gateway.model.errors import DependencyError
from gateway.ports import Committed, InDoubt, Membership, Partition

from . import memory_world
from .memory_world import FaultySink, MemoryInstallation
from .test_worker import turn_until_settled


def test_a_unit_that_fails_while_it_is_written_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug strikes between two records of one unit: its partition stops, and a mended successor doubles nothing."""
    world = MemoryInstallation(21, poison=frozenset(range(1, 12)))
    world.source.write(400)
    sent: list[str] = []

    def broken_send(self: FaultySink, topic: str, *arguments: Any, **more: Any) -> None:
        sent.append(topic)
        if topic.endswith(".dlq"):
            raise ZeroDivisionError("planted bug")
        MemorySink.send(self, topic, *arguments, **more)

    worker, member = world.worker()
    with monkeypatch.context() as planted:
        planted.setattr(FaultySink, "send", broken_send)
        for _ in range(300):
            worker.turn()
            world.clock.seconds += 0.03
    assert any("planted bug" in error for error in world.signals.stopped())
    assert world.settled() < world.source.rows
    world.group.leave(member)
    again, _ = world.worker()
    turn_until_settled(world, again)
    world.check()


class LateSink(FaultySink):
    """After a commit in doubt the new producer is not to be had at once."""

    refusals = 0

    def commit(
        self, offsets: Mapping[Partition, Committed], membership: Membership | None, deadline: float | None = None
    ) -> None:
        if self._chance.random() < 0.2:
            type(self).refusals = 4
            raise InDoubt("planted: not committed")
        super().commit(offsets, membership, deadline)

    def reopen(self) -> None:
        if type(self).refusals > 0:
            type(self).refusals -= 1
            raise DependencyError("planted: not yet")
        super().reopen()


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_taken_while_there_is_no_producer(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A doubt amid a turn: partitions are rebuilt after the new producer is there, and no record is skipped."""
    monkeypatch.setattr(memory_world, "FaultySink", LateSink)
    monkeypatch.setattr(LateSink, "refusals", 0)
    world = MemoryInstallation(seed)
    worker, _ = world.worker(transaction_max_records=10)
    for _ in range(40):
        world.source.write(20)
        worker.turn()
        world.clock.seconds += 0.03
    turn_until_settled(world, worker)
    world.check()


class FailingCluster(MemoryCluster):
    """Each question is left without an answer now and then."""

    chance = random.Random(0)

    def _fail(self) -> None:
        if self.chance.random() < 0.3:
            raise DependencyError("planted: no answer")

    def high_watermark(self, partition: Partition) -> int:
        self._fail()
        return super().high_watermark(partition)

    def low_watermark(self, partition: Partition) -> int:
        self._fail()
        return super().low_watermark(partition)

    def ask(self, partitions: Any) -> None:
        self._answers = {one: len(self._broker.logs[one]) for one in partitions}


@pytest.mark.parametrize("seed", range(3))
def test_a_broker_that_does_not_answer_amid_an_assignment_is_asked_again(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever question of the assignment, or of the transaction topic's reader, fails: work begins all the same."""
    monkeypatch.setattr(memory_world, "MemoryCluster", FailingCluster)
    monkeypatch.setattr(FailingCluster, "chance", random.Random(seed))
    world = MemoryInstallation(seed)
    world.source.write(300)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    world.check()
