"""Where explained records come from: a recording, or the raw topics of the cluster that the settings name."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from gateway.adapters.files import read_recording
from gateway.adapters.kafka_log import KafkaLog
from gateway.authoring.lookups import Recorded
from gateway.authoring.offline import TRANSACTION_SUFFIX, books_of, mapping_of_topic
from gateway.authoring.settled import Stretch, gather
from gateway.mapping.compatibility import subject_name
from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import ConfigError, DependencyError
from gateway.model.lookup import ReferenceTables
from gateway.model.record import RawRecord
from gateway.pipeline.encode import WireSettings
from gateway.pipeline.reference import columns_of
from gateway.pipeline.rulebook import Rulebook
from gateway.ports import Partition
from gateway.services.recording import raw_records, spans
from gateway.services.stretches import around, between, found_at
from gateway.settings import Settings
from gateway.wiring import wire_cluster, wire_log, wire_raw_schemas, wire_registry

__all__ = ["FOREVER", "FileSource", "LiveSource", "Source", "letters_of", "origin_of"]

_REACH = 2_000
_FARTHEST = 500_000
FOREVER = 1 << 62


class Source(Protocol):
    """Where records are looked for. ConfigError: what is asked for is not there."""

    mappings: Sequence[CompiledMapping]

    def at(self, topic: str, partition: int, offset: int) -> Stretch:
        """A stretch that holds this record's whole unit."""
        ...

    def during(self, topics: Sequence[str], since_ms: int, until_ms: int) -> Stretch:
        """All that these raw topics (without prefix) hold of that time, and perhaps more."""
        ...

    def letters(self, places: Mapping[Partition, frozenset[int]]) -> list[RawRecord]:
        """Dead letters of these raw records, where they can be looked for."""
        ...

    def letter(self, place: Partition, offset: int) -> RawRecord:
        """One dead letter."""
        ...


class FileSource:
    """A recording."""

    def __init__(self, file: Path, mappings: Sequence[CompiledMapping], settings: Settings) -> None:
        self.mappings = mappings
        incarnations = tuple((one.name, one.since_ms) for one in settings.incarnations)
        wire = WireSettings(settings.prefix, settings.headers, incarnations=incarnations)
        reference = Recorded(mappings)
        books = books_of(mappings, wire=wire, lookups=reference.tables())
        records = reference.passing(read_recording(file))
        avro = wire_raw_schemas(settings)
        self.stretch = gather(records, mappings, books, incarnations=incarnations, avro=avro)

    def at(self, topic: str, partition: int, offset: int) -> Stretch:
        """The whole recording."""
        return self.stretch

    def during(self, topics: Sequence[str], since_ms: int, until_ms: int) -> Stretch:
        """The whole recording."""
        return self.stretch

    def letters(self, places: Mapping[Partition, frozenset[int]]) -> list[RawRecord]:
        """Those among the recording's own records."""
        return [record for record in self.stretch.others.values() if _is_of(record, places)]

    def letter(self, place: Partition, offset: int) -> RawRecord:
        """A letter that was recorded."""
        found = self.stretch.others.get(f"{place}@{offset}")
        if found is None:
            raise ConfigError(f"the recording has no record {place}@{offset}", hint="recordings hold raw topics only")
        return found


