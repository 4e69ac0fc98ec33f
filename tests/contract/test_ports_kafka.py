"""What gateway/ports.py promises of Kafka, tried on the memory fake and on a real broker alike."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest

from gateway.adapters.log_readers import MarkerTopic, StateTopic
from gateway.model.errors import ConfigError, DependencyError
from gateway.ports import Batch, Committed, EventSource, InDoubt, LogReader, MustAbort, Partition

from .worlds import KafkaWorld, MemoryWorld, World, eventually


@pytest.fixture(
    params=[
        "memory",
        pytest.param("classic", marks=pytest.mark.stack),
        pytest.param("consumer", marks=pytest.mark.stack),
    ]
)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        found: World = MemoryWorld()
    else:
        own = os.environ.get("GATEWAY_TEST_BOOTSTRAP")
        found = KafkaWorld(own or request.getfixturevalue("stack").endpoints.bootstrap, request.param)
    yield found
    found.close()


class Owner:
    """Listens to a source and starts what it is given where it is told to."""

    def __init__(self, source: EventSource, topics: Sequence[str]) -> None:
        self.source = source
        self.owned: set[Partition] = set()
        self.heard: list[tuple[str, tuple[Partition, ...]]] = []
        self.on_revoke: list[object] = []
        source.subscribe(topics, self)

    def assigned(self, partitions: Sequence[Partition]) -> None:
        self.heard.append(("assigned", tuple(sorted(partitions))))
        self.owned |= set(partitions)

    def revoked(self, partitions: Sequence[Partition]) -> None:
        self.heard.append(("revoked", tuple(sorted(partitions))))
        for act in self.on_revoke:
            act()  # type: ignore[operator]
        self.owned -= set(partitions)

    def lost(self, partitions: Sequence[Partition]) -> None:
        self.heard.append(("lost", tuple(sorted(partitions))))
        self.owned -= set(partitions)

    def settle(self, count: int, *others: Owner) -> None:
        """Take part in rebalances until ``count`` partitions are owned."""

        def turn() -> bool:
            for one in (self, *others):
                one.source.take(100, 0.01)
            return len(self.owned) == count

        eventually(turn)

    def read(self, count: int) -> list[bytes]:
        values: list[bytes] = []

        def turn() -> bool:
            values.extend(record.value or b"" for record in self.source.take(100, 0.01).records)
            return len(values) >= count

        eventually(turn)
        return values


def read_to_end(log: LogReader, place: Partition) -> tuple[list[bytes], int]:
    log.assign({place: 0})
    values: list[bytes] = []
    ended: list[int] = []

    def turn() -> bool:
        batch: Batch = log.take(100, 0.01)
        values.extend(record.value or b"" for record in batch.records)
        ended.extend(batch.ends.values())
        return bool(ended)

    eventually(turn)
    return values, ended[-1]


def test_nothing_of_an_open_or_aborted_transaction_is_ever_read(world: World) -> None:
    place = Partition(world.topic(), 0)
    sink = world.sink()
    sink.reopen()
    sink.begin()
    sink.send(place.topic, b"k", b"aborted", partition=0)
    sink.abort()
    sink.begin()
    sink.send(place.topic, b"k", b"open", partition=0)
    assert read_to_end(world.log(), place)[0] == []
    sink.commit({}, None)
    values, end = read_to_end(world.log(), place)
    assert values == [b"open"]
    assert end == eventually(lambda: world.cluster().high_watermark(place)) > 1  # markers are counted


def test_a_record_keeps_its_bytes_its_timestamp_and_its_headers_and_its_offset_is_told(world: World) -> None:
    place = Partition(world.topic(2), 1)
    sink = world.sink()
    sink.reopen()
    sink.begin()
    told: list[int] = []
    headers = (("a", b"1"), ("b", None))
    sink.send(place.topic, b"k", b"v", headers, partition=1, timestamp_ms=1234, delivered=told.append)
    sink.send(place.topic, b"k", None, partition=1, delivered=told.append)
    sink.commit({}, None)
    log = world.log()
    log.assign({place: 0})
    first = eventually(lambda: log.take(10, 0.01).records or None)[0]
    assert (first.key, first.value, first.timestamp_ms, first.headers) == (b"k", b"v", 1234, headers)
    assert told == [0, 1]


def test_a_started_partition_delivers_from_its_offset_and_an_unstarted_one_nothing(world: World) -> None:
    topic = world.topic(2)
    world.put(Partition(topic, 0), b"a", b"b", b"c")
    world.put(Partition(topic, 1), b"never")
    owner = Owner(world.source(), [topic])
    owner.settle(2)
    owner.source.start(Partition(topic, 0), 1)
    assert owner.read(2) == [b"b", b"c"]
    for _ in range(20):
        assert not owner.source.take(10, 0.01).records
    owner.source.start(Partition(topic, 0), 0)
    assert owner.read(3) == [b"a", b"b", b"c"]


def test_a_paused_partition_delivers_nothing_until_resumed(world: World) -> None:
    place = Partition(world.topic(), 0)
    owner = Owner(world.source(), [place.topic])
    owner.settle(1)
    owner.source.start(place, 0)
    owner.source.pause(place)
    world.put(place, b"a")
    for _ in range(20):
        assert not owner.source.take(10, 0.01).records
    owner.source.resume(place)
    assert owner.read(1) == [b"a"]


def test_the_end_of_a_partition_counts_trailing_markers(world: World) -> None:
    place = Partition(world.topic(), 0)
    sink = world.sink()
    sink.reopen()
    sink.begin()
    sink.send(place.topic, b"k", b"v", partition=0)
    sink.commit({}, None)
    owner = Owner(world.source(), [place.topic])
    owner.settle(1)
    owner.source.start(place, 0)
    assert eventually(lambda: dict(owner.source.take(10, 0.01).ends) or None) == {place: 2}


def test_committed_offsets_come_back_with_their_metadata(world: World) -> None:
    place = Partition(world.topic(), 0)
    owner = Owner(world.source(), [place.topic])
    owner.settle(1)
    assert eventually(lambda: (owner.source.committed(place),)) == (None,)
    sink = world.sink()
    sink.reopen()
    sink.begin()
    sink.commit({place: Committed(7, '1{"hi":null}')}, owner.source.membership())
    assert eventually(lambda: owner.source.committed(place)) == Committed(7, '1{"hi":null}')


def test_an_aborted_transaction_moves_no_offset(world: World) -> None:
    place = Partition(world.topic(), 0)
    owner = Owner(world.source(), [place.topic])
    owner.settle(1)
    sink = world.sink()
    sink.reopen()
    sink.begin()
    sink.commit({place: Committed(1, "1{}")}, owner.source.membership())
    sink.begin()
    sink.send(place.topic, b"k", b"v", partition=0)
    sink.abort()
    assert eventually(lambda: owner.source.committed(place)) == Committed(1, "1{}")


def test_a_successor_with_the_same_id_ends_the_open_transaction_and_fences_its_owner(world: World) -> None:
    place = Partition(world.topic(), 0)
    first, second = world.sink(), world.sink()
    first.reopen()
    first.begin()
    first.send(place.topic, b"k", b"zombie", partition=0)
    second.reopen()
    with pytest.raises((InDoubt, MustAbort)):
        first.commit({}, None)
    second.begin()
    second.send(place.topic, b"k", b"heir", partition=0)
    second.commit({}, None)
    assert read_to_end(world.log(), place)[0] == [b"heir"]


def test_a_reopened_sink_works_again(world: World) -> None:
    place = Partition(world.topic(), 0)
    sink = world.sink()
    sink.reopen()
    sink.begin()
    sink.send(place.topic, b"k", b"forgotten", partition=0)
    sink.reopen()
    sink.begin()
    sink.send(place.topic, b"k", b"kept", partition=0)
    sink.commit({}, None)
    assert read_to_end(world.log(), place)[0] == [b"kept"]


def test_a_departed_member_cannot_commit(world: World) -> None:
    place = Partition(world.topic(), 0)
    source = world.source()
    owner = Owner(source, [place.topic])
    owner.settle(1)
    then = source.membership()
    source.close()
    sink = world.sink()
    sink.reopen()
    sink.begin()
    with pytest.raises(MustAbort):
        sink.commit({place: Committed(1, "1{}")}, then)
    sink.abort()


def test_without_an_assignment_there_is_no_membership(world: World) -> None:
    assert world.source().membership() is None


def test_a_second_member_takes_over_what_the_first_may_still_commit_for(world: World) -> None:
    topic = world.topic(2)
    first = Owner(world.source(), [topic])
    first.settle(2)
    sink = world.sink()
    sink.reopen()
    sink.begin()
    then = first.source.membership()
    offsets = {Partition(topic, number): Committed(number + 1, "1{}") for number in range(2)}
    first.on_revoke.append(lambda: sink.commit(offsets, then))
    second = Owner(world.source(), [topic])
    second.settle(1, first)
    first.on_revoke.clear()
    first.settle(1, second)
    place = next(iter(second.owned))
    assert eventually(lambda: second.source.committed(place)) == offsets[place]
    assert first.owned | second.owned == set(offsets)


def test_raw_and_native_topics_of_equal_count_are_assigned_together(world: World) -> None:
    topics = [world.topic(4), world.topic(4)]
    first, second = Owner(world.source(), topics), Owner(world.source(), topics)
    first.settle(4, second)
    second.settle(4, first)
    for owner in (first, second):
        numbers = [sorted(one.partition for one in owner.owned if one.topic == topic) for topic in topics]
        assert numbers[0] == numbers[1]


def test_a_question_about_high_watermarks_sees_undecided_records_and_does_not_wait(world: World) -> None:
    topic = world.topic(2)
    sink = world.sink()
    sink.reopen()
    sink.begin()
    sent: list[int] = []
    sink.send(topic, b"k", b"v", partition=1, delivered=sent.append)
    cluster = world.cluster()

    def seen() -> bool:
        cluster.ask([Partition(topic, 0), Partition(topic, 1)])
        found: dict[Partition, int] = {}
        eventually(lambda: found.update(cluster.answers()) or not cluster.waiting)  # a failed question is no answer
        return found == {Partition(topic, 0): 0, Partition(topic, 1): 1}

    eventually(seen)
    sink.abort()


def test_a_topic_has_an_id_and_a_partition_count_and_a_missing_one_is_named(world: World) -> None:
    topic = world.topic(3)
    shape = eventually(lambda: world.cluster().shape(topic))
    assert shape.partitions == 3
    assert shape.topic_id
    other = world.topic(3)
    assert shape.topic_id != eventually(lambda: world.cluster().shape(other)).topic_id
    with pytest.raises(ConfigError, match="no-such-topic"):
        world.cluster().shape("no-such-topic")


def test_state_is_the_last_value_of_each_key_below_the_watermark(world: World) -> None:
    topic = world.topic(2)
    sink = world.sink()
    sink.reopen()
    sink.begin()
    for key, value in ((b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", None)):
        sink.send(topic, key, value, partition=0)
    sink.commit({}, None)
    reader = StateTopic(world.log(), topic)
    for number in range(2):
        end = eventually(lambda number=number: world.cluster().high_watermark(Partition(topic, number)))  # type: ignore[misc]
        reader.start(number, end)
    found: dict[int, object] = {}
    eventually(lambda: found.update(reader.poll()) or len(found) == 2)
    assert found == {0: {b"a": b"2"}, 1: {}}
    reader.start(0, 5)
    assert eventually(lambda: reader.poll() or None) == {0: {b"a": b"2"}}


def test_markers_are_read_from_shortly_before_the_end_and_from_further_back_when_asked(world: World) -> None:
    topic = world.topic()
    world.put(Partition(topic, 0), *(str(number).encode() for number in range(100)))
    reader = MarkerTopic(world.log(), world.cluster(), topic)
    values: list[bytes] = []

    def to_end() -> bool:
        values.extend(reader.poll())
        return reader.at_end

    eventually(to_end)
    assert values == [str(number).encode() for number in range(36, 100)]
    values.clear()
    assert reader.earlier()
    eventually(to_end)
    assert values[0] == b"0"
    assert not reader.earlier()
    world.put(Partition(topic, 0), b"new")
    values.clear()
    eventually(lambda: to_end() and b"new" in values)


def test_a_missing_transaction_topic_is_waited_for_and_one_with_two_partitions_refused(world: World) -> None:
    missing = MarkerTopic(world.log(), world.cluster(), "not-there-yet")
    assert missing.poll() == []
    with pytest.raises(ConfigError, match="2 partitions"):
        MarkerTopic(world.log(), world.cluster(), world.topic(2)).poll()


def test_committed_waits_while_a_predecessors_transaction_is_undecided() -> None:
    """On the real broker a predecessor must die between two calls: tests/faults does that."""
    world = MemoryWorld()
    place = Partition(world.topic(), 0)
    owner = Owner(world.source(), [place.topic])
    owner.settle(1)
    sink = world.sink()
    sink.reopen()
    sink.begin()
    sink.stage({place: Committed(3, "1{}")}, owner.source.membership())  # type: ignore[union-attr]
    with pytest.raises(DependencyError):
        owner.source.committed(place)
    world.sink().reopen()
    assert owner.source.committed(place) is None
