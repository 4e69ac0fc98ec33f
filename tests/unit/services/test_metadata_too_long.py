"""A partition whose progress does not fit into an offset's metadata stops before it is sent; the others go on."""

from __future__ import annotations

from dataclasses import replace

from gateway.pipeline.progress import METADATA_LIMIT, format_progress, parse_progress
from gateway.ports import Committed, Partition
from gateway.telemetry.signals import TransactionEnded

from .memory_world import PREFIX, MemoryInstallation
from .test_worker import turn_until_settled

FULL = Partition(f"{PREFIX}thing.raw", 0)


def fill(world: MemoryInstallation, place: Partition) -> None:
    """Let the committed progress take all the room there is."""
    at = world.broker.committed[(world.group.name, place)]
    progress = parse_progress(at.metadata)
    room = METADATA_LIMIT - len(format_progress(replace(progress, barriers=(("", "armed"),))))
    text = format_progress(replace(progress, barriers=(("b" * room, "armed"),)))
    assert len(text) == METADATA_LIMIT
    world.broker.committed[(world.group.name, place)] = Committed(at.offset, text)


def test_it_stops_alone_with_a_clear_message_and_without_a_loop_of_aborts() -> None:
    world = MemoryInstallation(31)
    world.source.write(20)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    worker.close()
    fill(world, FULL)
    before = world.broker.committed[(world.group.name, FULL)]
    world.signals.clear()
    world.source.write(900)
    again, _ = world.worker()
    for _ in range(400):
        again.turn()
        world.clock.seconds += 0.05
    assert len(world.signals.stopped()) == 1
    assert str(FULL) in world.signals.stopped()[0]
    assert "3000 are allowed" in world.signals.stopped()[0]
    assert world.broker.committed[(world.group.name, FULL)] == before
    assert [one.result for one in world.signals if isinstance(one, TransactionEnded)].count("aborted") == 1
    others = [place for place in world.broker.logs if place.topic == FULL.topic and place != FULL]
    ends = {place: len(world.broker.logs[place]) for place in others}
    assert {place: world.broker.committed[(world.group.name, place)].offset for place in others} == ends
    facts = world.source.facts
    assert all(found == facts[thing][: len(found)] for thing, found in world.events().items())
