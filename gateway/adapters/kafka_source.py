"""The consumer of raw topics: a group member that fetches nothing until told where to start (protocol.md 4, 5)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Literal

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from gateway.adapters.kafka_client import (
    client_settings,
    dependency_error,
    error_of,
    partition_of,
    place_of,
    raw_record,
    topic_partition,
)
from gateway.model.errors import ConfigError, DependencyError, GatewayError
from gateway.ports import Batch, Committed, Membership, Partition, RebalanceListener

__all__ = ["KafkaSource"]

_COMMITTED_TIMEOUT = 0.5
_SILENT_TOO_LONG = 3.0
_GONE = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)


class KafkaSource:
    """``EventSource`` on confluent-kafka. ``protocol``: classic with range, or the broker's with its range assignor."""

    def __init__(
        self,
        bootstrap: str,
        group: str,
        settings: Mapping[str, str],
        protocol: Literal["classic", "consumer"] = "classic",
    ) -> None:
        assignor = (
            {"group.remote.assignor": "range"}
            if protocol == "consumer"
            else {"partition.assignment.strategy": "range", "session.timeout.ms": 10000, "heartbeat.interval.ms": 2000}
        )
        config = client_settings(
            bootstrap,
            settings,
            group__id=group,
            group__protocol=protocol,
            enable__auto__commit=False,
            enable__auto__offset__store=False,
            isolation__level="read_committed",
            auto__offset__reset="error",
            enable__partition__eof=True,
            queued__max__messages__kbytes=16384,
            fetch__wait__max__ms=50,
        )
        config["error_cb"] = self._hear
        self._bootstrap = bootstrap
        self._all_down: KafkaError | None = None
        self._incremental = protocol == "consumer"
        self._consumer = Consumer({**assignor, **config})
        self._position: dict[Partition, int] = {}
        self._paused: set[Partition] = set()
        self._unheard: dict[Partition, float] = {}
        self._refused: GatewayError | None = None

    def subscribe(self, topics: Sequence[str], listener: RebalanceListener) -> None:
        """See ``EventSource``."""

        def assigned(_consumer: Consumer, granted: list[TopicPartition]) -> None:
            partitions = [partition_of(one) for one in granted]
            self._take_over(partitions)
            listener.assigned(partitions)

        def gone(told: str, partitions: list[TopicPartition]) -> None:
            names = [partition_of(one) for one in partitions]
            try:
                getattr(listener, told)(names)
            finally:
                for name in names:
                    self._position.pop(name, None)
                    self._paused.discard(name)
                    self._unheard.pop(name, None)

        self._consumer.subscribe(
            list(topics),
            on_assign=assigned,
            on_revoke=lambda _c, parts: gone("revoked", parts),
            on_lost=lambda _c, parts: gone("lost", parts),
        )

    def _take_over(self, partitions: Sequence[Partition]) -> None:
        # Until `start` seeks they are paused. A seek may be overtaken by the client's own look-up of this offset (seen
        # under load): the beginning only costs time, since what is older is dropped; the end would lose records.
        places = [topic_partition(one, OFFSET_BEGINNING) for one in partitions]
        if self._incremental:
            self._consumer.incremental_assign(places)
        else:
            self._consumer.assign(places)
        if places:
            self._consumer.pause(places)  # after assign: a pause before it is undone
        for one in partitions:
            self._position[one] = OFFSET_BEGINNING
            self._paused.add(one)

    def take(self, limit: int, wait: float) -> Batch:
        """See ``EventSource``."""
        if self._refused is not None:
            refused, self._refused = self._refused, None
            raise refused
        if self._unheard:
            self._start_silent_ones_again()
        try:
            messages = self._consumer.consume(limit, 0)
            if not messages:
                one = self._consumer.poll(wait)
                messages = [one] if one is not None else []
        except (KafkaException, SystemError) as raised:
            raise dependency_error(raised, "reading raw topics", self._bootstrap) from raised
        all_down, self._all_down = self._all_down, None
        if all_down is not None and not messages:
            raise DependencyError("no broker answers", where=f"Kafka at {self._bootstrap}", hint="waiting for it")
        return self._batch(messages)

    def _hear(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._all_down = error

    def _batch(self, messages: Sequence[Message]) -> Batch:
        records = []
        ends: dict[Partition, int] = {}
        lost: set[Partition] = set()
        for message in messages:
            error = message.error()
            if error is None:
                record = raw_record(message)
                place = Partition(record.topic, record.partition)
                if record.offset >= self._position.get(place, 0):
                    records.append(record)
                    self._position[place] = record.offset + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                place, end = place_of(message)
                ends[place] = end
            elif error.code() in _GONE:
                lost.add(place_of(message)[0])
            else:
                self._refused = self._refusal(error, message) or self._refused
        if self._unheard:
            for heard in [*ends, *(Partition(record.topic, record.partition) for record in records)]:
                self._unheard.pop(heard, None)
        return Batch(records, ends, frozenset(lost))

    def _refusal(self, error: KafkaError, message: Message) -> GatewayError | None:
        """Raised by the next `take`: the records that came before it are delivered first, or they would be lost."""
        if error.code() in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED):
            return ConfigError(error.str(), where=str(message.topic()), hint="grant the worker's user read access")
        if error.fatal():
            return DependencyError(error.str(), where=f"Kafka at {self._bootstrap}")
        # All else (transport, a topic unknown for a while, max poll exceeded) mends itself or shows as a rebalance.
        return None

    def committed(self, partition: Partition) -> Committed | None:
        """See ``EventSource``."""
        try:
            found = self._consumer.committed([topic_partition(partition)], timeout=_COMMITTED_TIMEOUT)[0]
        except (KafkaException, SystemError) as raised:
            raise dependency_error(raised, f"asking the committed offset of {partition}", self._bootstrap) from raised
        if found.error is not None:
            raise DependencyError(found.error.str(), where=str(partition))
        return None if found.offset == OFFSET_INVALID else Committed(found.offset, found.metadata or "")

    def start(self, partition: Partition, offset: int) -> None:
        """See ``EventSource``."""
        try:
            self._consumer.seek(topic_partition(partition, offset))
        except (KafkaException, SystemError) as raised:
            if error_of(raised).code() != KafkaError._STATE:
                raise dependency_error(raised, f"seeking {partition}", self._bootstrap) from raised
            self._assign_anew(partition, offset)
        self._position[partition] = offset
        self.resume(partition)
        self._unheard[partition] = time.monotonic()

    def _start_silent_ones_again(self) -> None:
        """Seek partitions again that gave neither a record nor their end since they were started: the client lost them.

        Seen once in some hundred starts on a loaded machine; the partition then stood still without a word.
        """
        now = time.monotonic()
        for place, since in list(self._unheard.items()):
            if place not in self._paused and now - since > _SILENT_TOO_LONG:
                self._consumer.resume([topic_partition(place)])
                self.start(place, self._position[place])

    def _assign_anew(self, partition: Partition, offset: int) -> None:
        # A partition whose fetching failed for good cannot be sought: assign it again (protocol.md 4).
        place = topic_partition(partition, offset)
        if self._incremental:
            self._consumer.incremental_unassign([place])
            self._consumer.incremental_assign([place])
            return
        self._position[partition] = offset
        self._consumer.assign([topic_partition(one, at) for one, at in self._position.items()])
        self._consumer.pause([topic_partition(one) for one in self._paused])

    def pause(self, partition: Partition) -> None:
        """See ``EventSource``."""
        if partition in self._position and partition not in self._paused:
            self._consumer.pause([topic_partition(partition)])
            self._paused.add(partition)

    def resume(self, partition: Partition) -> None:
        """See ``EventSource``."""
        if partition in self._paused:
            self._consumer.resume([topic_partition(partition)])
            self._paused.discard(partition)

    def membership(self) -> Membership | None:
        """See ``EventSource``."""
        if not self._position:
            return None  # generation -1: such a commit would not be fenced
        found: object = self._consumer.consumer_group_metadata()
        return found

    def close(self) -> None:
        """See ``EventSource``."""
        self._consumer.close()
