"""Raw topics are looked at each minute: a changed partition count, or a topic made anew, stops them all."""

from __future__ import annotations

import pytest

from gateway.model.errors import ConfigError
from gateway.ports import Partition, TopicShape

from .memory_world import PREFIX, MemoryInstallation
from .test_worker import turn_until_settled

RAW = f"{PREFIX}thing.raw"


@pytest.mark.parametrize("changed", [TopicShape("made-anew", 3), TopicShape("", 4)])
def test_a_raw_topic_that_changed_under_a_running_worker_stops_within_a_minute(
    changed: TopicShape, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = MemoryInstallation(31)
    world.source.write(200)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    real = world.broker.shape(RAW)
    now = TopicShape(changed.topic_id or real.topic_id, changed.partitions)
    before = world.broker.shape
    monkeypatch.setattr(world.broker, "shape", lambda topic: now if topic == RAW else before(topic))
    with pytest.raises(ConfigError, match="new raw topic"):
        for _ in range(70):
            worker.turn()
            world.clock.seconds += 1
    assert len(world.signals.stopped()) == 3


def test_a_partition_that_was_added_is_not_read_from_its_beginning() -> None:
    """Keys moved between the old partitions at once: whoever began at the new one would break order."""
    world = MemoryInstallation(32)
    world.source.write(200)
    first, _ = world.worker()
    turn_until_settled(world, first)
    first.close()
    for topic in (RAW, f"{RAW}.dlq"):
        world.broker.logs[Partition(topic, 3)] = []
        world.broker.low[Partition(topic, 3)] = 0
    world.broker.append(Partition(RAW, 3), b'{"thingId": 1}', None, timestamp_ms=1)
    again, _ = world.worker()
    with pytest.raises(ConfigError, match="new raw topic"):
        for _ in range(20):
            again.turn()
            world.clock.seconds += 0.5
    assert len(world.signals.stopped()) == 4
