"""A restored database: its lower positions stop partitions, drop nothing, and count once they are declared."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.services.worker import Worker
from gateway.settings import Settings

from .memory_world import PARTITIONS, MemoryInstallation
from .test_worker import turn_until_settled


def restored(seed: int) -> tuple[MemoryInstallation, Worker, int]:
    """Two hundred rows settled, then a restore and two hundred rows of the new timeline."""
    world = MemoryInstallation(seed)
    world.source.write(200)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    amid = world.source.restore()
    world.source.write(200)
    return world, worker, amid


@pytest.mark.parametrize("seed", range(5))
def test_a_restored_source_stops_its_partitions_and_goes_on_once_declared(seed: int) -> None:
    world, worker, amid = restored(seed)
    events, ignored = world.events(), sum(counts[2] for counts in world.counts())
    for _ in range(300):
        worker.turn()
        world.clock.seconds += 0.05
    assert len(world.signals.stopped()) == PARTITIONS
    assert all("the source went back" in told and "name: 2" in told for told in world.signals.stopped())
    assert (world.events(), sum(counts[2] for counts in world.counts())) == (events, ignored)  # nothing was dropped
    worker.close()
    again, _ = world.worker(incarnations=[{"name": 2, "from": amid}])
    turn_until_settled(world, again)
    world.check()


def test_a_declaration_that_is_taken_back_stops_the_partitions_again() -> None:
    world, worker, amid = restored(7)
    worker.close()
    declared, _ = world.worker(incarnations=[{"name": 2, "from": amid}])
    turn_until_settled(world, declared)
    declared.close()
    world.source.write(200)
    without, _ = world.worker()
    for _ in range(300):
        without.turn()
        world.clock.seconds += 0.05
    assert len(world.signals.stopped()) == PARTITIONS


@pytest.mark.parametrize(
    "declared",
    [
        [{"name": 1, "from": 5}],
        [{"name": 70_000, "from": 5}],
        [{"name": 3, "from": 5}, {"name": 2, "from": 9}],
        [{"name": 2, "from": 9}, {"name": 3, "from": 9}],
    ],
)
def test_declarations_that_do_not_grow_are_refused(declared: list[dict[str, int]]) -> None:
    with pytest.raises(ValidationError, match="incarnation"):
        Settings(incarnations=declared)  # type: ignore[arg-type]
