"""Reference data of a worker: read whole before the first record, kept up to date, waited for (`lookups`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gateway.model.errors import Awaited, ConfigError
from gateway.model.lookup import ReferenceTables
from gateway.model.unit import Unit
from gateway.pipeline.reference import LiveTables, ReferenceTable
from gateway.ports import Partition
from gateway.services.worker_outages import Outages
from gateway.services.worker_partition import OwnedPartition, Phase
from gateway.services.worker_plan import Outside, RawTopic, WorkerPlan
from gateway.telemetry.signals import FindingSeen

__all__ = ["Holding", "Reference"]

_TAKE = 2_000
_LOOK_EVERY = 60.0
_TRY_EVERY = 0.1
_Held = tuple[Partition, int]
"""A partition and the first offset of the unit it is held at."""


class Reference:
    """The tables of all reference topics. They change in ``turn`` only, so never within a unit."""

    def __init__(self, plan: WorkerPlan, outside: Outside) -> None:
        self._plan = plan
        self._outside = outside
        self._tables = {topic: ReferenceTable(columns) for topic, columns in plan.reference.items()}
        self._until: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}
        self._ids: dict[str, str] = {}
        self._look_at = float("-inf")
        self._unreadable = 0
        self.ready = not plan.reference
        """Whether everything up to the high watermarks of the start was read."""

    def turn(self) -> None:
        """Read what is there. DependencyError: later. ConfigError: there is more of it than may be held in memory."""
        if not self._plan.reference:
            return
        assert self._outside.reference is not None
        if self._outside.clock.monotonic() >= self._look_at:
            self._look()
        batch = self._outside.reference.take(_TAKE)
        for record in batch.records:
            self._tables[record.topic].take(record)
            self._reached(Partition(record.topic, record.partition), record.offset + 1)
        for place, end in batch.ends.items():
            self._reached(place, end)
        if batch.records:
            self._check()
        self.ready = self.ready or not self._until

    def _look(self) -> None:
        """Once a minute: all partitions there are; new ones are read from their start."""
        cluster = self._outside.cluster
        for topic in self._plan.reference:
            shape = cluster.shape(topic)
            if self._ids.setdefault(topic, shape.topic_id) != shape.topic_id:
                hint = "restart the gateway: it reads the new topic from its start"
                raise ConfigError("the topic of a lookup was created anew", where=topic, hint=hint)
            for number in range(shape.partitions):
                place = Partition(topic, number)
                if place not in self._next:
                    self._until[place] = cluster.high_watermark(place)
        if self._until.keys() - self._next.keys():
            self._next.update(dict.fromkeys(self._until.keys() - self._next.keys(), 0))
            assert self._outside.reference is not None
            self._outside.reference.assign(self._next)
        self._until = {place: until for place, until in self._until.items() if until > 0}
        self._look_at = self._outside.clock.monotonic() + _LOOK_EVERY

    def _reached(self, place: Partition, offset: int) -> None:
        self._next[place] = max(self._next.get(place, 0), offset)
        if offset >= self._until.get(place, offset + 1):
            del self._until[place]

    def _check(self) -> None:
        held = sum(table.size_bytes for table in self._tables.values())
        if held > self._plan.reference_max_bytes:
            sizes = ", ".join(f"{topic} {table.size_bytes >> 20} MB" for topic, table in self._tables.items())
            raise ConfigError(
                f"reference data takes more than {self._plan.reference_max_bytes >> 20} MB: {sizes}",
                where="lookups",
                hint="raise lookup_max_bytes (GATEWAY_LOOKUP_MAX_BYTES), or look up a smaller topic",
            )
        unreadable = sum(table.unreadable_keys for table in self._tables.values())
        if unreadable > self._unreadable:
            self._outside.telemetry.emit(FindingSeen("reference record with an unreadable key", unreadable))
            self._unreadable = unreadable

    @property
    def tables(self) -> Mapping[str, ReferenceTable]:
        """The tables by topic, with the installation's prefix."""
        return self._tables


class _Waiting(LiveTables):
    """What one unit sees: a missing key is waited for, from when it was first missed."""

    def __init__(self, raw: RawTopic, tables: Mapping[str, ReferenceTable], unit: _Held, holding: Holding) -> None:
        super().__init__(raw.lookups, tables)
        self._lookups = raw.lookups
        self._unit = unit
        self._holding = holding

    def awaits(self, lookup: str, key: str) -> bool:
        """Whether less than the lookup's time has passed since."""
        return self._holding.missed_for(self._unit, (lookup, key)) < self._lookups[lookup].wait


class Holding:
    """Partitions held at a unit whose reference data lacks an entry. Nothing of the unit is settled meanwhile.

    How long a key is missed already outlives an abort, not the worker: its successor waits anew.
    """

    def __init__(self, reference: Reference, outside: Outside) -> None:
        self._reference = reference
        self._source = outside.source
        self._clock = outside.clock
        self._outages = Outages(outside.telemetry, outside.clock)
        self._missed: dict[Partition, dict[tuple[int, tuple[str, str]], float]] = {}
        self._waits_for: dict[Partition, str] = {}

    def tables(self, raw: RawTopic, place: Partition, unit: Unit) -> ReferenceTables:
        """The reference data of a mapping for one unit."""
        return _Waiting(raw, self._reference.tables, (place, unit.first_offset), self)

    def missed_for(self, unit: _Held, what: tuple[str, str]) -> float:
        """Seconds since the unit first missed this entry."""
        place, offset = unit
        now = self._clock.monotonic()
        return now - self._missed.setdefault(place, {}).setdefault((offset, what), now)

    def hold(self, owned: OwnedPartition, units: Sequence[Unit], error: Awaited) -> None:
        """Read no further in the partition; ``units`` are what is to be settled once what they wait for is there."""
        owned.held = list(units)
        owned.phase = Phase.HELD
        owned.ask_at = self._clock.monotonic() + _TRY_EVERY
        self._source.pause(owned.place)
        self._waits_for[owned.place] = waits_for = f"{error.what_for} for {owned.place}"
        self._outages.away(waits_for, error)

    def due(self, partitions: Iterable[OwnedPartition]) -> list[OwnedPartition]:
        """Held partitions that may be tried again."""
        if not self._waits_for:
            return []
        now = self._clock.monotonic()
        return [owned for owned in partitions if owned.phase is Phase.HELD and now >= owned.ask_at]

    def settled(self, owned: OwnedPartition) -> None:
        """What was held, if anything, is settled: read on."""
        if owned.place not in self._waits_for:
            return
        self.forget(owned.place)
        if owned.phase is Phase.HELD:
            owned.held = []
            owned.phase = Phase.RUNNING
            self._source.start(owned.place, owned.expected)

    def forget(self, place: Partition) -> None:
        """Nothing of the partition is waited for any more."""
        self._missed.pop(place, None)
        waits_for = self._waits_for.pop(place, None)
        if waits_for is not None:
            self._outages.back(waits_for)
