"""A consuming service: reads every event as it is published, read-committed, with the registry's own deserializer."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from demo.stage import QUIET

__all__ = ["Audience", "Heard"]


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as a consumer sees it; ``seconds`` from the source's commit to its arrival here."""

    event: str
    intent: str
    aggregate_id: str
    topic: str
    partition: int
    offset: int
    tx_id: int | None
    ce_id: str
    sequence: str
    rule: str
    data: Mapping[str, Any]
    seconds: float


class Audience:
    """Reads ``topics`` from their beginning on its own thread until ``close``; ``heard`` grows in order of arrival."""

    def __init__(self, bootstrap: str, registry_url: str, topics: Sequence[str]) -> None:
        self.heard: list[Heard] = []
        self.by_event: Counter[tuple[str, str]] = Counter()
        self.failure: BaseException | None = None
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "demo-audience",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
                **QUIET,
            }
        )
        registry = SchemaRegistryClient({"url": registry_url})
        # without a strategy the client asks the registry about each topic first, for nothing we need
        self._decode = AvroDeserializer(registry, conf={"subject.name.strategy.type": "TOPIC_RECORD"})
        known = self._consumer.list_topics(timeout=10).topics
        places = [TopicPartition(topic, number, 0) for topic in topics for number in known[topic].partitions]
        self._consumer.assign(places)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="audience", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            while not self._over.is_set():
                for record in self._consumer.consume(500, 0.05):
                    self._take(record)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self._consumer.close()

    def _take(self, record: Message) -> None:
        problem = record.error()
        if problem is not None:
            if problem.code() == KafkaError._PARTITION_EOF or problem.retriable():
                return
            raise RuntimeError(str(problem))
        topic, partition, offset = record.topic(), record.partition(), record.offset()
        assert topic is not None and partition is not None and offset is not None, "a delivered record has a place"
        headers = {name: bytes(value or b"").decode() for name, value in _headers(record)}
        lineage = dict(part.split("=", 1) for part in headers["lineage"].split(","))
        data = self._decode(record.value(), SerializationContext(topic, MessageField.VALUE))
        committed = dt.datetime.fromisoformat(headers["ce_time"]).timestamp()
        event = headers["ce_type"].rsplit(".", 1)[1]
        self.by_event[event, lineage["intent"]] += 1
        self.heard.append(
            Heard(
                event,
                lineage["intent"],
                headers["ce_subject"],
                topic,
                partition,
                offset,
                int(lineage["tx"]) if "tx" in lineage else None,
                headers["ce_id"],
                headers["ce_sequence"],
                lineage["rule"],
                plain(data),
                time.time() - committed,
            )
        )

    def close(self) -> None:
        """Stop listening; raises what the listening thread failed with."""
        self._over.set()
        self._thread.join(30)
        if self._thread.is_alive():
            raise RuntimeError("the demo's consumer hangs in a call")
        if self.failure is not None:
            raise RuntimeError("the demo's consumer failed") from self.failure


def _headers(record: Message) -> list[tuple[str, bytes]]:
    return cast("list[tuple[str, bytes]]", record.headers() or [])


def plain(value: Any) -> Any:
    """Avro values as JSON has them: dates and times in ISO form, decimals as text, records and arrays in depth."""
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
