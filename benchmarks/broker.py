"""The broker's part of the bench: topics made and made anew, raw topics filled, outputs read back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from gateway.model.record import RawRecord

__all__ = ["Broker"]

KEPT = {"retention.ms": "-1", "message.timestamp.after.max.ms": str(2**62)}
"""A recording may be old or, amplified, ahead of the clock; its records stay all the same."""


class Broker:
    """One broker and what the bench asks of it. KafkaException where it refuses."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap})

    def create(self, topics: Mapping[str, int], settings: Mapping[str, str] = KEPT) -> None:
        """Make topics (name -> number of partitions) and wait until they are there."""
        wanted = [NewTopic(name, number, 1, config=dict(settings)) for name, number in topics.items()]
        for future in self._admin.create_topics(wanted).values():
            future.result()
        self._until(lambda known: set(topics) <= known, f"topics {', '.join(topics)} appear")

    def delete(self, topics: Iterable[str]) -> None:
        """Remove topics, those that are there, and wait until they are gone."""
        present = sorted(set(topics) & self._known())
        if not present:
            return
        for future in self._admin.delete_topics(present).values():
            future.result()
        self._until(lambda known: not set(present) & known, f"topics {', '.join(present)} go")

    def shapes(self, topics: Iterable[str]) -> dict[str, int]:
        """Partition counts of those of ``topics`` that exist."""
        known = self._admin.list_topics(timeout=10).topics
        return {name: len(known[name].partitions) for name in topics if name in known}

    def _known(self) -> set[str]:
        return set(self._admin.list_topics(timeout=10).topics)

    def _until(self, holds: Any, what: str, seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while not holds(self._known()):
            if time.monotonic() > until:
                raise SystemExit(f"waited {seconds} s in vain until {what}")
            time.sleep(0.1)

    def fill(self, records: Iterable[RawRecord]) -> int:
        """Append records to their topics and partitions; returns how many."""
        producer, count = self._producer(), 0
        for count, record in enumerate(records, 1):  # noqa: B007
            headers = list(record.headers)
            place = {"partition": record.partition, "timestamp": record.timestamp_ms, "headers": headers}
            _patiently(producer, record.topic, record.value, record.key, **place)
        _flush(producer)
        return count

    def append(self, topic: str, values: Iterable[bytes]) -> None:
        """Append values without a key to the one partition of a topic."""
        producer = self._producer()
        for value in values:
            _patiently(producer, topic, value, None, partition=0)
        _flush(producer)

    def _producer(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "compression.type": "lz4",
                "linger.ms": 20,
                "batch.size": 1_000_000,
                "queue.buffering.max.messages": 200_000,
                "enable.idempotence": True,
                "message.max.bytes": 32 * 1024 * 1024,
                "delivery.report.only.error": True,
                "on_delivery": _delivered,
            }
        )

    def read(self, topics: Sequence[str]) -> Iterator[Any]:
        """Every committed record of ``topics``, in each partition's order."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "bench-reader",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        open_places = {(name, number) for name, count in self.shapes(topics).items() for number in range(count)}
        consumer.assign([TopicPartition(name, number, 0) for name, number in open_places])
        while open_places:
            for record in consumer.consume(2000, 1):
                error = record.error()
                if error is None:
                    yield record
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_places.discard((record.topic(), record.partition()))
                else:
                    raise KafkaException(error)
        consumer.close()


def _delivered(error: KafkaError | None, _record: object) -> None:
    if error is not None:
        raise KafkaException(error)


def _patiently(producer: Producer, topic: str, value: bytes | None, key: bytes | None, **place: Any) -> None:
    while True:
        try:
            producer.produce(topic, value, key, **place)
            break
        except BufferError:
            producer.poll(0.1)


def _flush(producer: Producer) -> None:
    left = producer.flush(60)
    if left:
        raise SystemExit(f"{left} records were not taken by the broker")
