"""What a comparison of two versions of the mappings found: counts, findings by cause, examples; parts add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

__all__ = [
    "Diff",
    "Difference",
    "EventCause",
    "Example",
    "Finding",
    "LetterCause",
    "RowShown",
    "Said",
    "Touched",
    "TypeCounts",
    "UnexplainedCause",
]


_Cause = TypeVar("_Cause")


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """What an event says it is: its name, its contract's major version, its intent."""

    event: str
    version: int
    intent: str

    def __str__(self) -> str:
        return f"{self.event} v{self.version}" + ("" if self.intent == "fact" else f" ({self.intent})")


@dataclass(frozen=True, slots=True)
class EventCause:
    """Why events differ. ``kind``: added, gone, changed, rule (the same event, said by another rule) or order.

    ``old``/``new``: what was and is said, None where nothing was. ``old_rule``/``new_rule`` are ``mapping/rule``; on
    the side without an event, what came instead: a noise rule, a dead letter, nothing. Of a change set whose events
    come in another order, ``old`` and ``new`` are the events of the first place that differs.
    """

    kind: str
    aggregate: str
    old: Said | None
    new: Said | None
    old_rule: str
    new_rule: str

    @property
    def name(self) -> str:
        """The event's name, with both names where it has another one now."""
        names = [said.event for said in (self.old, self.new) if said is not None]
        return " → ".join(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class LetterCause:
    """Why dead letters differ. ``kind``: added, gone, changed (another class); ``old``/``new``: class, '' for none."""

    kind: str
    aggregate: str
    old: str
    new: str
    old_rule: str
    new_rule: str


@dataclass(frozen=True, slots=True)
class UnexplainedCause:
    """Why unexplained changes differ. ``kind``: added, gone; which columns: the finding's ``fields``.

    ``old_rule``/``new_rule``: what took the change, or ``unexplained``.
    """

    kind: str
    aggregate: str
    table: str
    op: str
    old_rule: str
    new_rule: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a payload that differs. ``kind``: changed, added, gone; values are plain JSON."""

    path: str
    kind: str
    old: object = None
    new: object = None


@dataclass(frozen=True, slots=True)
class RowShown:
    """A legacy row before and after the transaction, raw values by legacy name; ``changed``: columns that differ."""

    table: str
    op: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One case of a finding. ``time``: ISO, of the commit; ``rows``: the transaction's, the event's own row first."""

    aggregate_id: str
    record: str
    time: str
    tx: int | None
    differences: tuple[Difference, ...] = ()
    old: Mapping[str, object] | None = None
    new: Mapping[str, object] | None = None
    rows: tuple[RowShown, ...] = ()
    why: str = ""
    event_id: str = ""


@dataclass(slots=True)
class Finding:
    """All cases of one cause. ``fields``: how often each payload field (or ``intent``, ``event``, …) differs."""

    count: int = 0
    aggregates: set[str] = field(default_factory=set)
    fields: dict[str, int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)

    def add(self, other: Finding, examples: int) -> None:
        """Take over what another part found, with at most so many examples in all."""
        self.count += other.count
        self.aggregates |= other.aggregates
        for name, count in other.fields.items():
            self.fields[name] = self.fields.get(name, 0) + count
        self.examples += other.examples[: max(examples - len(self.examples), 0)]


@dataclass(slots=True)
class TypeCounts:
    """Events of one type: how many the old and the new version say, and what became of them.

    One that has another name now is a changed one of its old type.
    """

    old: int = 0
    new: int = 0
    added: int = 0
    gone: int = 0
    changed: int = 0

    def add(self, other: TypeCounts) -> None:
        """Add another part's counts."""
        for name in ("old", "new", "added", "gone", "changed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Touched:
    """What differs for one aggregate."""

    added: int = 0
    gone: int = 0
    changed: int = 0
    letters: int = 0
    unexplained: int = 0
    order: int = 0

    @property
    def total(self) -> int:
        """All differences."""
        return self.added + self.gone + self.changed + self.letters + self.unexplained + self.order


@dataclass(slots=True)
class Diff:
    """The whole of a comparison, or of one part of the records.

    ``records``: change records compared; ``outcomes``: by outcome the number of records, old and new; ``types`` by
    (aggregate, event name); ``touched`` by (aggregate, id). ``examples``: how many are kept for each finding.
    """

    examples: int = 3
    records: int = 0
    units: int = 0
    types: dict[tuple[str, str], TypeCounts] = field(default_factory=dict)
    outcomes: dict[str, list[int]] = field(default_factory=dict)
    events: dict[EventCause, Finding] = field(default_factory=dict)
    letters: dict[LetterCause, Finding] = field(default_factory=dict)
    unexplained: dict[UnexplainedCause, Finding] = field(default_factory=dict)
    touched: dict[tuple[str, str], Touched] = field(default_factory=dict)

    def add(self, other: Diff) -> None:
        """Add what was found in other partitions (an aggregate's records stand in one)."""
        self.records += other.records
        self.units += other.units
        for name, counts in other.types.items():
            self.types.setdefault(name, TypeCounts()).add(counts)
        for outcome, (old, new) in other.outcomes.items():
            both = self.outcomes.setdefault(outcome, [0, 0])
            both[0], both[1] = both[0] + old, both[1] + new
        self._findings(self.events, other.events)
        self._findings(self.letters, other.letters)
        self._findings(self.unexplained, other.unexplained)
        self.touched.update(other.touched)

    def _findings(self, mine: dict[_Cause, Finding], theirs: Mapping[_Cause, Finding]) -> None:
        for cause, finding in theirs.items():
            mine.setdefault(cause, Finding()).add(finding, self.examples)
