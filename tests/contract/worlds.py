"""Two worlds that the port contracts are tried on: memory, and the broker of the native stack."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from gateway.adapters.kafka_cluster import KafkaCluster
from gateway.adapters.kafka_group import KafkaGroup
from gateway.adapters.kafka_log import KafkaLog
from gateway.adapters.kafka_sink import KafkaSink
from gateway.adapters.kafka_source import KafkaSource
from gateway.adapters.memory import MemoryBroker, MemoryCluster, MemoryLog, MemorySink
from gateway.adapters.memory_offsets import MemoryOffsets
from gateway.adapters.memory_source import MemoryGroup, MemorySource
from gateway.model.errors import DependencyError
from gateway.ports import (
    Cluster,
    Committed,
    EventSource,
    GroupOffsets,
    LogReader,
    Membership,
    Partition,
    TransactionalSink,
)

T = TypeVar("T")


def eventually(ask: Callable[[], T | None], seconds: float = 30) -> T:
    """The first answer that is neither None nor False; a DependencyError counts as not yet."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            found = ask()
        except DependencyError:
            found = None
        if found is not None and found is not False:
            return found
        time.sleep(0.005)
    raise AssertionError(f"nothing came within {seconds} s")


class MemoryWorld:
    """Everything in this process."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self._groups: dict[str, MemoryGroup] = {}
        self._serial = itertools.count()

    def topic(self, partitions: int = 1) -> str:
        name = f"topic-{next(self._serial)}"
        self.broker.create(name, partitions)
        return name

    def put(self, place: Partition, *values: bytes) -> None:
        for value in values:
            self.broker.append(place, b"key", value)

    def source(self, group: str = "group") -> EventSource:
        return MemorySource(self._group(group))

    def _group(self, name: str) -> MemoryGroup:
        return self._groups.setdefault(name, MemoryGroup(self.broker, name))

    def offsets(self, group: str = "group") -> GroupOffsets:
        return MemoryOffsets(self._group(group))

    def sink(self, transactional_id: str = "id") -> TransactionalSink:
        return MemorySink(self.broker, transactional_id)

    def stage(self, place: Partition, at: Committed, membership: Membership | None) -> Callable[[], None]:
        """A transaction that holds an offset and is not decided; what is given aborts it."""
        sink = MemorySink(self.broker, "staged")
        sink.reopen()
        sink.begin()
        sink.stage({place: at}, membership)
        return sink.abort

    def cluster(self) -> Cluster:
        return MemoryCluster(self.broker)

    def log(self) -> LogReader:
        return MemoryLog(self.broker)

    def close(self) -> None:
        pass


class KafkaWorld:
    """A real broker; every name is new."""

    def __init__(self, bootstrap: str, protocol: str = "classic") -> None:
        self.bootstrap = bootstrap
        self.protocol = protocol
        self._name = f"contract-{uuid.uuid4().hex[:8]}"
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self._producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
        self._serial = itertools.count()
        self._open: list[EventSource | TransactionalSink | LogReader] = []

    def topic(self, partitions: int = 1) -> str:
        name = f"{self._name}-{next(self._serial)}"
        self._admin.create_topics([NewTopic(name, partitions, 1)])[name].result(10)
        return name

    def put(self, place: Partition, *values: bytes) -> None:
        for value in values:
            self._producer.produce(place.topic, value, b"key", partition=place.partition)
        assert self._producer.flush(10) == 0

    def source(self, group: str = "group") -> EventSource:
        extra = {"session.timeout.ms": "6000"} if self.protocol == "classic" else {}
        return self._kept(KafkaSource(self.bootstrap, f"{self._name}-{group}", extra, self.protocol))  # type: ignore[arg-type]

    def offsets(self, group: str = "group") -> GroupOffsets:
        return KafkaGroup(self.bootstrap, f"{self._name}-{group}", {})

    def sink(self, transactional_id: str = "id") -> TransactionalSink:
        return self._kept(KafkaSink(self.bootstrap, f"{self._name}-{transactional_id}", {}))

    def stage(self, place: Partition, at: Committed, membership: Membership | None) -> Callable[[], None]:
        """A transaction that holds an offset and is not decided; what is given aborts it."""
        producer = Producer(
            {"bootstrap.servers": self.bootstrap, "transactional.id": f"{self._name}-staged", "log_level": 0}
        )
        producer.init_transactions(30)
        producer.begin_transaction()
        producer.send_offsets_to_transaction([TopicPartition(*place, *at)], membership, 30)
        return lambda: producer.abort_transaction(30)

    def cluster(self) -> Cluster:
        return KafkaCluster(self.bootstrap, {})

    def log(self) -> LogReader:
        return self._kept(KafkaLog(self.bootstrap, {}, f"{self._name}-reader"))

    def _kept(self, one: T) -> T:
        self._open.append(one)  # type: ignore[arg-type]
        return one

    def close(self) -> None:
        for one in self._open:
            one.close()


World = MemoryWorld | KafkaWorld
