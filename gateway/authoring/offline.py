"""Raw records → events without a broker: the worker's stages over a recording, the end of which closes open units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import RecordError
from gateway.model.event import EncodedEvent, Interpretation, Outcome
from gateway.model.letter import DeadLetter, ParkEntry
from gateway.model.lookup import ReferenceTables
from gateway.model.record import RawRecord
from gateway.model.unit import Unit
from gateway.pipeline.admit import Incarnations
from gateway.pipeline.assemble import Tail, TailRules
from gateway.pipeline.avro_in import SchemaById
from gateway.pipeline.decode import Decoder
from gateway.pipeline.encode import WireSettings
from gateway.pipeline.evidence import Evidence
from gateway.pipeline.markers import parse_end
from gateway.pipeline.progress import NO_COUNTS, Counters
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.translate import Translation, translate

__all__ = ["Replayed", "assemble", "books_of", "mapping_of_topic", "replay", "translations"]

TRANSACTION_SUFFIX = ".transaction"


def mapping_of_topic(topic: str, mappings: Sequence[CompiledMapping]) -> CompiledMapping | None:
    """The mapping that reads a raw topic, whatever the installation's prefix; None if none does.

    Where several names fit, the longest does: what stands before it is the prefix.
    """
    named = [(len(name), mapping) for mapping in mappings for name in mapping.topics if topic.endswith(name)]
    return max(named, key=lambda each: each[0])[1] if named else None


def assemble(
    records: Iterable[RawRecord],
    mappings: Sequence[CompiledMapping],
    *,
    incarnations: Incarnations = (),
    avro: SchemaById | None = None,
    max_bytes: int = 1 << 40,
) -> list[Unit]:
    """Decode and assemble once; the units serve any number of translations under changed rules.

    Partitions may be interleaved in any way, each in offset order. Records of the transaction topic are evidence;
    topics that no mapping reads are passed over. ConfigError, SourceRegressed as in ``Tail``.
    """
    evidence = Evidence(incarnations)
    tails: dict[tuple[str, int], Tail] = {}
    decoders: dict[str, Decoder | None] = {}
    units: list[Unit] = []
    for record in records:
        if record.topic.endswith(TRANSACTION_SUFFIX):
            _note_end(record, evidence)
            continue
        if record.topic not in decoders:
            mapping = mapping_of_topic(record.topic, mappings)
            decoders[record.topic] = Decoder(mapping.key, avro) if mapping else None
        decoder = decoders[record.topic]
        if decoder is None:
            continue
        place = (record.topic, record.partition)
        if place not in tails:
            mapping = mapping_of_topic(record.topic, mappings)
            rules = TailRules(incarnations, None, max_bytes, frozenset(mapping.tables if mapping else ()))
            tails[place] = Tail(*place, rules, evidence)
        units.extend(tails[place].add(decoder(record)))
    for tail in tails.values():
        units.extend(tail.finish())
    return units


def _note_end(record: RawRecord, evidence: Evidence) -> None:
    try:
        end = parse_end(record.value)
    except RecordError:
        return
    if end is not None:
        evidence.end(record.topic.removesuffix(TRANSACTION_SUFFIX), end.tx_id, end.lsn, end.ts_ms)


def books_of(
    mappings: Sequence[CompiledMapping],
    schema_ids: Mapping[str, int] | None = None,
    wire: WireSettings | None = None,
    lookups: Mapping[str, ReferenceTables] | None = None,
) -> dict[str, Rulebook]:
    """A rulebook for each mapping, by mapping name; without ``schema_ids`` contracts are numbered from 1.

    ``lookups``: reference data by mapping name (authoring.lookups).
    """
    names = sorted({kind.full_name for mapping in mappings for kind in mapping.contracts})
    ids = schema_ids or {name: number for number, name in enumerate(names, 1)}
    given = lookups or {}
    return {mapping.name: Rulebook.of(mapping, ids, wire, given.get(mapping.name)) for mapping in mappings}


def translations(
    units: Iterable[Unit],
    mappings: Sequence[CompiledMapping],
    books: Mapping[str, Rulebook],
    lookups: Mapping[str, ReferenceTables] | None = None,
) -> Iterator[tuple[Unit, Translation]]:
    """Each unit with its translation; parked aggregates are remembered from unit to unit. PartitionHalted as there.

    ``lookups``: reference data by mapping name, else that of the books.
    """
    given = lookups or {}
    by_topic: dict[str, Rulebook] = {}
    parked: dict[tuple[str, int], dict[str, ParkEntry]] = {}
    for unit in units:
        book = by_topic.get(unit.topic)
        if book is None:
            mapping = mapping_of_topic(unit.topic, mappings)
            assert mapping is not None, "assemble() passes over topics that no mapping reads"
            book = by_topic[unit.topic] = books[mapping.name]
        entries = parked.setdefault((unit.topic, unit.partition), {})
        translation = translate(unit, book, entries, given.get(book.mapping.name))
        entries.update((change.aggregate_id, change.entry) for change in translation.parks)
        yield unit, translation


@dataclass(slots=True)
class Replayed:
    """All that a recording became. ``parked``: (topic, partition, aggregate id) → entry at its end."""

    events: list[EncodedEvent] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    outcomes: dict[tuple[str, int, int], Outcome] = field(default_factory=dict)
    interpretations: list[Interpretation] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    parked: dict[tuple[str, int, str], ParkEntry] = field(default_factory=dict)
    counters: Counters = NO_COUNTS


def replay(
    units: Sequence[Unit], mappings: Sequence[CompiledMapping], books: Mapping[str, Rulebook] | None = None
) -> Replayed:
    """Translate assembled units and gather everything; outcomes by (topic, partition, offset)."""
    result = Replayed()
    for unit, translation in translations(units, mappings, books or books_of(mappings)):
        result.events.extend(translation.events)
        result.letters.extend(translation.letters)
        result.interpretations.extend(translation.interpretations)
        result.findings.extend(translation.findings)
        result.counters = result.counters.plus(translation.counters)
        for change in translation.parks:
            result.parked[unit.topic, unit.partition, change.aggregate_id] = change.entry
        for entry, outcome in zip(unit.entries, translation.outcomes, strict=True):
            result.outcomes[unit.topic, unit.partition, entry.record.offset] = outcome
    return result
