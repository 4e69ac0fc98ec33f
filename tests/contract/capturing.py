"""One capture of its own for each test: a schema, an installation prefix, a connector, and what arrives of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from confluent_kafka import Consumer, TopicPartition

from gateway.mapping.compiled import CompiledMapping
from gateway.model.record import RawRecord
from gateway.services.capture import Capture
from gateway.settings import Settings
from gateway.stack import Stack
from gateway.wiring import wire_capture
from tests.unit.capture.samples import CREATE, insurer

CONNECT = Path(__file__).parents[2] / "connect"


def installation(stack: Stack, prefix: str, **more: Any) -> Settings:
    """Settings of one installation on the shared stack."""
    at = stack.endpoints
    known = {"bootstrap": at.bootstrap, "connect_url": at.connect_url, "registry_url": at.registry_url}
    return Settings(prefix=prefix, legacy_dsn=at.postgres_dsn, connect=CONNECT, **{**known, **more})


@dataclass
class Captured:
    """A running capture of the sample insurer's tables in the schema ``schema``."""

    settings: Settings
    mappings: Sequence[CompiledMapping]
    capture: Capture
    schema: str
    seen: dict[str, list[RawRecord]] = field(default_factory=dict)

    @contextmanager
    def database(self, dsn: str = "") -> Iterator[psycopg.Connection[Any]]:
        """A connection that commits each statement, unless a transaction is opened."""
        with psycopg.connect(dsn or self.settings.legacy_dsn, autocommit=True) as connection:
            connection.execute(f"SET search_path TO {self.schema}".encode())
            yield connection

    def records(self, topic: str) -> list[RawRecord]:
        """All committed records of a topic (without the prefix) up to its end, in partition order."""
        full = self.settings.topic(topic)
        settings = {"bootstrap.servers": self.settings.bootstrap, "group.id": "unused", "enable.partition.eof": True}
        consumer = Consumer({**settings, "isolation.level": "read_committed", "enable.auto.commit": False})
        try:
            numbers = consumer.list_topics(full, timeout=10).topics[full].partitions
            consumer.assign([TopicPartition(full, number, 0) for number in numbers])
            return _read(consumer, len(numbers))
        finally:
            consumer.close()

    def streamed(self, topic: str) -> list[RawRecord]:
        """As ``records``, without what the snapshot read."""
        return [record for record in self.records(topic) if (value(record) or {}).get("op") != "r"]

    def until(self, topic: str, fits: Callable[[list[RawRecord]], bool], seconds: float = 30.0) -> list[RawRecord]:
        """The topic's streamed records as soon as they fit."""
        end = time.monotonic() + seconds
        while not fits(found := self.streamed(topic)):
            if time.monotonic() > end:
                raise AssertionError(f"only {len(found)} records: {found[-3:]} {self.capture.status()}")
            time.sleep(0.1)
        return found


def _read(consumer: Consumer, partitions: int) -> list[RawRecord]:
    records, finished = [], set()
    while len(finished) < partitions:
        for one in consumer.consume(500, 0.5):
            if one.error():
                finished.add(one.partition())
            else:
                place = (one.topic(), one.partition(), one.offset(), one.timestamp()[1])
                records.append(RawRecord(*place, one.key(), one.value(), tuple(one.headers() or ())))
    return sorted(records, key=lambda record: (record.partition, record.offset))


def value(record: RawRecord) -> Any:
    """The record's value as JSON, None for a tombstone."""
    return None if record.value is None else json.loads(record.value)


@contextmanager
def captured(stack: Stack, prefix: str, rows: Sequence[str] = ()) -> Iterator[Captured]:
    """Tables, ``rows`` in them, and a connector that has snapshotted them; everything gone afterwards."""
    settings, schema = installation(stack, prefix), f"s_{prefix.strip('.')}"
    mappings = insurer(schema)
    found = Captured(settings, mappings, wire_capture(settings, mappings), schema)
    with psycopg.connect(settings.legacy_dsn, autocommit=True) as connection:
        connection.execute(CREATE.format(schema=schema).encode())
    with found.database() as connection:
        for row in rows:
            connection.execute(row.encode())
    try:
        found.capture.apply(found.capture.pending(settings, mappings))
        found.capture.wait_for_snapshot(60)
        yield found
    finally:
        _clean(found)


def _clean(found: Captured) -> None:
    found.capture.delete(forget=True)
    plan = found.capture.plan
    with psycopg.connect(found.settings.legacy_dsn, autocommit=True) as connection:
        connection.execute(f'DROP PUBLICATION IF EXISTS "{plan.publication}"'.encode())
        connection.execute(f"DROP SCHEMA {found.schema} CASCADE".encode())
        connection.execute(f'DROP OWNED BY "{plan.role}"; DROP ROLE "{plan.role}"'.encode())
