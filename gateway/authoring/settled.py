"""Units of a recording or a stretch of a topic, by place and by aggregate, each settled as the worker would."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from gateway.authoring.offline import assemble, mapping_of_topic
from gateway.authoring.told import ChangeSetTold
from gateway.mapping.compiled import CompiledMapping
from gateway.model.change import ChangeEvent
from gateway.model.errors import RecordError
from gateway.model.letter import ParkEntry
from gateway.model.record import RawRecord
from gateway.model.unit import Broken, Unit
from gateway.pipeline.admit import Incarnations
from gateway.pipeline.avro_in import SchemaById
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.split import Group, groups
from gateway.pipeline.translate import Translation, translate

__all__ = ["Settled", "Stretch", "gather"]


@dataclass(slots=True)
class Settled:
    """A group of a unit with its translation. ``unit`` is cut to the group's entries; ``parked``: before it."""

    unit: Unit
    whole: Unit
    group: Group
    parked: ParkEntry | None
    translation: Translation
    book: Rulebook
    told: ChangeSetTold | None = None
    """Its explanation, once somebody asked."""


class _Explaining(Rulebook):
    """Rules under which nothing halts: what would stop a partition is told as the failure it is."""

    def on_error(self, error: RecordError) -> str:
        policy = super().on_error(error)
        return "park" if policy == "halt" else policy


@dataclass(slots=True)
class Stretch:
    """Assembled units, and records of topics that no mapping reads (``others``, by place).

    ``registered``: the books' schema ids are the registry's.
    """

    units: Sequence[Unit]
    mappings: Sequence[CompiledMapping]
    books: Mapping[str, Rulebook]
    others: Mapping[str, RawRecord] = field(default_factory=dict)
    registered: bool = False
    _by_partition: dict[tuple[str, int], list[Unit]] = field(default_factory=dict)
    _by_aggregate: dict[tuple[str, str], list[Unit]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for unit in self.units:
            self._by_partition.setdefault((unit.topic, unit.partition), []).append(unit)
            for aggregate in dict.fromkeys(map(_aggregate, unit.entries)):
                if aggregate:
                    self._by_aggregate.setdefault((unit.topic, aggregate), []).append(unit)

    @property
    def partitions(self) -> Mapping[tuple[str, int], tuple[int, int]]:
        """First and last offset of each partition."""
        return {
            place: (units[0].first_offset, max(entry.record.offset for entry in units[-1].entries))
            for place, units in self._by_partition.items()
        }

    def book(self, topic: str) -> Rulebook:
        """The rules of a raw topic that some mapping reads."""
        mapping = mapping_of_topic(topic, self.mappings)
        assert mapping is not None, "assemble() passes over topics that no mapping reads"
        book = self.books[mapping.name]
        return _Explaining(book.plan, book.encoders, book.incarnations, book.limits)

    def unit_of(self, topic: str, partition: int, offset: int) -> tuple[Unit, int] | None:
        """The unit that holds a record, and the record's place in it."""
        units = self._by_partition.get((topic, partition), [])
        at = bisect_right(units, offset, key=lambda unit: unit.first_offset) - 1
        for unit in units[max(at, 0) : at + 1]:
            for place, entry in enumerate(unit.entries):
                if entry.record.offset == offset:
                    return unit, place
        return None

    def aggregates(self, topic: str) -> list[str]:
        """Ids of the aggregates that changed in a topic."""
        return [aggregate for name, aggregate in self._by_aggregate if name == topic]

    def of_aggregate(self, topic: str, aggregate: str) -> Iterator[Settled]:
        """All change sets of an aggregate, in their order, each settled after those before it."""
        book, parked = self.book(topic), dict[str, ParkEntry]()
        for unit in self._by_aggregate.get((topic, aggregate), []):
            mine = tuple(entry for entry in unit.entries if _aggregate(entry) == aggregate)
            yield from self._settle(unit, replace(unit, entries=mine), book, parked)

    def of_record(self, unit: Unit, place: int) -> Settled:
        """The change set that holds the record at ``place`` of ``unit``; of a mark or a duplicate, itself alone."""
        entry = unit.entries[place]
        aggregate = _aggregate(entry)
        if aggregate:
            for settled in self.of_aggregate(unit.topic, aggregate):
                if settled.whole is unit and any(one is entry for one in settled.unit.entries):
                    return settled
        book = self.book(unit.topic)
        alone = replace(unit, entries=(entry,))
        group = Group(aggregate, [0], broken=[entry] if isinstance(entry, Broken) else [])
        return Settled(alone, unit, group, None, translate(alone, book, {}), book)

    @staticmethod
    def _settle(whole: Unit, part: Unit, book: Rulebook, parked: dict[str, ParkEntry]) -> Iterator[Settled]:
        for group in groups(part):
            unit = replace(part, entries=tuple(part.entries[place] for place in group.places))
            if group.snapshot:
                unit = replace(unit, before=group.before, hi=group.before)
            before = parked.get(group.aggregate_id)
            translation = translate(unit, book, parked)
            parked.update((change.aggregate_id, change.entry) for change in translation.parks)
            own = groups(unit)[0]
            yield Settled(unit, whole, own, before, translation, book)


def gather(
    records: Iterable[RawRecord],
    mappings: Sequence[CompiledMapping],
    books: Mapping[str, Rulebook],
    *,
    incarnations: Incarnations = (),
    avro: SchemaById | None = None,
    registered: bool = False,
) -> Stretch:
    """Assemble records (see `assemble`), keeping what it passes over."""
    others: dict[str, RawRecord] = {}
    read: dict[str, bool] = {}

    def watched() -> Iterator[RawRecord]:
        for record in records:
            if record.topic not in read:
                read[record.topic] = mapping_of_topic(record.topic, mappings) is not None
            if not read[record.topic]:
                others[record.place] = record
            yield record

    units = assemble(watched(), mappings, incarnations=incarnations, avro=avro)
    return Stretch(units, mappings, books, others, registered)


def _aggregate(entry: object) -> str:
    return entry.aggregate_id if isinstance(entry, ChangeEvent | Broken) else ""
