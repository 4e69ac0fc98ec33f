"""What a change set meant: domain events, what took each change, and what became of each record."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from gateway.model.errors import RecordError
from gateway.model.finding import Finding
from gateway.model.lookup import LookupUse
from gateway.model.record import Headers, RawRecord
from gateway.model.values import Unavailable, Value

__all__ = [
    "Accounting",
    "Check",
    "DomainEvent",
    "EncodedEvent",
    "Intent",
    "Interpretation",
    "Outcome",
    "OutcomeKind",
    "RowRef",
    "Took",
    "Tried",
    "Unexplained",
]


class Intent(StrEnum):
    """What kind of thing an event says."""

    FACT = "fact"
    CORRECTION = "correction"
    MERGE = "merge"
    PENDING = "pending"
    UNDETERMINED = "undetermined"
    STATE = "state"


class OutcomeKind(StrEnum):
    """The one settled outcome of a raw record (language.md 8); an ``ignored`` outcome also has a reason."""

    PUBLISHED = "published"
    IGNORED = "ignored"
    DEAD_LETTERED = "dead_lettered"
    PARKED = "parked"


class Outcome(Struct, frozen=True):
    """What became of one raw record. ``reason``: of an ignored one as in language.md 8, of a dead letter its class."""

    kind: OutcomeKind
    reason: str = ""


class RowRef(Struct, frozen=True):
    """Names the row an event hangs on (protocol.md 7). ``tx_id`` and ``lsn`` of the row's first change in the set.

    For a state event ``tx_id`` is None. ``row_key`` holds the raw values of the table's ``row:`` columns, as text.
    """

    tx_id: int | None
    lsn: int
    table: str
    row_key: tuple[str, ...]


class DomainEvent(Struct, frozen=True):
    """A business fact before encoding. ``data`` holds Avro-native values (fastavro's: date, datetime, Decimal, …).

    ``place`` is its place in the change set, in firing order (0-based); ``change`` the index, in the set, of the first
    change of the row it hangs on. ``lookups``: what its data took from reference data.
    """

    name: str
    version: int
    intent: Intent
    rule: str
    data: Mapping[str, object]
    row: RowRef
    place: int
    slot: str = ""
    change: int = 0
    lookups: tuple[LookupUse, ...] = ()


class Accounting(Struct, frozen=True):
    """Units of one change set: ``units = by_event + by_noise + bookkeeping + unexplained`` (language.md 8)."""

    units: int = 0
    by_event: int = 0
    by_noise: int = 0
    bookkeeping: int = 0
    unexplained: int = 0
    format_only: int = 0
    undeclared: int = 0
    undone: int = 0


class Unexplained(Struct, frozen=True):
    """A unit nobody took: ``column`` is None where the unit is the row."""

    table: str
    op: str
    column: str | None


class Check(Struct, frozen=True):
    """One test that a rule made, and what it saw.

    ``kind``: op, taken, changed (or a from/to of a column that did not change), where, when, same, count, takes, row (a
    row that a companion's pattern looked at) or part (of a ``when``). ``text``: the test as the mapping says it.
    ``truth``: true, false, or why it is unknown; None: not asked. ``saw``: values by the name that the mapping has for
    them. ``why``: in words, where it is not true. ``pattern``: the companion whose test it is. ``takers``: rules that
    had taken what it asks for. ``row``: of a check of kind row, its index among the change set's rows.
    """

    kind: str
    text: str
    truth: bool | Unavailable | None
    saw: tuple[tuple[str, Value], ...] = ()
    why: str = ""
    pattern: str = ""
    parts: tuple[Check, ...] = ()
    takers: tuple[str, ...] = ()
    row: int = -1


class Took(Struct, frozen=True):
    """What a firing took: a column of a row, or the row (``column`` None). ``row``: index among the set's rows."""

    row: int
    column: str | None


class Tried(Struct, frozen=True):
    """One line of the trace: a rule tried on a row, whether it fired, or where it stopped and why.

    ``row``: index among the change set's net rows, -1 for a ``once`` rule. ``checks``: all its tests, in the order in
    which they are made. ``event``: the place of the event it gave, -1 for none.
    """

    rule: str
    row: int
    fired: bool
    stopped_at: str = ""
    checks: tuple[Check, ...] = ()
    took: tuple[Took, ...] = ()
    event: int = -1


class Interpretation(Struct, frozen=True):
    """All that was learnt from one change set. With a ``failure`` there are no events: it fails whole.

    ``outcomes`` has one entry for each change of the set, in its order. ``noise`` counts units by noise rule.
    """

    events: tuple[DomainEvent, ...]
    outcomes: tuple[Outcome, ...]
    accounting: Accounting = Accounting()
    unexplained: tuple[Unexplained, ...] = ()
    findings: tuple[Finding, ...] = ()
    noise: Mapping[str, int] = field(default_factory=dict)
    failure: RecordError | None = None
    trace: tuple[Tried, ...] = ()


class EncodedEvent(Struct, frozen=True):
    """An event ready for the producer: topic (with the installation's prefix), key, value and headers as bytes."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    event: DomainEvent
    source: RawRecord
