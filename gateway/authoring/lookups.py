"""Reference data without a broker: given by a test case, or recorded; and where values differ (language.md 5)."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

from gateway.mapping.compiled import CompiledMapping, LookupSource
from gateway.model.errors import ConfigError
from gateway.model.event import EncodedEvent
from gateway.model.lookup import LookupUse, ReferenceEntry, ReferenceTables
from gateway.model.record import RawRecord
from gateway.pipeline.lookups import as_told, uses_in
from gateway.pipeline.reference import columns_of, entry_of, key_of

__all__ = ["Differing", "Recorded", "differing", "differing_from_published", "given", "told_in", "topic_of"]

_time = attrgetter("timestamp_ms")


def topic_of(name: str, topics: Iterable[str]) -> str | None:
    """The reference topic that a topic with any installation's prefix is; None if it is none. The longest name wins."""
    return max((topic for topic in topics if name.endswith(topic)), key=len, default=None)


@dataclass(frozen=True, slots=True)
class _Tables:
    """``ReferenceTables`` over all that was ever said of each key: topic → key → entries in the order of their times.

    An entry without values is None where the record deleted. At a time the last entry up to then holds; where there is
    none, or a deletion, the next one: live, it would have been waited for, or compaction has taken the older ones.
    """

    sources: Mapping[str, LookupSource]
    said: Mapping[str, Mapping[str, Sequence[_Said]]]
    time: int = 1 << 62

    def find(self, lookup: str, key: str) -> ReferenceEntry | None:
        """See ``ReferenceTables``."""
        all_said = self.said.get(self.sources[lookup].topic, {}).get(key, ())
        at = bisect_right(all_said, self.time, key=_time)
        if at and all_said[at - 1].entry is not None:
            return all_said[at - 1].entry
        return next((said.entry for said in all_said[at:] if said.entry is not None), None)

    def as_of(self, timestamp_ms: int) -> _Tables:
        """See ``ReferenceTables``."""
        return replace(self, time=timestamp_ms)

    def awaits(self, lookup: str, key: str) -> bool:
        """Nothing more comes into a recording."""
        return False


@dataclass(frozen=True, slots=True)
class _Said:
    """What a record said of a key; ``entry`` None: it is no more."""

    timestamp_ms: int
    entry: ReferenceEntry | None


@dataclass(slots=True)
class Recorded:
    """Collects the reference records of a recording, for the mappings that look into their topics.

    ``published``: lineage by id of the events that stand in the recording, too.
    """

    mappings: Sequence[CompiledMapping]
    records: int = 0
    published: dict[str, str] = field(default_factory=dict)
    _said: dict[str, dict[str, list[_Said]]] = field(default_factory=dict)
    _known: dict[str, str | None] = field(default_factory=dict)

    def passing(self, records: Iterable[RawRecord]) -> Iterator[RawRecord]:
        """The same records; those of reference topics are noted on their way."""
        columns = columns_of(self.mappings)
        public = {kind.topic for mapping in self.mappings if mapping.lookups for kind in mapping.contracts}
        for record in records:
            if record.topic not in self._known:
                self._known[record.topic] = topic_of(record.topic, {*columns, *public})
            topic = self._known[record.topic]
            if topic in columns:
                self._note(topic, record, columns[topic])
            elif topic is not None:
                self._publish(record)
            yield record

    def take(self, records: Iterable[RawRecord]) -> Recorded:
        """Note them all."""
        for _ in self.passing(records):
            pass
        return self

    def _note(self, topic: str, record: RawRecord, columns: frozenset[str]) -> None:
        key = key_of(record.key)
        if key is None:
            return
        self.records += 1
        said = _Said(record.timestamp_ms, None if record.value is None else entry_of(record, columns))
        insort(self._said.setdefault(topic, {}).setdefault(key, []), said, key=_time)

    def _publish(self, record: RawRecord) -> None:
        headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
        if "lookup=" in headers.get("lineage", ""):
            self.published[headers.get("ce_id", "")] = headers["lineage"]

    def tables(self) -> dict[str, ReferenceTables]:
        """The lookups of each mapping that has any, by mapping name; they see what passes later, too."""
        return {mapping.name: _Tables(mapping.lookups, self._said) for mapping in self.mappings if mapping.lookups}


