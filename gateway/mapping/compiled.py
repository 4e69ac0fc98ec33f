"""The compiled form of a mapping: what the loader makes of the files and the interpreter runs.

Everything here is checked: names resolve, groups are expanded, types agree. Expressions are closures over a ``Scope``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from gateway.model.change import Image
from gateway.model.event import Check, Intent
from gateway.model.values import MISSING, Unavailable, Value

__all__ = [
    "Clause",
    "Column",
    "CompiledMapping",
    "Count",
    "DataBuilder",
    "EventType",
    "Expression",
    "LookupSource",
    "Lookups",
    "OlderVersion",
    "Pattern",
    "RowOp",
    "RowView",
    "Rule",
    "Scope",
    "Table",
    "Truth",
    "WhereTest",
]

Truth = bool | Unavailable
"""T, F or U; an unknown carries the reason why (unreadable -> decode, missing -> drift, else rule)."""


class RowOp(StrEnum):
    """What a transaction did to a row in the end."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    LEAVES = "leaves"
    ARRIVES = "arrives"
    SNAPSHOT = "snapshot"


class RowView(Protocol):
    """A row as expressions see it: domain columns before and after (None where there is no such image)."""

    @property
    def op(self) -> str:
        """The net operation, as rules name it: one of `RowOp`'s values."""
        ...

    @property
    def before(self) -> Mapping[str, Value] | None:
        """Domain columns before the transaction; None on insert, arrives and snapshot."""
        ...

    @property
    def after(self) -> Mapping[str, Value] | None:
        """Domain columns after it; None on delete and leaves."""
        ...

    @property
    def changed(self) -> frozenset[str]:
        """Domain columns whose net value changed (updates only), taken or not."""
        ...

    @property
    def other(self) -> Mapping[str, Value] | None:
        """The aggregate key on the far side of a key change, by domain name."""
        ...


class Lookups(Protocol):
    """Reference data as the filter ``lookup`` asks for it."""

    def value(self, lookup: str, key: str, column: str) -> str | None:
        """The value as text, or null. RecordError (lookup): there is none."""
        ...


@dataclass(slots=True)
class Scope:
    """What an expression may touch.

    ``anchor`` is the row that ``before``/``after``/``row``/``op``/``other`` speak of (None in a ``once`` rule).
    ``companions`` maps a pattern's name to its row, to None (absent: columns read as null) or to a list of rows; a
    companion of unknown count is ``Unavailable``. ``item``: the row of ``$each``; ``value``/``image`` serve ``parts``,
    ``payload`` (the newest version's data) the templates of ``also``, ``lookups`` the filter ``lookup`` in ``data``.
    """

    anchor: RowView | None
    companions: Mapping[str, RowView | Sequence[RowView] | Unavailable | None]
    key: Mapping[str, Value]
    transaction: Mapping[str, Value]
    item: RowView | None = None
    image: Mapping[str, Value] | None = None
    value: Value = None
    payload: Mapping[str, object] | None = None
    lookups: Lookups | None = None


Expression = Callable[[Scope], Value]
"""A compiled bare expression or template. A test gives True, False, None or Unavailable."""
DataBuilder = Callable[[Scope], dict[str, object]]
"""Builds an event's payload as Avro-native values.

Raises RecordError: ``contract`` for null or a value the contract forbids, else the class of the unavailable value read.
"""


@dataclass(frozen=True, slots=True)
class Clause:
    """A ``when`` as it stands in the file, for whoever explains it. ``look`` tells its parts and the values they see.

    Nothing of it runs while records are translated.
    """

    text: str
    look: Callable[[Scope], Check]


