"""Kills, doubts, expulsions, restarts, and questions without answers, all of them together."""

from __future__ import annotations

import random

import pytest

from gateway.model.errors import DependencyError
from gateway.ports import Batch, Committed, Partition

from . import memory_world
from .memory_world import FaultySink, HesitantSource, Killed, MemoryInstallation
from .test_no_half_turn import FailingCluster
from .test_worker import turn_until_settled


class ReluctantSink(FaultySink):
    """A new producer is not always to be had at once."""

    away = 0.4

    def reopen(self) -> None:
        if self._chance.random() < self.away:
            raise DependencyError("planted: no producer yet")
        super().reopen()


class ForgetfulSource(HesitantSource):
    """Calls of the consumer fail now and then, before they did anything."""

    away = 0.15

    def _fail(self) -> None:
        if self.chance.random() < self.away:
            raise DependencyError("planted: no answer")

    def take(self, limit: int, wait: float) -> Batch:
        self._fail()
        return super().take(limit, wait)

    def committed(self, partition: Partition) -> Committed | None:
        self._fail()
        return super().committed(partition)

    def start(self, partition: Partition, offset: int) -> None:
        self._fail()
        super().start(partition, offset)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_does_not_answer_as_well_nothing_is_missing_doubled_or_reordered(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, kind in (
        ("FaultySink", ReluctantSink),
        ("HesitantSource", ForgetfulSource),
        ("MemoryCluster", FailingCluster),
    ):
        monkeypatch.setattr(memory_world, name, kind)
    monkeypatch.setattr(FailingCluster, "chance", random.Random(seed))
    monkeypatch.setattr("gateway.adapters.log_readers._LOOK_AGAIN", 0.0)
    world = MemoryInstallation(seed, odds=0.06, poison=frozenset({4, 7}))
    alive = {slot: world.worker(slot) for slot in (1, 2, 3)}
    for number in range(90):
        if world.source.rows < 900:
            world.source.write(world.chance.randint(1, 40), batch=world.chance.randint(1, 40))
        for slot, (worker, member) in list(alive.items()):
            try:
                worker.turn()
                if world.chance.random() < 0.02:
                    member.expel()
                elif world.chance.random() < 0.02:
                    worker.close()
                    alive[slot] = world.worker(slot)
            except Killed:
                world.group.leave(member)
                alive[slot] = world.worker(slot)
        world.clock.seconds += 0.05 if number % 30 else 61
    for sink in world.sinks:
        sink.odds = 0
    monkeypatch.setattr(ReluctantSink, "away", 0.0)
    monkeypatch.setattr(ForgetfulSource, "away", 0.0)
    turn_until_settled(world, *(worker for worker, _ in alive.values()))
    world.check()
