"""Commands in the memory world: a desk whose waiting is the workers' working."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from gateway.adapters.memory import MemoryCluster, MemoryLog, MemorySink
from gateway.bridge.commands import Command
from gateway.ports import Partition
from gateway.services.control import ControlDesk, Desk, new_id
from gateway.services.worker import Worker

from .memory_world import PARTITIONS, PREFIX, MemoryInstallation

PLACES = tuple(Partition(f"{PREFIX}thing.raw", number) for number in range(PARTITIONS))


def turns(world: MemoryInstallation, workers: Iterable[Worker], most: int = 40) -> None:
    """So many turns of each, and time that passes."""
    for _ in range(most):
        for worker in workers:
            worker.turn()
        world.clock.seconds += 0.03


def desk(
    world: MemoryInstallation, workers: Sequence[Worker], meanwhile: Callable[[float], None] = lambda _: None
) -> ControlDesk:
    """A desk; ``workers`` go on while it waits, after ``meanwhile`` was called with the seconds."""

    def wait(seconds: float) -> None:
        meanwhile(seconds)
        turns(world, workers, max(1, round(seconds / 0.05)))
        world.clock.seconds += seconds / 2

    return ControlDesk(
        Desk(
            MemorySink(world.broker, f"desk-{new_id()}"),
            MemoryCluster(world.broker),
            MemoryLog(world.broker),
            world.clock,
            wait,
            f"{PREFIX}gateway.control",
            f"{PREFIX}gateway.state",
        )
    )


def command(kind: str, *targets: str, **more: object) -> Command:
    """A command as somebody gives it."""
    return Command(new_id(), kind, "me@here", "a test", targets, **more)  # type: ignore[arg-type]


def orders(world: MemoryInstallation) -> dict[int, list[list[str]]]:
    """What stands in each partition's committed metadata."""
    return {at.partition: json.loads(one.metadata[1:])["b"] for (_, at), one in world.broker.committed.items()}
