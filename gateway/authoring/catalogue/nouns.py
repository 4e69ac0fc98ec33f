"""What the catalogue tells: aggregates, events, contract fields, rules, versions, examples, legacy columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "AggregateEntry",
    "Catalogue",
    "ColumnEntry",
    "ConsumerEntry",
    "EventEntry",
    "ExampleEntry",
    "FieldEntry",
    "Origin",
    "RowShown",
    "RuleEntry",
    "TableEntry",
    "VersionEntry",
]


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """A contract field. ``path``: dotted, ``[]`` for items of an array; ``default`` is JSON, '' without one."""

    path: str
    name: str
    depth: int
    type: str
    doc: str
    pii: bool
    default: str
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """What fills a field: a legacy column of a table, or words where it is none (a constant, a default)."""

    table: str
    column: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """A rule of an event, or a noise rule (``event`` '').

    ``lines``: it in words, code in backticks; ``source``: as written, from ``line`` of the file on.
    """

    name: str
    event: str
    intent: str
    lines: tuple[str, ...]
    file: str
    line: int
    source: str
    because: str = ""
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """A version of a contract. ``label``: v2, or v2.1; ``state``: published, deprecated or earlier."""

    label: str
    state: str
    full_name: str
    added: tuple[str, ...] = ()
    sunset: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class RowShown:
    """A row's change in an example: each column with its value before and after (None: no such image)."""

    table: str
    op: str
    columns: tuple[tuple[str, str | None, str | None], ...]


@dataclass(frozen=True, slots=True)
class ExampleEntry:
    """A test case in which the event came out: what changed, and the payload."""

    case: str
    intent: str
    rule: str
    rows: tuple[RowShown, ...]
    payload: object
    key: str


@dataclass(frozen=True, slots=True)
class ConsumerEntry:
    """Who reads an event: name, owner, contact, purpose, and the fields it reads (empty: all)."""

    name: str
    owner: str
    contact: str
    purpose: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventEntry:
    """All about one event."""

    name: str
    aggregate: str
    mapping: str
    file: str
    capability: str
    topic: str
    version: int
    full_name: str
    doc: str
    schema: Mapping[str, object]
    fields: tuple[FieldEntry, ...]
    rules: tuple[RuleEntry, ...]
    origins: Mapping[str, tuple[Origin, ...]]
    versions: tuple[VersionEntry, ...]
    contracts: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    examples: tuple[ExampleEntry, ...] = ()
    consumers: tuple[ConsumerEntry, ...] = ()

    @property
    def intents(self) -> tuple[str, ...]:
        """The intents of its rules, each once, in their order."""
        return tuple(dict.fromkeys(rule.intent for rule in self.rules))


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """A legacy column: what the mapping makes of it, and the events that carry or watch it. ``names``: domain names."""

    legacy: str
    names: tuple[str, ...]
    type: str
    pii: bool
    bookkeeping: bool
    events: tuple[str, ...]
    noise: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A legacy table of an aggregate."""

    physical: str
    name: str
    row: tuple[str, ...]
    columns: tuple[ColumnEntry, ...]


@dataclass(frozen=True, slots=True)
class AggregateEntry:
    """An aggregate: its mapping, key, tables, events and what of it is no event."""

    name: str
    mapping: str
    file: str
    key: tuple[str, ...]
    topics: tuple[str, ...]
    raw_topics: tuple[str, ...]
    tables: tuple[TableEntry, ...]
    noise: tuple[RuleEntry, ...]
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that is published, by aggregate, in the order of the mapping files."""

    aggregates: tuple[AggregateEntry, ...]
    events: tuple[EventEntry, ...]
    key_types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def event(self, name: str) -> EventEntry:
        """An event by name. KeyError for an unknown one."""
        return next((one for one in self.events if one.name == name), None) or _unknown(name)


def _unknown(name: str) -> EventEntry:
    raise KeyError(name)