def given(mapping: CompiledMapping, entries: Mapping[str, Mapping[str, object]]) -> ReferenceTables:
    """The lookups of a test case: name → key → columns, or a single value.

    ConfigError: the mapping has no such lookup.
    """
    unknown = sorted(entries.keys() - mapping.lookups.keys())
    if unknown:
        known = ", ".join(sorted(mapping.lookups)) or "none that a rule asks for"
        raise ConfigError(f"{mapping.name} has no lookup {', '.join(unknown)}", hint=f"it has: {known}")
    said = {
        mapping.lookups[name].topic: {
            key: [_Said(0, ReferenceEntry(_columns(value), mapping.lookups[name].topic, 0, number))]
            for number, (key, value) in enumerate(keys.items())
        }
        for name, keys in entries.items()
    }
    return _Tables(mapping.lookups, said)


def told_in(lineages: Iterable[str], mappings: Sequence[CompiledMapping]) -> dict[str, ReferenceTables]:
    """The lookups of each mapping, by its name, as lineages tell them: long values as their hash, null as none."""
    values: dict[tuple[str, str, str], dict[str, str | None]] = {}
    places: dict[tuple[str, str, str], LookupUse] = {}
    for use in (use for lineage in lineages for use in uses_in(lineage)):
        for mapping in mappings:
            source = mapping.lookups.get(use.lookup)
            if source is not None and use.topic.endswith(source.topic):
                entry = (source.topic, use.lookup, use.key)
                values.setdefault(entry, {})[use.column] = None if use.value == as_told(None) else use.value
                places[entry] = use
    said: dict[str, dict[str, list[_Said]]] = {}
    for entry, columns in values.items():
        topic, key, use = entry[0], entry[2], places[entry]
        told = ReferenceEntry(columns, use.topic, use.partition, use.offset)
        said.setdefault(topic, {})[key] = [_Said(0, told)]
    return {mapping.name: _Tables(mapping.lookups, said) for mapping in mappings if mapping.lookups}


def _columns(value: object) -> dict[str, str | None]:
    members = value if isinstance(value, Mapping) else {"value": value}
    return {str(name): _as_text(one) for name, one in members.items()}


def _as_text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Differing:
    """A value of reference data that is not what events were told: ``told`` then, ``now`` (None: no entry any more)."""

    told: LookupUse
    now: str | None
    place: str
    events: int

    def __str__(self) -> str:
        told = self.told
        then = f"{told.lookup}/{told.key} {told.column}: {told.value!r} ({told.topic}[{told.partition}]@{told.offset})"
        now = f"now {self.now!r} ({self.place})" if self.place else "now there is no entry"
        return f"{then}, {now}, in {self.events} event{'s' if self.events > 1 else ''}"


def differing(events: Iterable[tuple[str, EncodedEvent]], today: Mapping[str, ReferenceTables]) -> list[Differing]:
    """What events, each with its mapping's name, used of reference data that says something else ``today``."""
    counts: dict[tuple[str, LookupUse], int] = {}
    for name, encoded in events:
        for use in encoded.event.lookups:
            counts[name, use] = counts.get((name, use), 0) + 1
    found = []
    for (name, use), count in counts.items():
        entry = today[name].find(use.lookup, use.key) if name in today else None
        if entry is None:
            found.append(Differing(use, None, "", count))
            continue
        values = entry.values or {}
        if use.column not in values or values[use.column] != use.value:
            place = f"{entry.topic}[{entry.partition}]@{entry.offset}"
            found.append(Differing(use, values.get(use.column), place, count))
    return found


def differing_from_published(events: Iterable[EncodedEvent], published: Mapping[str, str]) -> list[Differing]:
    """What events use that the published ones of the same id (``published``: id to lineage) did not use."""
    counts: dict[tuple[LookupUse, str, str], int] = {}
    for encoded in events:
        if not encoded.event.lookups:
            continue
        own = (dict(encoded.headers).get("ce_id") or b"").decode()
        told = {(use.lookup, use.key, use.column): use for use in uses_in(published.get(own, ""))}
        for use in encoded.event.lookups:
            then = told.get((use.lookup, use.key, use.column))
            if then is not None and then.value != as_told(use.value):
                what = (then, as_told(use.value), f"{use.topic}[{use.partition}]@{use.offset}")
                counts[what] = counts.get(what, 0) + 1
    return [Differing(then, now, place, count) for (then, now, place), count in counts.items()]
