"""A gateway installation for fault tests: topics, contracts, worker processes, and what came out of them."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import fastavro
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, _listoffsets
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from .source import RawSource


class Told(Protocol):
    """What a source says it wrote: raw records, facts by thing, dead letters by thing."""

    rows: int

    @property
    def facts(self) -> Mapping[int, list[tuple[str, int]]]: ...
    @property
    def letters(self) -> Mapping[int, int]: ...


__all__ = ["Gateway", "Installation", "Published", "read_all"]

MAPPINGS = Path(__file__).parent / "mappings"
ROOT = Path(__file__).parents[2]
PARTITIONS = 4
QUICK = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}
"""A killed worker's partitions go to others after six seconds, the least that the broker allows."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record read back: where it stands and its bytes."""

    partition: int
    offset: int
    timestamp: float
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


def read_all(bootstrap: str, topic: str, level: str = "read_committed") -> list[Record]:
    """All records of a topic that a reader of this isolation level sees, partition by partition, to its end."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "fault-tests-reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": level,
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
    )  # fmt: skip
    count = len(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, number, 0) for number in range(count)])
    found: list[Record] = []
    open_ones = set(range(count))
    while open_ones:
        for message in consumer.consume(5000, 0.2):
            error = message.error()
            if error is None:
                headers = {name: value for name, value in message.headers() or () if value is not None}
                place = (message.partition(), message.offset(), message.timestamp()[1] / 1000)
                found.append(Record(*place, message.key(), message.value(), headers))
            elif error.code() == KafkaError._PARTITION_EOF:
                open_ones.discard(message.partition())
    consumer.close()
    return sorted(found, key=lambda one: (one.partition, one.offset))


@dataclass(frozen=True, slots=True)
class Published:
    """A published event, decoded."""

    aggregate: int
    name: str
    amount: int
    id: str
    sequence: str
    timestamp: float


class Gateway:
    """A running ``gateway run``; its log is gathered line by line."""

    def __init__(self, environment: dict[str, str], workers: int) -> None:
        self.log: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli.main", "run", "--workers", str(workers), "--from-beginning"],
            env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._gather, daemon=True)
        self._reader.start()

    def _gather(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.log.append({"event": "text", "text": line.rstrip()})

    def said(self, event: str) -> list[dict[str, Any]]:
        """Log lines of this kind so far."""
        return [line for line in list(self.log) if line.get("event") == event]

    def pids(self) -> dict[int, int]:
        """Process ids of the workers by slot, as last announced and not ended since."""
        found: dict[int, int] = {}
        for line in list(self.log):
            if line.get("event") == "worker started":
                found[line["worker"]] = line["pid"]
            elif line.get("event") == "worker ended":
                found.pop(line["worker"], None)
        return found

    def stop(self, grace: float = 10) -> int:
        """SIGTERM, then wait for its end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def told(self) -> str:
        """The log, for a failing assertion."""
        return "\n".join(json.dumps(line) for line in self.log[-60:])


