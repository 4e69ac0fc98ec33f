"""Which records are meant: by place, by aggregate and time, by event id, by dead letter, or from a file."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gateway.authoring.again import evaluate, is_explanation
from gateway.authoring.explain import explain, explain_other, explain_settled
from gateway.authoring.lookups import told_in
from gateway.authoring.moments import moment_ms
from gateway.authoring.near_keys import near_keys
from gateway.authoring.offline import TRANSACTION_SUFFIX, books_of, mapping_of_topic
from gateway.authoring.settled import Settled, Stretch, gather
from gateway.authoring.single import record_of
from gateway.authoring.told import EventTold, Explanation
from gateway.authoring.why_not import Silence, givers, why_not
from gateway.cli.explain_source import FOREVER, LiveSource, Source, origin_of
from gateway.mapping.compiled import CompiledMapping
from gateway.model.change import ChangeEvent
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.ports import Partition

__all__ = [
    "Place",
    "Times",
    "nothing_of",
    "of_event",
    "of_file",
    "of_key",
    "of_letter",
    "of_place",
    "place",
    "silences",
    "times",
]

_PLACE = re.compile(r"(?P<topic>.+)\[(?P<partition>\d+)\]@(?P<offset>\d+)")
_DAY_MS = 86_400_000


class Place(NamedTuple):
    """One record of one topic."""

    topic: str
    partition: int
    offset: int


def place(text: str) -> Place:
    """A place as people write it. ConfigError: it is none."""
    found = _PLACE.fullmatch(text)
    if found is None:
        hint = "write 'topic[partition]@offset' (in quotes), or the path of a JSON file"
        raise ConfigError(f"`{text}` is neither a record's place nor a file", hint=hint)
    return Place(found["topic"], int(found["partition"]), int(found["offset"]))


class Times(NamedTuple):
    """A time span, and the moment that is sought in it; milliseconds."""

    since: int
    until: int
    at: int


def times(at: str, since: str, until: str, *, live: bool) -> Times:
    """The time span that is asked about; live and unsaid, the last day."""
    now = dt.datetime.now(dt.UTC)
    if at:
        moment = moment_ms(at, now)
        return Times(moment - _DAY_MS // 2, moment + _DAY_MS // 2, moment)
    first = moment_ms(since, now) if since else int(now.timestamp() * 1000) - _DAY_MS if live else 0
    return Times(first, moment_ms(until, now) if until else FOREVER, 0)


def of_file(file: Path, mappings: Sequence[CompiledMapping]) -> Explanation:
    """One record, or a printed explanation evaluated anew."""
    try:
        document = msgspec.json.decode(file.read_bytes())
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        hint = "for a recording say --recording FILE and which record"
        raise ConfigError(f"not a JSON document: {error}", where=str(file), hint=hint) from error
    if is_explanation(document):
        found = evaluate(document, mappings, books_of(mappings, lookups=told_in(_lineages(document), mappings)))
        if found is None:
            raise ConfigError("the explained record is read by no mapping", where=str(file))
        return explain_settled(*found)
    record = record_of(document, mappings)
    stretch = gather([record], mappings, books_of(mappings))
    return _explained(stretch, Place(record.topic, record.partition, record.offset))


def _lineages(document: Mapping[str, Any]) -> Iterator[str]:
    """What the explained events say of their origin: the reference data they used, too."""
    for event in (document.get("change_set") or {}).get("events") or ():
        yield event.get("headers", {}).get("lineage", "")


def of_place(source: Source, place: Place) -> Explanation:
    """The record at a place."""
    return _explained(source.at(*place), place)


def _explained(stretch: Stretch, place: Place) -> Explanation:
    topics = {topic for topic, _ in stretch.partitions}
    named = [topic for topic in topics if topic == place.topic] or [
        topic for topic in topics if topic.endswith(place.topic)
    ]
    for topic in named:
        found = stretch.unit_of(topic, place.partition, place.offset)
        if found is not None:
            return explain(stretch, *found)
    other = stretch.others.get(f"{place.topic}[{place.partition}]@{place.offset}")
    if other is not None:
        return explain_other(other, _what_other(other))
    raise _nothing_at(stretch, place, named)


def _what_other(record: RawRecord) -> str:
    if record.topic.endswith(TRANSACTION_SUFFIX):
        return "a transaction's BEGIN or END: evidence of which transactions are whole, no change"
    return f"no mapping reads {record.topic}"


def _nothing_at(stretch: Stretch, place: Place, named: Sequence[str]) -> ConfigError:
    has = [f"{topic}[{number}] has {low} to {high}" for (topic, number), (low, high) in stretch.partitions.items()]
    nearer = [line for line in has if any(line.startswith(f"{topic}[") for topic in named)] or has
    told = f"{place.topic}[{place.partition}]@{place.offset}"
    return ConfigError(f"there is no record {told}", hint="; ".join(sorted(nearer)[:8]))


def of_letter(source: Source, place: Place) -> Place:
    """Where the record of a dead letter stands."""
    origin = origin_of(source.letter(Partition(place.topic, place.partition), place.offset))
    if origin is None:
        told = f"{place.topic}[{place.partition}]@{place.offset}"
        raise ConfigError(f"{told} is no dead letter", hint="it lacks the __connect.errors headers")
    return Place(*origin[0], origin[1])


def _topics(source: Source, key: str, mapping: str, times: Times) -> Iterator[tuple[Stretch, str]]:
    """The raw topics that have changes of this aggregate."""
    for stretch, topic in _read(source, mapping, times):
        if key in stretch.aggregates(topic):
            yield stretch, topic


def _read(source: Source, mapping: str, times: Times) -> Iterator[tuple[Stretch, str]]:
    """The raw topics of a mapping, or of all; ConfigError: there is no such mapping."""
    chosen = [one for one in source.mappings if not mapping or one.name == mapping]
    if not chosen:
        known = ", ".join(one.name for one in source.mappings)
        raise ConfigError(f"no mapping is named {mapping}", hint=f"known: {known}")
    stretch = source.during([topic for one in chosen for topic in one.topics], times.since, times.until)
    names = {one.name for one in chosen}
    for topic in dict.fromkeys(topic for topic, _ in stretch.partitions):
        of = mapping_of_topic(topic, source.mappings)
        if of is not None and of.name in names:
            yield stretch, topic


def nothing_of(source: Source, key: str, mapping: str, event: str, times: Times) -> str:
    """Why an aggregate has no answer: its change sets are of another time, or its key is written otherwise."""
    names = [one.name for one in givers(event, source.mappings)] if event else [mapping]
    known = [
        each for name in names for stretch, topic in _read(source, name, times) for each in stretch.aggregates(topic)
    ]
    if key in known:
        return f"no change set of aggregate {key!r} in that time, though there are some before or after"
    near = near_keys(key, known)
    told = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    if not near and known:
        some = ", ".join(map(repr, list(dict.fromkeys(known))[:3]))
        told = f"; {len(set(known))} others have some, such as {some}"
    return f"no change set of aggregate {key!r} in that time{told}"


def of_key(source: Source, key: str, mapping: str, times: Times, *, nearest: bool) -> list[Explanation]:
    """Change sets of an aggregate in a time span; ``nearest``: only the one nearest to its moment."""
    found = list(_topics(source, key, mapping, times))
    if len(found) > 1:
        names = [of.name for _, topic in found if (of := mapping_of_topic(topic, source.mappings)) is not None]
        raise ConfigError(
            f"several aggregates have the key {key}", hint=f"say --mapping {' or --mapping '.join(names)}"
        )
    explained: list[tuple[int, Explanation]] = []
    for stretch, topic in found:
        for settled in stretch.of_aggregate(topic, key):
            when = _when(settled)
            if times.since <= when <= times.until:
                record = settled.unit.entries[0].record
                explained.append((when, explain_settled(settled, record, stretch.registered)))
    if nearest and explained:
        return [min(explained, key=lambda pair: abs(pair[0] - times.at))[1]]
    return [each for _, each in explained]


def _when(settled: Settled) -> int:
    entry = settled.unit.entries[0]
    return entry.source.ts_ms if isinstance(entry, ChangeEvent) else entry.record.timestamp_ms


def of_event(source: Source, identity: str) -> Explanation:
    """The record that an event hangs on."""
    if isinstance(source, LiveSource):
        return _of_published(source, identity)
    stretch = source.during([], 0, FOREVER)
    return _saying(stretch, identity)


def _of_published(source: LiveSource, identity: str) -> Explanation:
    since = int(dt.datetime.now(dt.UTC).timestamp() * 1000) - 7 * _DAY_MS
    for record in source.events(since):
        headers = dict(record.headers)
        if headers.get("ce_id") == identity.encode():
            when = dt.datetime.fromisoformat((headers.get("ce_time") or b"").decode() or "1970-01-01T00:00Z")
            name = (headers.get("ce_type") or b"").decode().rpartition(".")[2]
            topics = [topic for one in givers(name, source.mappings) for topic in one.topics]
            stretch = source.during(topics, int(when.timestamp() * 1000), FOREVER)
            return _saying(stretch, identity, (record.key or b"").decode())
    raise ConfigError(f"no event of the last seven days has the id {identity}", hint="is it a ce_id?")


def _saying(stretch: Stretch, identity: str, key: str = "") -> Explanation:
    for topic in dict.fromkeys(topic for topic, _ in stretch.partitions):
        for aggregate in [key] if key else stretch.aggregates(topic):
            for settled in stretch.of_aggregate(topic, aggregate):
                for encoded in settled.translation.events:
                    if (dict(encoded.headers).get("ce_id") or b"").decode() == identity:
                        return explain_settled(settled, encoded.source, stretch.registered)
    raise ConfigError(
        f"no record here gives an event with the id {identity}", hint="other mappings, or another incarnation?"
    )


def silences(
    source: Source, event: str, key: str, span: Times, older: Sequence[CompiledMapping] | None
) -> Iterator[Silence | EventTold]:
    """Why change sets of this aggregate did not give the event. ``older``: mappings to hold them against."""
    for mapping in givers(event, source.mappings):
        for stretch, topic in _topics(source, key, mapping.name, span):
            against = None if older is None else Stretch(stretch.units, older, books_of(older))
            yield from why_not(stretch, event, topic, key, span.since, span.until, against)
