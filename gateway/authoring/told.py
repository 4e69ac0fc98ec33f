"""What an explanation says: plain values all through, so that text, JSON and pages show the same."""

from __future__ import annotations

from msgspec import Struct

__all__ = [
    "FORMAT",
    "VERSION",
    "ChangeSetTold",
    "CheckTold",
    "ColumnTold",
    "EventTold",
    "Explanation",
    "FailureTold",
    "ParkedTold",
    "RecordTold",
    "RowTold",
    "RuleTold",
    "UnitTold",
]

FORMAT = "gateway-explanation"
VERSION = 1


class RecordTold(Struct, frozen=True):
    """One raw record. ``raw``: as in a line of a recording, all that is needed to read it again.

    ``entry``: row, snapshot, broken, duplicate, or the kind of a mark.
    """

    place: str
    offset: int
    entry: str
    table: str
    op: str
    outcome: str
    reason: str
    raw: list[object]


class UnitTold(Struct, frozen=True):
    """The stretch of the partition that is settled together. ``records``: how many it has, of all aggregates."""

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    records: int
    transaction: int | None
    time: str
    incarnation: int
    commit: int
    before: list[int] | None
    restarted: bool


class ColumnTold(Struct, frozen=True):
    """One column of a row: domain and legacy name, domain and raw values. An unavailable value is a map that says why.

    ``taken_by``: the rule that took its change, or ``bookkeeping`` or ``unexplained``; empty where it did not change.
    """

    name: str
    raw: str
    before: object
    after: object
    raw_before: object
    raw_after: object
    changed: bool
    taken_by: str
    pii: bool


class RowTold(Struct, frozen=True):
    """What the transaction did to one row. ``taken_by``: of a row that is no update, the rule that took it."""

    table: str
    name: str
    op: str
    key: dict[str, object]
    records: list[str]
    columns: list[ColumnTold]
    taken_by: str
    format_only: list[str]
    undeclared: list[str]
    undone: list[str]


class CheckTold(Struct, frozen=True):
    """One test: what it asks, ``true``, ``false``, ``unknown (reason)`` or ``not asked``, and the values it saw."""

    kind: str
    text: str
    truth: str
    saw: dict[str, object]
    why: str
    pattern: str
    takers: list[str]
    parts: list[CheckTold]


class RuleTold(Struct, frozen=True):
    """A rule tried on a row (its index in ``rows``; -1: a rule without anchor). ``took``: ``[row, column]`` pairs."""

    rule: str
    event: str
    intent: str
    line: int
    row: int
    fired: bool
    stopped_at: str
    checks: list[CheckTold]
    took: list[list[object]]
    place: int


class EventTold(Struct, frozen=True):
    """An event: what it says, its identity, its bytes. ``schema_id``: None where no registry was asked."""

    event: str
    version: int
    intent: str
    rule: str
    key: str
    data: object
    id: str
    sequence: str
    time: str
    topic: str
    subject: str
    schema_id: int | None
    size: int
    head: str
    headers: dict[str, str]
    record: str


class FailureTold(Struct, frozen=True):
    """Why a change set is a dead letter."""

    letter_class: str
    what: str
    where: str
    hint: str
    rule: str
    stage: str


class ParkedTold(Struct, frozen=True):
    """The earlier failure that an aggregate is parked behind, as it stood before this unit."""

    head: int
    last: int
    letters: int
    attempt: int
    letter_class: str


class ChangeSetTold(Struct, frozen=True):
    """The transaction's changes to one aggregate. ``untried``: rules without a row of their tables."""

    mapping: str
    file: str
    digest: str
    aggregate: str
    id: str
    key: dict[str, object]
    snapshot: bool
    rows: list[RowTold]
    rules: list[RuleTold]
    untried: list[str]
    events: list[EventTold]
    units: dict[str, int]
    unexplained: list[str]
    findings: list[str]
    failure: FailureTold | None
    parked: ParkedTold | None


class Explanation(Struct, frozen=True):
    """The answer to: what became of this record, and why? ``records``: those settled with it, all of its change set.

    ``letters``: dead letters of these records as they stand in the topic, where one was looked into.
    """

    format: str
    version: int
    record: str
    outcome: str
    reason: str
    said: str
    records: list[RecordTold]
    unit: UnitTold | None
    change_set: ChangeSetTold | None
    letters: list[dict[str, object]] = []
