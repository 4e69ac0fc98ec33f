"""Accounts whose events name a branch by lookup: raw and reference topics in memory, and the real worker."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fastavro

from gateway.adapters.log_readers import MarkerTopic, StateTopic
from gateway.adapters.memory import MemoryBroker, MemoryCluster, MemoryLog, MemorySink
from gateway.adapters.memory_source import MemoryGroup, MemorySource
from gateway.authoring.forge import Forge, Position
from gateway.mapping.loader import load
from gateway.model.record import RawRecord
from gateway.ports import Partition
from gateway.services.worker import Worker
from gateway.services.worker_plan import Outside
from gateway.settings import Settings
from gateway.wiring import plan_worker

from .memory_world import Signals, SteppedClock

MAPPINGS = load(Path(__file__).parents[2] / "golden/lookups/mappings")


class LookupWorld:
    """Two raw partitions, two partitions of branches, one of currencies."""

    prefix = "m."

    def __init__(self) -> None:
        self.mappings = MAPPINGS
        self.broker = MemoryBroker()
        for topic, partitions in (
            ("account.raw", 2),
            ("account.raw.dlq", 2),
            ("account.events", 2),
            ("ref.branch", 2),
            ("ref.currency", 1),
            ("legacy.transaction", 1),
            ("gateway.state", 16),
        ):
            self.broker.create(self.prefix + topic, partitions)
        self.group = MemoryGroup(self.broker, f"{self.prefix}gateway")
        self.clock = SteppedClock()
        self.signals = Signals()
        self.tx = 10
        self.kinds = {kind.full_name: kind for mapping in self.mappings for kind in mapping.contracts}

    def worker(self, slot: int = 1, **settings: Any) -> tuple[Worker, MemorySource]:
        """A started worker, and its membership in the group."""
        chosen = Settings(prefix=self.prefix, **settings)
        ids = {name: number for number, name in enumerate(sorted(self.kinds), 1)}
        plan = plan_worker(chosen, self.mappings, ids, slot, fresh=True)
        member = MemorySource(self.group)
        cluster = MemoryCluster(self.broker)
        outside = Outside(
            member,
            MemorySink(self.broker, plan.transactional_id),
            cluster,
            StateTopic(MemoryLog(self.broker), plan.state_topic),
            MarkerTopic(MemoryLog(self.broker), cluster, f"{self.prefix}legacy.transaction"),
            self.clock,
            self.signals,
            MemoryLog(self.broker),
        )
        worker = Worker(plan, outside)
        worker.start()
        return worker, member

    def say(self, topic: str, key: str, value: object, partition: int = 0) -> None:
        """A reference record; ``value`` None deletes."""
        raw = None if value is None else value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.broker.append(Partition(self.prefix + topic, partition), key.encode(), raw)

    def open(self, partition: int, account: int, branch: str | None, currency: str | None = None) -> None:
        """One transaction that opens an account, and its END."""
        self.tx += 1
        lsn = self.tx * 100
        row = {"id": account, "br": branch, "cur": currency}
        position = Position(self.tx, lsn - 50, lsn, 1_790_000_000_000 + self.tx)
        place = Partition(f"{self.prefix}account.raw", partition)
        forge = Forge(place.topic, source_name=f"{self.prefix}legacy")
        record = forge.change((partition, 0), {"accountId": account}, "bank.acct", "c", None, row, position)
        self.broker.append(place, record.key, record.value, record.headers, record.timestamp_ms)
        end = {"status": "END", "id": f"{self.tx}:{lsn}", "ts_ms": position.ts_ms, "event_count": 1}
        self.broker.append(Partition(f"{self.prefix}legacy.transaction", 0), b"{}", json.dumps(end).encode())

    def turns(self, *workers: Worker, most: int = 60, seconds: float = 0.05) -> None:
        """So many turns of each, and time that passes."""
        for _ in range(most):
            for worker in workers:
                worker.turn()
            self.clock.seconds += seconds

    # -- what came out ------------------------------------------------------------------------------------------------

    def records(self, topic: str) -> list[RawRecord]:
        """What a read_committed reader of a topic gets."""
        places = sorted(one for one in self.broker.logs if one.topic == self.prefix + topic)
        return [record for place in places for record in self.broker.readable(place, 0, 10_000)[0]]

    def events(self, version: int = 2) -> dict[int, dict[str, Any]]:
        """Payloads by account; each account has one event of that version."""
        found: dict[int, dict[str, Any]] = {}
        for record in self.records("account.events"):
            kind = self.kinds[(dict(record.headers)["ce_type"] or b"").decode()]
            schema = fastavro.parse_schema(dict(kind.schema))
            payload: Any = fastavro.schemaless_reader(io.BytesIO((record.value or b"")[5:]), schema, None)
            if kind.version == version:
                assert payload["accountId"] not in found
                found[payload["accountId"]] = payload
        return found

    def lineages(self) -> list[str]:
        """The lineage of each event."""
        return [(dict(record.headers)["lineage"] or b"").decode() for record in self.records("account.events")]

    def letters(self) -> list[tuple[str, str]]:
        """Class and key of each dead letter."""
        headers: list[Mapping[str, bytes | None]] = [dict(record.headers) for record in self.records("account.raw.dlq")]
        keys = [json.loads(record.key or b"{}")["accountId"] for record in self.records("account.raw.dlq")]
        return [((one["gateway.class"] or b"").decode(), key) for one, key in zip(headers, keys, strict=True)]

    def counts(self) -> list[int]:
        """The committed counters of all partitions together."""
        each = [json.loads(at.metadata[1:])["s"] for at in self.broker.committed.values()]
        return [sum(column) for column in zip(*each, strict=True)]
