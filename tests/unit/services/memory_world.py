"""An installation in memory: the real worker over memory adapters that fail, crash and hesitate where a seed says."""

from __future__ import annotations

import io
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastavro

from gateway.adapters.log_readers import MarkerTopic, StateTopic
from gateway.adapters.memory import MemoryBroker, MemoryCluster, MemoryLog, MemorySink
from gateway.adapters.memory_source import MemoryGroup, MemorySource
from gateway.adapters.memory_spill import MemoryDisk
from gateway.bridge.commands import Command
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.pipeline.avro_in import SchemaById
from gateway.ports import Batch, Committed, InDoubt, Membership, MustAbort, Partition
from gateway.services.rule_versions import RuleVersion
from gateway.services.worker import Worker
from gateway.services.worker_plan import Outside, RawTopic
from gateway.settings import Settings
from gateway.telemetry.signals import PartitionStopped, Signal
from gateway.wiring import plan_worker
from tests.faults.large import LargeTransactions

MAPPINGS = Path(__file__).parents[2] / "faults" / "mappings"
COMPILED = load(MAPPINGS)
NAMES = sorted(event.full_name for mapping in COMPILED for event in mapping.events.values())
IDS = {name: number for number, name in enumerate(NAMES, 1)}
SCHEMAS = {
    event.full_name: fastavro.parse_schema(dict(event.schema))
    for mapping in COMPILED
    for event in mapping.events.values()
}
PREFIX = "m."
PARTITIONS = 3


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


class SteppedClock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_100.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


class Signals(list[Signal]):
    """Keeps what was emitted."""

    def emit(self, signal: Signal) -> None:
        self.append(signal)

    def stopped(self) -> list[str]:
        return [one.error for one in self if isinstance(one, PartitionStopped)]


class FaultySink(MemorySink):
    """A sink whose calls fail or kill as often as ``odds`` says, before or after they took effect."""

    def __init__(self, broker: MemoryBroker, transactional_id: str, chance: random.Random, odds: float) -> None:
        super().__init__(broker, transactional_id)
        self._chance = chance
        self.odds = odds
        self.struck: Counter[str] = Counter()

    def _strike(self, where: str) -> str | None:
        if self._chance.random() >= self.odds:
            return None
        kind = self._chance.choice(["abort", "doubt", "kill"])
        self.struck[f"{kind} {where}"] += 1
        if kind == "kill":
            raise Killed(where)
        return kind

    def send(self, *arguments: Any, **more: Any) -> None:
        if self._chance.random() < 0.02 and self._strike("in send") is not None:
            raise MustAbort("planted")
        super().send(*arguments, **more)

    def commit(
        self, offsets: Mapping[Partition, Committed], membership: Membership | None, deadline: float | None = None
    ) -> None:
        before = self._strike("before commit")
        if before == "abort":
            raise MustAbort("planted")
        if before == "doubt":
            raise InDoubt("planted: not committed")
        if offsets and self._chance.random() < self.odds:
            self.stage(offsets, membership)
            self.struck["kill between offsets and commit"] += 1
            raise Killed("between offsets and commit")
        super().commit(offsets, membership, deadline)
        if self._strike("after commit") is not None:
            raise InDoubt("planted: committed")


class HesitantSource(MemorySource):
    """A member that is given few records at a time, so that ENDs are often read before the rows they end."""

    chance: random.Random

    def take(self, limit: int, wait: float) -> Batch:
        return super().take(self.chance.choice([0, 1, 3, 7, 40]), wait)


class MemoryRawSource(LargeTransactions):
    """Writes into the memory broker."""

    broker: MemoryBroker

    def _open_producer(self) -> Any:
        return None

    def _send(self, records: list[tuple[str, bytes | None, bytes | None]]) -> None:
        sink = MemorySink(self.broker, "connect")
        sink.reopen()
        sink.begin()
        for topic, key, value in records:
            sink.send(topic, key, value, timestamp_ms=self.ts_ms)
        sink.commit({}, None)


_MAP = {"type": "map", "values": ["null", "string", "long"]}
ENVELOPE: Any = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Envelope",
        "fields": [
            {"name": "before", "type": ["null", _MAP]},
            {"name": "after", "type": ["null", _MAP]},
            {"name": "source", "type": _MAP},
            {"name": "transaction", "type": ["null", _MAP]},
            {"name": "op", "type": "string"},
            {"name": "ts_ms", "type": "long"},
        ],
    }
)


class AvroRawSource(MemoryRawSource):
    """The same records, in Avro as Confluent's converter frames it, under schema 77."""

    def _record(self, *arguments: Any, **more: Any) -> tuple[str, bytes | None, bytes | None]:
        topic, key, value = super()._record(*arguments, **more)
        body = io.BytesIO()
        body.write(b"\x00" + (77).to_bytes(4, "big"))
        fastavro.schemaless_writer(body, ENVELOPE, json.loads(value or b""))
        return topic, key, body.getvalue()