class LiveSource:
    """The cluster. Events are numbered as the registry has their contracts, if it answers and knows them."""

    def __init__(self, mappings: Sequence[CompiledMapping], settings: Settings, limit: int) -> None:
        self.mappings = mappings
        self._settings, self._limit = settings, limit
        self._cluster = wire_cluster(settings)
        self._incarnations = tuple((one.name, one.since_ms) for one in settings.incarnations)
        self._books: Mapping[str, Rulebook] | None = None
        self._registered = False
        self._during: dict[tuple[tuple[str, ...], int, int], Stretch] = {}

    def at(self, topic: str, partition: int, offset: int) -> Stretch:
        """Reads as far before and behind the record as its transaction, or the retention, reaches."""
        place = Partition(self._topic(topic), partition)
        reach = _REACH
        with self._log() as log:
            found_at(self._cluster, log, place, offset)
            while True:
                records, begins, ends = around(self._cluster, log, place, offset, reach)
                stretch = self._gather([*self._markers(log, records), *records])
                unit = stretch.unit_of(place.topic, partition, offset)
                whole = unit is None or (
                    (begins or unit[0].first_offset > records[0].offset)
                    and (ends or unit[0].next_offset <= records[-1].offset)
                )
                if whole or reach > _FARTHEST:
                    return stretch
                reach *= 8

    def during(self, topics: Sequence[str], since_ms: int, until_ms: int) -> Stretch:
        """Reads that time, with a minute before and behind it; once for each question."""
        names = [self._topic(name) for name in topics]
        asked = tuple(names), since_ms, until_ms
        if asked not in self._during:
            with self._log() as log:
                records = list(between(self._cluster, log, names, since_ms, until_ms, self._limit))
                self._during[asked] = self._gather([*self._markers(log, records), *records])
        return self._during[asked]

    def letters(self, places: Mapping[Partition, frozenset[int]]) -> list[RawRecord]:
        """Letters of these records, sought in the partitions of the same numbers."""
        spans = {}
        for place in places:
            letters = Partition(f"{place.topic}.dlq", place.partition)
            try:
                low, high = self._cluster.low_watermark(letters), self._cluster.high_watermark(letters)
            except (ConfigError, DependencyError):
                continue
            spans[letters] = (low, high)
        with self._log() as log:
            return [record for record in raw_records(log, spans) if _is_of(record, places)]

    def letter(self, place: Partition, offset: int) -> RawRecord:
        """The record of a letters' topic."""
        with self._log() as log:
            return found_at(self._cluster, log, place, offset)

    def events(self, since_ms: int) -> Iterator[RawRecord]:
        """Published events from that time on."""
        topics = {self._settings.topic(one.topic) for mapping in self.mappings for one in mapping.events.values()}
        with self._log() as log:
            yield from between(self._cluster, log, sorted(topics), since_ms, FOREVER, self._limit)

    def _topic(self, name: str) -> str:
        known = [self._settings.topic(one) for mapping in self.mappings for one in mapping.topics]
        named = [one for one in known if one == name or one == self._settings.topic(name)]
        return named[0] if named else name

    def _markers(self, log: KafkaLog, records: Sequence[RawRecord]) -> list[RawRecord]:
        """The transaction topic's records of that time: they tell what a first transaction's rows do not."""
        topic = self._settings.topic(self._settings.topic_prefix) + TRANSACTION_SUFFIX
        if not records:
            return []
        try:
            self._cluster.shape(topic)
        except ConfigError:
            return []
        stamps = [record.timestamp_ms for record in records]
        return list(between(self._cluster, log, [topic], min(stamps), max(stamps), _FARTHEST))

    def _gather(self, records: Sequence[RawRecord]) -> Stretch:
        if self._books is None:
            ids = self._schema_ids()
            wire = WireSettings(self._settings.prefix, self._settings.headers, incarnations=self._incarnations)
            self._books = books_of(self.mappings, ids, wire, self._reference())
            self._registered = ids is not None
        avro = wire_raw_schemas(self._settings)
        return gather(
            records,
            self.mappings,
            self._books,
            incarnations=self._incarnations,
            avro=avro,
            registered=self._registered,
        )

    def _reference(self) -> Mapping[str, ReferenceTables]:
        """All that is there of the topics that mappings look values up in, each record as of its time."""
        topics = [self._settings.topic(topic) for topic in columns_of(self.mappings)]
        if not topics:
            return {}
        with self._log() as log:
            return Recorded(self.mappings).take(raw_records(log, spans(self._cluster, topics))).tables()

    def _schema_ids(self) -> Mapping[str, int] | None:
        """Ids of all contracts; None where the registry is away or lacks one, and events are numbered anyhow."""
        registry = wire_registry(self._settings)
        try:
            return {
                event.full_name: registry.schema_id(
                    subject_name(self._settings.topic(event.topic), event.full_name), event.schema
                )
                for mapping in self.mappings
                for event in mapping.contracts
            }
        except (ConfigError, DependencyError):
            return None

    @contextmanager
    def _log(self) -> Iterator[KafkaLog]:
        with closing(wire_log(self._settings, f"explain-{secrets.token_hex(4)}")) as log:
            yield log


def letters_of(source: Source, stretch: Stretch, places: Sequence[tuple[str, int, int]]) -> list[dict[str, object]]:
    """What stands in the letters' topics about these raw records: place, class, reason, unit, attempt."""
    wanted: dict[Partition, frozenset[int]] = {}
    for topic, partition, offset in places:
        if mapping_of_topic(topic, stretch.mappings) is not None:
            place = Partition(topic, partition)
            wanted[place] = wanted.get(place, frozenset()) | {offset}
    return [_letter(record) for record in source.letters(wanted)] if wanted else []


def _letter(record: RawRecord) -> dict[str, object]:
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    return {
        "place": record.place,
        "class": headers.get("gateway.class", ""),
        "why": headers.get("__connect.errors.exception.message", ""),
        "rule": headers.get("gateway.rule", ""),
        "mapping": headers.get("gateway.mapping", ""),
        "attempt": headers.get("gateway.attempt", ""),
        "unit": headers.get("unit", ""),
    }


def _is_of(record: RawRecord, places: Mapping[Partition, frozenset[int]]) -> bool:
    origin = origin_of(record)
    return origin is not None and origin[1] in places.get(origin[0], frozenset())


def origin_of(record: RawRecord) -> tuple[Partition, int] | None:
    """The raw record that a dead letter was; None for what is no letter."""
    headers = dict(record.headers)
    try:
        topic, partition, offset = (
            (headers[f"__connect.errors.{name}"] or b"").decode() for name in ("topic", "partition", "offset")
        )
        return Partition(topic, int(partition)), int(offset)
    except (KeyError, ValueError):
        return None
