"""The storm breaker: too many parked aggregates or dead letters pause a partition before its next unit."""

from __future__ import annotations

from gateway.bridge.commands import ALL, Kind
from gateway.telemetry.signals import PartitionPaused, PartitionResumed, StormSeen

from .control_world import command, desk, orders, turns
from .memory_world import MemoryInstallation
from .test_worker import turn_until_settled

EVERYTHING = frozenset(range(1, 41))


def test_a_partition_that_parks_too_much_pauses_and_a_resume_allows_as_much_again() -> None:
    world = MemoryInstallation(1, poison=EVERYTHING, things=40)
    world.source.write(800)
    worker, _ = world.worker(storm_parked=3)
    turns(world, [worker], 200)
    assert world.settled() < world.source.rows
    stopped = {number for number, states in orders(world).items() if states == [["storm", "paused"]]}
    assert stopped == {0, 1, 2}
    assert sum(isinstance(one, StormSeen) for one in world.signals) == 3
    assert sum(isinstance(one, PartitionPaused) for one in world.signals) == 3
    parked = world.counts()
    assert all(4 <= one[6] <= 8 for one in parked)  # before the next unit: a unit has up to four
    counter = desk(world, [worker])
    resumed = 0
    while world.settled() < world.source.rows:
        counter.give(command(Kind.RESUME, ALL))
        turns(world, [worker], 100)
        resumed += 1
        assert resumed < 20
    world.check()
    assert resumed > 2
    assert any(isinstance(one, PartitionResumed) for one in world.signals)


def test_a_pause_by_storm_outlives_a_restart() -> None:
    world = MemoryInstallation(2, poison=EVERYTHING, things=40)
    world.source.write(800)
    worker, _ = world.worker(storm_parked=3)
    turns(world, [worker], 200)
    worker.close()
    settled = world.settled()
    again, _ = world.worker(fresh=False, storm_parked=0)
    turns(world, [again], 200)
    assert world.settled() == settled
    desk(world, [again]).give(command(Kind.RESUME, ALL))
    turn_until_settled(world, again)
    world.check()


def test_dead_letters_that_come_too_fast_pause_and_a_few_do_not() -> None:
    fast = MemoryInstallation(3, poison=EVERYTHING, things=40)
    fast.source.write(800)
    worker, _ = fast.worker(storm_letters=2)
    turns(fast, [worker], 300)
    assert fast.settled() < fast.source.rows
    few = MemoryInstallation(3, poison=frozenset({4}), things=40)
    few.source.write(800)
    worker, _ = few.worker(storm_letters=20)
    turn_until_settled(few, worker)
    few.check()