@dataclass(frozen=True, slots=True)
class Column:
    """One domain column. ``read`` turns a raw JSON value (never ``UNSENT``) into a domain value or ``UNREADABLE``.

    A part of a packed column has ``raw`` = the packed column and ``part`` = its expression (read over value and image);
    ``value`` reads the packed raw value for it, and ``read`` is applied to the expression's result. ``symbols`` holds
    the only values possible where a code table decides them (without null).
    """

    name: str
    raw: str
    type: str
    read: Callable[[object], Value]
    pii: bool = False
    bookkeeping: bool = False
    part: Expression | None = None
    value: Callable[[object], Value] | None = None
    symbols: frozenset[Value] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A legacy table as a mapping declares it. ``physical`` is ``schema.table``; ``row`` are domain columns.

    ``groups``: one name for several domain columns; patterns have them expanded already.
    """

    physical: str
    name: str
    row: tuple[str, ...]
    columns: Mapping[str, Column]
    truncate: Literal["drift", "ignore"] = "drift"
    unexplained: Literal["report", "park"] = "report"
    undeclared: Literal["report", "park", "ignore"] = "report"

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _plain: tuple[tuple[str, str, Callable[[object], Value]], ...] = field(init=False, repr=False, compare=False)
    _parts: tuple[Column, ...] = field(init=False, repr=False, compare=False)
    _raw: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        columns = self.columns.values()
        plain = tuple((each.name, each.raw, each.read) for each in columns if each.part is None)
        object.__setattr__(self, "_plain", plain)
        object.__setattr__(self, "_parts", tuple(each for each in columns if each.part is not None))
        object.__setattr__(self, "_raw", frozenset(column.raw for column in columns))

    @property
    def raw_columns(self) -> frozenset[str]:
        """Legacy names of all declared columns."""
        return self._raw

    def read(self, image: Image) -> dict[str, Value]:
        """Domain values of one raw row image; a column not in it is ``MISSING``, a placeholder ``UNSENT``."""
        values: dict[str, Value] = {}
        for name, raw, read in self._plain:
            cell = image.get(raw, MISSING)
            values[name] = cell if isinstance(cell, Unavailable) else read(cell)
        if self._parts:
            plain = dict(values)
            for column in self._parts:
                values[column.name] = self._read_part(column, image.get(column.raw, MISSING), plain)
        return values

    def _read_part(self, column: Column, cell: object, plain: Mapping[str, Value]) -> Value:
        assert column.part is not None and column.value is not None
        value = cell if isinstance(cell, Unavailable) else column.value(cell)
        part = column.part(Scope(None, {}, {}, {}, image=plain, value=value))
        return part if isinstance(part, Unavailable) else column.read(part)


class Count(StrEnum):
    """How many rows a companion pattern wants."""

    ONE = "one"
    AT_MOST_ONE = "at most one"
    AT_LEAST_ONE = "at least one"
    ANY = "any"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class WhereTest:
    """A test of one column (language.md 4, where).

    ``from_``/``to`` false: ``equals`` holds the allowed values (one for a scalar), ``negated`` for ``{not: …}``; it is
    asked of ``row`` (after; on delete before). With ``transition``: the column changed, was one of ``was`` and became
    one of ``became`` (None = anything).
    """

    column: str
    equals: tuple[Value, ...] = ()
    negated: bool = False
    transition: bool = False
    was: tuple[Value, ...] | None = None
    became: tuple[Value, ...] | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rows of one table that a rule wants. Column sets have groups and ``any`` already expanded.

    ``changed`` None: not asked. ``takes``: columns an update match takes, if changed and untaken (``changed``, those
    with from/to, ``explains``). ``witness``: sees taken changes and takes none.
    """

    name: str
    table: str
    ops: frozenset[RowOp]
    changed: frozenset[str] | None = None
    where: tuple[WhereTest, ...] = ()
    takes: frozenset[str] = frozenset()
    witness: bool = False
    count: Count = Count.ONE
    when: Expression | None = None
    same: tuple[str, ...] = ()
    line: int = 0
    said: Clause | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class EventType:
    """An event this mapping fills: ``full_name`` is the Avro record's full name, ``schema`` its parsed contract (JSON).

    ``topic`` is without the installation's prefix. ``also``: older versions published beside it, newest first. These
    are ``deprecated``, until ``sunset`` if that was said, and their schemas carry both as properties.
    """

    name: str
    version: int
    full_name: str
    topic: str
    capability: str
    schema: Mapping[str, object]
    file: str = ""
    also: tuple[OlderVersion, ...] = ()
    deprecated: bool = False
    sunset: dt.date | None = None

    @property
    def versions(self) -> tuple[EventType, ...]:
        """Every version that is published, newest first."""
        return (self, *(older.type for older in self.also))


@dataclass(frozen=True, slots=True)
class OlderVersion:
    """An older version of an event. ``derive`` makes its payload of the newest version's.

    ``derive`` raises RecordError as a ``DataBuilder`` does, but names no rule.
    """

    type: EventType
    derive: Callable[[Mapping[str, object]], dict[str, object]]


@dataclass(frozen=True, slots=True)
class LookupSource:
    """A compacted topic of reference data, without the installation's prefix, and the ``columns`` that are looked up.

    ``wait``: seconds that a missing key is waited for; 0: not at all.
    """

    name: str
    topic: str
    wait: float
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule or a noise rule (``event`` None). ``anchor`` None: a ``once`` rule, all its patterns in ``companions``."""

    name: str
    event: str | None
    intent: Intent
    anchor: Pattern | None
    companions: tuple[Pattern, ...] = ()
    when: Expression | None = None
    data: DataBuilder | None = None
    slot: str = ""
    undecided_skip: bool = False
    on_error: Literal["park", "deadletter", "halt"] | None = None
    because: str = ""
    line: int = 0
    said: Clause | None = field(default=None, compare=False)
    lookups: frozenset[tuple[str, str]] = frozenset()
    """Lookups and columns that its data asks for."""


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """One mapping file, checked and compiled. ``digest`` (16 hex digits) covers its canonical form and its contracts.

    ``topics`` are without the installation's prefix; ``key`` are domain names of the aggregate's key columns.
    """

    name: str
    file: str
    topics: tuple[str, ...]
    aggregate: str
    key: tuple[str, ...]
    capability: str
    tables: Mapping[str, Table]
    """By physical name (``schema.table``)."""
    rules: tuple[Rule, ...]
    events: Mapping[str, EventType]
    digest: str
    unexplained: Literal["report", "park"] = "report"
    undeclared: Literal["report", "park", "ignore"] = "report"
    on_error: Literal["park", "deadletter", "halt"] = "park"
    lookups: Mapping[str, LookupSource] = field(default_factory=dict)

    @property
    def contracts(self) -> tuple[EventType, ...]:
        """Everything that is published: each event's newest version, and the older ones beside it."""
        return tuple(version for event in self.events.values() for version in event.versions)