@dataclass(slots=True)
class Installation:
    """Everything under one prefix on the stack's broker and registry."""

    bootstrap: str
    registry_url: str
    prefix: str
    mappings: Path = MAPPINGS
    raw: str = "thing.raw"
    public: str = "thing.events"
    kafka: dict[str, str] = field(
        default_factory=lambda: {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}
    )
    extra: dict[str, str] = field(default_factory=dict)
    running: list[Gateway] = field(default_factory=list)
    schemas: dict[str, Any] = field(default_factory=dict)
    admin: Any = None

    def __post_init__(self) -> None:
        """A client of its own."""
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def create(self, missing: bool = False) -> None:
        """Topics as `gateway connect apply` makes them; with ``missing`` those that are there already are fine."""
        wanted = [
            NewTopic(self.prefix + self.raw, PARTITIONS, 1),
            NewTopic(f"{self.prefix}{self.raw}.dlq", PARTITIONS, 1),
            NewTopic(self.prefix + self.public, PARTITIONS, 1),
            NewTopic(f"{self.prefix}legacy.transaction", 1, 1),
            NewTopic(f"{self.prefix}gateway.state", 16, 1, config={"cleanup.policy": "compact"}),
        ]
        for future in self.admin.create_topics(wanted).values():
            with suppress(KafkaException) if missing else nullcontext():
                future.result(20)

    def push(self) -> None:
        """Contracts into the registry."""
        client = SchemaRegistryClient({"url": self.registry_url})
        for path in sorted(self.mappings.rglob("events/*.avsc")):
            contract = json.loads(path.read_text())
            full_name = f"{contract['namespace']}.{contract['name']}"
            text = json.dumps(contract, separators=(",", ":"), ensure_ascii=False)
            client.register_schema(f"{self.prefix}{self.public}-{full_name}", Schema(text, "AVRO"))
            self.schemas[full_name] = fastavro.parse_schema(contract)

    def source(self, seed: int, **options: Any) -> RawSource:
        """A new source; the seed is printed so that a failure can be had again."""
        print(f"seed {seed}")
        return RawSource(self.bootstrap, self.prefix, seed, **options)

    def environment(self, **more: str) -> dict[str, str]:
        """For worker processes."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")},
            "GATEWAY_PREFIX": self.prefix,
            "GATEWAY_BOOTSTRAP": self.bootstrap,
            "GATEWAY_REGISTRY_URL": self.registry_url,
            "GATEWAY_MAPPINGS": str(self.mappings),
            "GATEWAY_HTTP_PORT": "0",
            "GATEWAY_KAFKA": json.dumps(self.kafka),
            **self.extra,
            **more,
        }

    def run(self, workers: int = 1, **more: str) -> Gateway:
        """Start ``gateway run``."""
        gateway = Gateway(self.environment(**more), workers)
        self.running.append(gateway)
        return gateway

    def close(self) -> None:
        """Stop what runs."""
        for gateway in self.running:
            if gateway.process.poll() is None:
                gateway.stop()

    # -- what came out ------------------------------------------------------------------------------------------------

    def settled(self) -> int:
        """Raw records settled so far, by the counts committed with the offsets."""
        return sum(counts[0] for counts in self.counts())

    def counts(self) -> list[list[int]]:
        """The committed counters of each partition: consumed, published, ignored, dead-lettered, parked, …"""
        group = f"{self.prefix}gateway"
        try:
            answer = self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(5)
        except (KafkaException, TimeoutError):
            self.admin = AdminClient(
                {"bootstrap.servers": self.bootstrap, "log_level": 0}
            )  # an old one never finds a restarted broker
            return []
        return [json.loads(one.metadata[1:])["s"] for one in answer.topic_partitions if one.metadata]

    def wait_until_settled(self, source: Told, seconds: float = 90) -> None:
        """Until every row the source wrote has its outcome."""

        def done() -> bool:
            return self.settled() >= source.rows

        self.wait(done, seconds, lambda: f"{self.settled()} of {source.rows} rows are settled")

    def ends(self, level: IsolationLevel = IsolationLevel.READ_COMMITTED) -> int:
        """Records and markers in the raw topic that a reader of this level can reach, counted fast."""
        places = [TopicPartition(self.prefix + self.raw, number) for number in range(PARTITIONS)]
        latest = _listoffsets.OffsetSpec.latest()
        answers = self.admin.list_offsets(dict.fromkeys(places, latest), isolation_level=level)
        return sum(answer.result(10).offset for answer in answers.values())

    def wait(
        self,
        done: Callable[[], bool],
        seconds: float,
        told: Callable[[], str] = lambda: "",
        look_every: float = 0.1,
    ) -> None:
        """Until ``done``; the workers' logs are shown if that takes too long."""
        until = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < until, f"{told()}\n" + "\n".join(one.told() for one in self.running)
            time.sleep(look_every)

    def published(self) -> list[Published]:
        """All events, in the topic's order within each partition."""
        found = []
        for record in read_all(self.bootstrap, self.prefix + self.public):
            assert record.value is not None and record.key is not None
            name = record.headers["ce_type"].decode()
            data: Any = fastavro.schemaless_reader(io.BytesIO(record.value[5:]), self.schemas[name], None)
            assert str(data["thingId"]) == record.key.decode()
            identity = (record.headers["ce_id"].decode(), record.headers["ce_sequence"].decode())
            short = name.rsplit(".", 1)[1]
            found.append(Published(data["thingId"], short, data["amount"], *identity, record.timestamp))
        return found

    def check(self, source: Told) -> list[Published]:
        """0 missing, 0 extra, 0 reordered; ids unique, sequences growing, counts adding up, letters complete."""
        events = self.published()
        by_thing: dict[int, list[Published]] = defaultdict(list)
        for event in events:
            by_thing[event.aggregate].append(event)
        missing: Counter[Any] = Counter()
        extra: Counter[Any] = Counter()
        reordered = 0
        for thing in sorted(set(source.facts) | set(by_thing)):
            expected = [(thing, *fact) for fact in source.facts.get(thing, [])]
            got = [(thing, event.name, event.amount) for event in by_thing[thing]]
            missing += Counter(expected) - Counter(got)
            extra += Counter(got) - Counter(expected)
            reordered += Counter(got) == Counter(expected) and got != expected
            sequences = [event.sequence for event in by_thing[thing]]
            reordered += sequences != sorted(sequences)
        print(f"{source.rows} rows, {len(events)} events: missing {missing.total()} extra {extra.total()} {reordered=}")
        assert (missing, extra, reordered) == (Counter(), Counter(), 0)
        assert len({event.id for event in events}) == len(events)
        self._check_counts(source, len(events))
        return events

    def _check_counts(self, source: Told, events: int) -> None:
        totals = [sum(column) for column in zip(*self.counts(), strict=True)]
        consumed, published, ignored, dead, parked, told_events = totals[:6]
        assert consumed == source.rows == published + ignored + dead + parked
        assert told_events == events
        letters = Counter(
            json.loads(one.key or b"{}")["thingId"] for one in read_all(self.bootstrap, f"{self.prefix}{self.raw}.dlq")
        )
        assert letters == Counter({thing: count for thing, count in source.letters.items() if count})
        assert letters.total() == dead + parked
