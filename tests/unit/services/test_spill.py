"""Transactions that do not fit into memory wait on the disk; a full disk holds their partition until there is room."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from gateway.ports import Partition
from gateway.services.worker import Worker
from gateway.telemetry.signals import DependencyAway, DependencyBack

from .memory_world import PREFIX, MemoryInstallation
from .test_worker import run_with_faults, turn_until_settled

SMALL: dict[str, Any] = {"unit_memory_bytes": 2_000}


def turns(world: MemoryInstallation, worker: Worker, most: int) -> None:
    for _ in range(most):
        worker.turn()
        world.clock.seconds += 0.05


def test_what_waits_on_the_disk_says_the_same() -> None:
    world = MemoryInstallation(41, poison=frozenset({4}))
    world.source.write(200)
    world.source.write_large([1, 2, 3, 4, 5, 2, 3, 7] * 40)
    world.source.write(200)
    worker, _ = world.worker(**SMALL)
    used = []
    for _ in range(3_000):
        worker.turn()
        used.append(world.disk.used)
        world.clock.seconds += 0.03
        if world.settled() >= world.source.rows:
            break
    world.check()
    assert max(used) > 20_000
    worker.close()
    del worker
    gc.collect()
    assert world.disk.used == 0


@pytest.mark.parametrize("seed", range(4))
def test_whatever_fails_it_is_read_again_from_the_log(seed: int) -> None:
    """Kills, aborts and doubts while everything goes over the disk."""
    run_with_faults(seed, **SMALL)


def test_a_full_disk_holds_its_partition_says_so_and_others_go_on_until_there_is_room() -> None:
    world = MemoryInstallation(42)
    world.source.write(300)
    world.disk.room = 30_000
    worker, _ = world.worker(**SMALL)
    turn_until_settled(world, worker)
    large = 5
    place = world.broker.partition_for(f"{PREFIX}thing.raw", b'{"thingId": 5}')
    world.source.write_large([large] * 200)
    settled = world.settled()
    turns(world, worker, 400)
    away = [one for one in world.signals if isinstance(one, DependencyAway)]
    assert [one.dependency for one in away] == [f"disk room for a large transaction of {place}"]
    assert world.settled() == settled
    others = [thing for thing in range(1, 26) if of(world, thing) != place]
    world.source.write_large(others[:3])
    turns(world, worker, 100)
    assert world.settled() > settled
    assert not world.signals.stopped()
    world.disk.room = 1 << 30
    turns(world, worker, 1_500)  # it waits longer each time, a minute at most
    world.check()
    assert [one.dependency for one in world.signals if isinstance(one, DependencyBack)] == [away[0].dependency]


def of(world: MemoryInstallation, thing: int) -> Partition:
    return world.broker.partition_for(f"{PREFIX}thing.raw", b'{"thingId": %d}' % thing)
