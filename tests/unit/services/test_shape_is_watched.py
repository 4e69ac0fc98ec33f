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


def test_records_settled_since_the_last_look_are_named_and_the_interval_is_a_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = MemoryInstallation(33)
    world.source.write(200)
    worker, _ = world.worker(topic_check_seconds=30)
    turn_until_settled(world, worker)
    world.clock.seconds += 31
    worker.turn()  # looks, and finds nothing
    before = {place: at.offset for (_, place), at in world.broker.committed.items()}
    shape = world.broker.shape
    monkeypatch.setattr(
        world.broker, "shape", lambda topic: TopicShape("made-anew", 3) if topic == RAW else shape(topic)
    )
    world.source.write(200)
    turn_until_settled(world, worker)
    assert not world.signals.stopped()
    after = {place: at.offset for (_, place), at in world.broker.committed.items()}
    world.clock.seconds += 31
    with pytest.raises(ConfigError):
        worker.turn()
    for place, told in zip(sorted(before), sorted(world.signals.stopped()), strict=True):
        first, last = (int(word) for word in told.split("; records ")[1].split(" were settled")[0].split(" to "))
        assert before[place] - 1 <= first <= before[place]  # a marker may stand between
        assert after[place] - 2 <= last < after[place]


def test_a_topic_made_anew_whose_records_are_gone_is_not_taken_for_retention() -> None:
    world = MemoryInstallation(34)
    world.source.write(200)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    world.broker.create(RAW, 3)
    for place in [one for one in world.broker.logs if one.topic == RAW]:
        world.broker.low[place] = 10_000
    for _ in range(5):
        worker.turn()
        world.clock.seconds += 0.1
    assert len(world.signals.stopped()) == 3
    assert all("the topic was" in told and "; records 0 to" in told for told in world.signals.stopped())


def test_nobody_begins_with_a_topic_made_anew_whose_offsets_went_with_it() -> None:
    """A broker forgets the offsets of a topic that is deleted: what the topic was, the state topic tells."""
    world = MemoryInstallation(35)
    world.source.write(200)
    first, _ = world.worker()
    turn_until_settled(world, first)
    first.close()
    world.broker.committed.clear()
    world.broker.create(RAW, 3)
    world.source.write(200)
    again, _ = world.worker()
    with pytest.raises(ConfigError, match="the topic was memory-"):
        for _ in range(20):
            again.turn()
            world.clock.seconds += 0.5
    assert len(world.signals.stopped()) == 3