class MemoryInstallation:
    """Topics, a source, workers that come and go."""

    kind: type[MemoryRawSource] = MemoryRawSource

    def __init__(self, seed: int, odds: float = 0.0, poison: frozenset[int] = frozenset(), things: int = 25) -> None:
        self.broker = MemoryBroker()
        for topic, partitions in (
            ("thing.raw", PARTITIONS),
            ("thing.raw.dlq", PARTITIONS),
            ("thing.events", 4),
            ("legacy.transaction", 1),
            ("gateway.state", 16),
            ("gateway.control", 1),
        ):
            self.broker.create(PREFIX + topic, partitions)
        self.disk = MemoryDisk(1 << 40)
        self.group = MemoryGroup(self.broker, PREFIX + "gateway")
        self.clock = SteppedClock()
        self.chance = random.Random(seed)
        self.odds = odds
        self.source = self._source(seed, poison, things)
        self.signals = Signals()
        self.sinks: list[FaultySink] = []
        self.folder: RuleVersion | None = None
        self.rules: Callable[[Command], Mapping[str, RawTopic]] | None = None

    def _source(self, seed: int, poison: frozenset[int], things: int) -> MemoryRawSource:
        source = self.kind("", PREFIX, seed, things, poison)
        source.broker = self.broker
        return source

    def worker(
        self,
        slot: int = 1,
        fresh: bool = True,
        avro: SchemaById | None = None,
        mappings: Sequence[CompiledMapping] = COMPILED,
        **settings: Any,
    ) -> tuple[Worker, MemorySource]:
        """A started worker, and its membership in the group."""
        chosen = Settings(prefix=PREFIX, mappings=MAPPINGS, **settings)
        plan = plan_worker(chosen, mappings, IDS, slot, fresh=fresh, avro=avro, spill=self.disk.file)
        plan = replace(plan, folder=self.folder)
        sink = FaultySink(self.broker, plan.transactional_id, self.chance, self.odds)
        self.sinks.append(sink)
        member = HesitantSource(self.group)
        member.chance = self.chance
        cluster = MemoryCluster(self.broker)
        outside = Outside(
            member,
            sink,
            cluster,
            StateTopic(MemoryLog(self.broker), plan.state_topic),
            MarkerTopic(MemoryLog(self.broker), cluster, f"{PREFIX}legacy.transaction"),
            self.clock,
            self.signals,
            control=MemoryLog(self.broker),
            rules=self.rules,
        )
        worker = Worker(plan, outside)
        worker.start()
        return worker, member

    # -- what came out ------------------------------------------------------------------------------------------------

    def settled(self) -> int:
        """Raw records settled, by the committed counters."""
        return sum(counts[0] for counts in self.counts())

    def counts(self) -> list[list[int]]:
        """The committed counters of each partition."""
        return [json.loads(at.metadata[1:])["s"] for at in self.broker.committed.values()]

    def events(self) -> dict[int, list[tuple[str, int]]]:
        """Published facts by thing, in order; ids are unique and sequences grow."""
        found: dict[int, list[tuple[str, int]]] = defaultdict(list)
        ids: list[bytes] = []
        for place in sorted(one for one in self.broker.logs if one.topic == f"{PREFIX}thing.events"):
            sequences: dict[int, bytes] = {}
            for record in self.broker.readable(place, 0, 1_000_000)[0]:
                headers = dict(record.headers)
                name = (headers["ce_type"] or b"").decode()
                body = io.BytesIO((record.value or b"")[5:])
                data: Any = fastavro.schemaless_reader(body, SCHEMAS[name], None)
                sequence = headers["ce_sequence"] or b""
                assert sequence >= sequences.get(data["thingId"], b"")
                sequences[data["thingId"]] = sequence
                ids.append(headers["ce_id"] or b"")
                found[data["thingId"]].append((name.rpartition(".")[2], data["amount"]))
        assert len(set(ids)) == len(ids)
        return found

    def letters(self) -> Counter[int]:
        """Dead letters by thing."""
        places = [one for one in self.broker.logs if one.topic == f"{PREFIX}thing.raw.dlq"]
        records = [record for place in places for record in self.broker.readable(place, 0, 1_000_000)[0]]
        return Counter(json.loads(record.key or b"{}")["thingId"] for record in records)

    def check(self) -> None:
        """0 missing, 0 extra, 0 reordered; counts add up; letters complete."""
        assert {thing: facts for thing, facts in self.source.facts.items() if facts} == dict(self.events())
        assert self.letters() == Counter({thing: n for thing, n in self.source.letters.items() if n})
        consumed, published, ignored, dead, parked = (
            sum(column) for column in list(zip(*self.counts(), strict=True))[:5]
        )
        assert consumed == self.source.rows == published + ignored + dead + parked
