"""Who reads the events: ``consumers.yaml`` in the folder of the mappings, checked against the contracts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.mapping.contract import RecordOf
from gateway.mapping.forms import Choice, ListOf, MapOf, Number, Shapes, Text, Word
from gateway.mapping.loader import LoadedFile
from gateway.mapping.nodes import Faults, Mark, Scalar, did_you_mean
from gateway.mapping.reader import read_file
from gateway.mapping.records import Key, Record, Section
from gateway.mapping.uses import field_paths

__all__ = ["CONSUMERS", "FILE", "Consumer", "Consumers", "Reading", "read_consumers"]

FILE = "consumers.yaml"
_ALL = Choice("all", ("all",))
_READING = Record(
    "what is read of an event",
    (
        Key("version", Number("a version", 1, 9_999), "the contract's major version it reads; the newest without it"),
        Key(
            "fields",
            Shapes(scalar=_ALL, seq=ListOf(Text("a field, as in address.street"))),
            "the fields it reads, or `all`",
            required=True,
        ),
    ),
)
_CONSUMER = Record(
    "a consumer",
    (
        Key("owner", Text(), "the team that answers for it", required=True),
        Key("contact", Text(), "where that team is reached", required=True),
        Key("purpose", Text(), "what it does with the events"),
        Key("events", MapOf(Word("an event's name", r"[A-Z][A-Za-z0-9]*"), _READING), "what it reads", required=True),
    ),
)
CONSUMERS = Record(
    "a file of consumers",
    (Key("consumers", MapOf(Word("a consumer's name", r"[a-z0-9][a-z0-9-]*"), _CONSUMER), "by name", required=True),),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a consumer reads of an event. ``version`` 0: the newest; ``fields`` None: all. ``place``: in the file."""

    event: str
    version: int
    fields: tuple[str, ...] | None
    place: Mark

    def reads(self, field: str) -> bool:
        """Whether it reads a field, one inside it, or the record around it; '' asks for any field."""
        if self.fields is None or not field:
            return True
        return any(_within(field, one) or _within(one, field) for one in self.fields)


def _within(field: str, around: str) -> bool:
    """Whether a field is another one or inside it; the signs of arrays and maps do not count."""
    inner, outer = _plain(field), _plain(around)
    return inner == outer or inner.startswith(f"{outer}.")


def _plain(field: str) -> str:
    return field.replace("[]", "").replace("{}", "")


@dataclass(frozen=True, slots=True)
class Consumer:
    """A consuming service, who answers for it and what it reads."""

    name: str
    owner: str
    contact: str
    purpose: str
    readings: tuple[Reading, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.owner}, {self.contact})"


@dataclass(frozen=True, slots=True)
class Consumers:
    """All known consumers. ``file`` as shown to people; '' where there is none."""

    all: tuple[Consumer, ...] = ()
    file: str = ""

    def of(self, event: str, field: str = "", version: int = 0) -> tuple[Consumer, ...]:
        """Those that read the event, of it the field; with ``version`` only readers of that one or of the newest."""
        return tuple(
            consumer
            for consumer in self.all
            if any(
                one.event == event and one.reads(field) and (not version or one.version in (0, version))
                for one in consumer.readings
            )
        )


def read_consumers(folder: Path, files: Iterable[LoadedFile]) -> tuple[Consumers, Faults]:
    """Read ``consumers.yaml`` of a folder; what is wrong stands in the faults. No file: no consumers.

    ``files``: the mapping files (loader.inspect), whose contracts say which events and fields there are.
    """
    path = folder / FILE
    if not path.exists():
        return Consumers(), Faults(FILE)
    root, faults = read_file(path, FILE)
    section = None if root is None else CONSUMERS.read(root, faults)
    if section is None:
        return Consumers(file=FILE), faults
    known = _known(files)
    found = [_consumer(name, body, known, faults) for name, body in section.named("consumers")]
    return Consumers(tuple(found), FILE), faults


@dataclass(frozen=True, slots=True)
class _Known:
    """Contracts by event (None: it has faults, and nothing is said about it); published versions by event."""

    records: Mapping[str, RecordOf | None]
    versions: Mapping[str, frozenset[int]]


def _known(files: Iterable[LoadedFile]) -> _Known:
    records: dict[str, RecordOf | None] = {}
    versions: dict[str, frozenset[int]] = {}
    for file in files:
        for event, contract in file.contracts.items():
            records[event] = None if contract is None else contract.record
        for kind in file.mapping.contracts if file.mapping is not None else ():
            versions[kind.name] = versions.get(kind.name, frozenset()) | {kind.version}
    return _Known(records, versions)


def _consumer(name: Scalar, section: Section, known: _Known, faults: Faults) -> Consumer:
    readings = tuple(_readings(section.named("events"), known, faults))
    return Consumer(name.text, section.word("owner"), section.word("contact"), section.word("purpose"), readings)


def _readings(entries: Sequence[tuple[Scalar, Section]], known: _Known, faults: Faults) -> Iterator[Reading]:
    for event, section in entries:
        version = int(section.word("version", "0")) if "version" not in section.faulty else 0
        fields = None if section.scalar("fields") is not None else section.scalars("fields")
        versions = known.versions.get(event.text, frozenset())
        if event.text not in known.records:
            faults.add(event.mark, f"no mapping publishes `{event.text}`", did_you_mean(event.text, known.records))
        elif version and versions and version not in versions:
            hint = f"published: {', '.join(map(str, sorted(versions)))}"
            faults.add(section.mark_of("version"), f"`{event.text}` has no version {version}", hint)
        elif not version or version == max(versions, default=version):
            _check_fields(event.text, known.records[event.text], fields or (), faults)
        yield Reading(event.text, version, None if fields is None else tuple(one.text for one in fields), event.mark)


def _check_fields(event: str, record: RecordOf | None, fields: Sequence[Scalar], faults: Faults) -> None:
    if record is None:
        return
    paths = field_paths(record)
    known = {_plain(path) for path in paths} | set(paths)
    seen: set[str] = set()
    for field in fields:
        if field.text not in known:
            faults.add(field.mark, f"`{event}` has no field `{field.text[:60]}`", did_you_mean(field.text, paths))
        elif field.text in seen:
            faults.add(field.mark, f"`{field.text}` stands here twice", "name each field once")
        seen.add(field.text)
