"""A consumer as another team would write it: only the registry's own deserialiser and the CloudEvents SDK.

It knows the *previous* version of each contract and reads events that were written under the current one. Nothing of
the gateway is imported. Prints one JSON line an event, in the order of each partition.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from cloudevents.core.base import BaseCloudEvent, EventFactory
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.base import Format
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

NOT_STRUCTURED = "events travel in the binary mode only"


class AvroData(Format):
    """The SDK's format for binary-mode payloads of one topic: Avro, read under the schema of the previous version."""

    def __init__(self, topic: str, deserializers: dict[str, AvroDeserializer]) -> None:
        self._context = SerializationContext(topic, MessageField.VALUE)
        self._deserializers = deserializers
        self.event_type = ""

    def read_data(self, body: bytes, datacontenttype: str | None) -> dict[str, Any]:
        """The payload; ValueError if it is no Avro or its type has no known contract."""
        if datacontenttype != "application/avro":
            raise ValueError(f"content type {datacontenttype}, expected application/avro")
        if self.event_type not in self._deserializers:
            raise ValueError(f"no contract known for {self.event_type}")
        found = self._deserializers[self.event_type](body, self._context)
        assert isinstance(found, dict)
        return found

    def write_data(self, data: Any, datacontenttype: str | None) -> bytes:
        raise NotImplementedError("this is a reader")

    def read(self, event_factory: EventFactory | None, data: str | bytes) -> BaseCloudEvent:
        raise NotImplementedError(NOT_STRUCTURED)

    def write(self, event: BaseCloudEvent) -> bytes:
        raise NotImplementedError(NOT_STRUCTURED)

    def get_content_type(self) -> str:
        raise NotImplementedError(NOT_STRUCTURED)


def previous_contracts(folders: list[Path]) -> dict[str, str]:
    """Schema text by full record name: of each contract the latest earlier version (``<Event>.v<N>.<minor>.avsc``)."""
    found: dict[str, str] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.avsc"), key=lambda one: int(one.name.split(".")[-2])):
            schema = json.loads(path.read_text())
            found[f"{schema['namespace']}.{schema['name']}"] = path.read_text()
    return found


def messages(bootstrap: str, topics: list[str]) -> Iterator[Message]:
    """Every committed record of ``topics`` that was there at the start, a partition after another's pace."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "third-party-reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    shapes = consumer.list_topics(timeout=10).topics
    missing = [topic for topic in topics if topic not in shapes or shapes[topic].error is not None]
    if missing:
        raise SystemExit(f"no such topics: {', '.join(missing)}")
    places = [TopicPartition(topic, number, 0) for topic in topics for number in shapes[topic].partitions]
    consumer.assign(places)
    open_places = {(place.topic, place.partition) for place in places}
    while open_places:
        for message in consumer.consume(500, 1):
            if message.error() is None:
                yield message
            elif message.error().code() == KafkaError._PARTITION_EOF:
                open_places.discard((message.topic(), message.partition()))
            else:
                raise SystemExit(f"reading {message.topic()}: {message.error()}")
    consumer.close()


def line(message: Message, formats: dict[str, AvroData]) -> dict[str, Any]:
    """What one event says: place, CloudEvents attributes, payload; ``lineage`` is the plain header of that name."""
    headers = dict(message.headers() or [])
    reader = formats[message.topic()]
    reader.event_type = headers["ce_type"].decode()
    event = from_binary(KafkaMessage(headers, message.key(), message.value()), reader, CloudEvent)
    return {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "attributes": event.get_attributes(),
        "lineage": headers.get("lineage", b"").decode(),
        "data": event.get_data(),
    }


def as_text(value: object) -> str:
    """JSON for what Avro's logical types give: decimals and times as text, bytes in base64."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"cannot be shown as JSON: {type(value).__name__}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--bootstrap", required=True)
    arguments.add_argument("--registry", required=True)
    arguments.add_argument("--contracts", type=Path, nargs="+", required=True, help="folders of earlier contracts")
    arguments.add_argument("--topics", nargs="+", required=True)
    given = arguments.parse_args()
    registry = SchemaRegistryClient({"url": given.registry})
    deserializers = {
        name: AvroDeserializer(registry, text, conf={"subject.name.strategy.type": "TOPIC_RECORD"})
        for name, text in previous_contracts(given.contracts).items()
    }
    formats = {topic: AvroData(topic, deserializers) for topic in given.topics}
    for message in messages(given.bootstrap, given.topics):
        json.dump(line(message, formats), sys.stdout, default=as_text)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
