"""On the real broker and registry: values from compacted topics, a key that comes late, two versions side by side."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from typer.testing import CliRunner

from gateway.adapters.kafka_cluster import KafkaCluster
from gateway.adapters.registry import ConfluentRegistry, unframe
from gateway.authoring.forge import Forge, Position
from gateway.cli.diff import app as diff
from gateway.mapping.loader import load
from gateway.model.record import RawRecord
from gateway.services.recording import raw_records, spans
from gateway.services.schemas import contracts_of, push
from gateway.services.topics import create_topics
from gateway.services.worker import Worker
from gateway.settings import Settings
from gateway.stack import Stack
from gateway.telemetry.signals import DependencyAway, PartitionStopped, Signal
from gateway.wiring import wire_log, wire_topics, wire_worker

pytestmark = pytest.mark.stack
MAPPINGS = Path(__file__).parents[1] / "golden/lookups/mappings"
KEYS = 400


class Kept(list[Signal]):
    """Keeps what was emitted."""

    def emit(self, signal: Signal) -> None:
        self.append(signal)


class World:
    """An installation of its own: topics, registered contracts, reference data, a worker."""

    def __init__(self, stack: Stack, prefix: str) -> None:
        ends = stack.endpoints
        self.settings = Settings(
            prefix=prefix, bootstrap=ends.bootstrap, registry_url=ends.registry_url, mappings=MAPPINGS
        )
        self.registry = ConfluentRegistry(ends.registry_url)
        mappings = load(MAPPINGS)
        create_topics(wire_topics(self.settings), self.settings, mappings)
        admin = AdminClient({"bootstrap.servers": ends.bootstrap, "log_level": 0})
        compact = {"cleanup.policy": "compact"}
        names = ("ref.branch", "ref.currency")
        topics = [NewTopic(self.settings.topic(name), 2, 1, config=compact) for name in names]
        for future in admin.create_topics(topics).values():
            future.result(30)
        push(self.registry, contracts_of(mappings, self.settings.topic, MAPPINGS))
        self.producer = Producer(
            {"bootstrap.servers": ends.bootstrap, "transactional.id": f"{prefix}test", "linger.ms": 5, "log_level": 0}
        )
        self.producer.init_transactions(30)
        self.signals = Kept()
        self.tx = 10

    def worker(self) -> Worker:
        """A started worker."""
        worker = wire_worker(self.settings, 1, self.signals, lambda: False, fresh=True)
        worker.start()
        return worker

    def write(self, *records: tuple[str, bytes, bytes | None, int | None]) -> None:
        """One Kafka transaction of (topic, key, value, partition)."""
        self.producer.begin_transaction()
        for topic, key, value, partition in records:
            where = {} if partition is None else {"partition": partition}
            self.producer.produce(self.settings.topic(topic), value, key, **where)
        self.producer.commit_transaction(30)

    def open(self, partition: int, account: int, branch: str | None, currency: str | None) -> None:
        """One database transaction that opens an account, and its END."""
        self.tx += 1
        lsn = self.tx * 100
        position = Position(self.tx, lsn - 50, lsn, int(time.time() * 1000))
        forge = Forge("account.raw", source_name=self.settings.topic("legacy"))
        row = {"id": account, "br": branch, "cur": currency}
        record = forge.change((partition, 0), {"accountId": account}, "bank.acct", "c", None, row, position)
        end = {"status": "END", "id": f"{self.tx}:{lsn}", "ts_ms": position.ts_ms, "event_count": 1}
        self.write(
            ("account.raw", record.key or b"", record.value, partition),
            ("legacy.transaction", b"{}", json.dumps(end).encode(), None),
        )

    def read(self, topic: str) -> list[RawRecord]:
        """What a read_committed reader of a topic gets now."""
        cluster = KafkaCluster(self.settings.bootstrap, self.settings.kafka)
        reader = wire_log(self.settings, "test-reader")
        try:
            return list(raw_records(reader, spans(cluster, [self.settings.topic(topic)])))
        finally:
            reader.close()
            cluster.close()

    def events(self) -> list[tuple[dict[str, str], Any]]:
        """Headers and payload of each event, decoded by the schema that its value names."""
        found = []
        for record in self.read("account.events"):
            schema_id, body = unframe(record.value or b"")
            schema = fastavro.parse_schema(dict(self.registry.schema(schema_id)))
            headers = {name: (value or b"").decode() for name, value in record.headers}
            found.append((headers, fastavro.schemaless_reader(io.BytesIO(body), schema, None)))
        return found

    def work(self, worker: Worker, until: Callable[[], bool]) -> None:
        """Turns until something holds; asked every 20 turns."""
        deadline = time.monotonic() + 60
        while True:
            for _ in range(20):
                worker.turn()
            if until():
                return
            stopped = [one for one in self.signals if isinstance(one, PartitionStopped)]
            assert not stopped and time.monotonic() < deadline, stopped or "nothing came"


@pytest.fixture
def world(stack: Stack, prefix: str) -> Iterator[World]:
    one = World(stack, prefix)
    yield one
    one.producer.flush(5)


def test_values_of_compacted_topics_a_late_key_and_two_versions_on_the_real_broker(world: World) -> None:
    world.write(
        *(("ref.branch", f"B{n}".encode(), json.dumps({"name": f"Branch {n}"}).encode(), None) for n in range(KEYS)),
        ("ref.currency", b"CHF", b"franc", None),
        ("ref.currency", b"CHF", b"Swiss franc", None),
    )
    world.open(0, 1, f"B{KEYS - 1}", "CHF")
    world.open(1, 2, "LATE", "CHF")
    world.open(1, 3, None, "CHF")
    worker = world.worker()
    try:
        waiting = lambda: any(isinstance(one, DependencyAway) for one in world.signals)  # noqa: E731
        world.work(worker, lambda: waiting() and len(world.events()) == 2)
        assert {payload["accountId"] for _, payload in world.events()} == {1}
        world.write(("ref.branch", b"LATE", b'{"name": "Late"}', None))
        world.work(worker, lambda: len(world.events()) == 6)
    finally:
        worker.close()
    assert world.read("account.raw.dlq") == []
    told = {(headers["ce_type"].split(".")[2], payload["accountId"]): payload for headers, payload in world.events()}
    assert told["v2", 1] == {"accountId": 1, "branch": f"Branch {KEYS - 1}", "currency": "Swiss franc"}
    assert told["v1", 1] == {"accountId": 1, "office": f"Branch {KEYS - 1}"}
    assert (told["v2", 2]["branch"], told["v2", 3]["branch"]) == ("Late", None)
    by_account: dict[int, list[dict[str, str]]] = {}
    for headers, payload in world.events():
        by_account.setdefault(payload["accountId"], []).append(headers)
    for headers in by_account.values():
        assert len({one["ce_id"] for one in headers}) == 2
        assert len({one["ce_sequence"] for one in headers}) == 1
    assert f"lookup=branch/LATE/name:Late@{world.settings.prefix}ref.branch/" in by_account[2][0]["lineage"]


def test_what_the_registry_keeps_of_an_older_version_says_that_it_ends(world: World) -> None:
    subject = world.settings.topic("account.events") + "-bank.account.v{}.Opened"
    older = world.registry.versions(subject.format(1))
    assert [(one["deprecated"], one["sunset"]) for one in older.values()] == [(True, "2027-06-30")]
    assert ["deprecated" in one for one in world.registry.versions(subject.format(2)).values()] == [False]


def test_diff_over_live_topics_reads_the_reference_topics_beside_them(world: World, tmp_path: Path) -> None:
    world.write(
        *(
            ("ref.branch", key, json.dumps({"name": "Bern", "city": "Capital"}).encode(), None)
            for key in (b"B1", b"B2")
        ),
        ("ref.currency", b"CHF", b"Swiss franc", None),
    )
    world.open(0, 1, "B1", "CHF")
    world.open(1, 2, "B2", "CHF")
    edited = shutil.copytree(MAPPINGS, tmp_path / "edited")
    file = edited / "account" / "account.yaml"
    file.write_text(file.read_text().replace("lookup('branch', 'name')", "lookup('branch', 'city')"))
    given = world.settings
    environment = {
        "GATEWAY_PREFIX": given.prefix,
        "GATEWAY_BOOTSTRAP": given.bootstrap,
        "GATEWAY_MAPPINGS": str(MAPPINGS),
    }
    words = [str(MAPPINGS), str(edited), "--live", "--last", "10", "-o", "json"]
    done = CliRunner().invoke(diff, words, env=environment)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["summary"]["events_old"], report["summary"]["changed"], report["letters"]) == (4, 4, [])
