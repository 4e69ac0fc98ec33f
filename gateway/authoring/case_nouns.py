"""What a test case is made of: steps, the rows given in each, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.model.errors import Fault

__all__ = ["Case", "ExpectedEvent", "GivenRow", "Image", "Place", "Step", "Then"]

Image = Mapping[str, object]
"""A row as legacy wrote it: legacy column → raw value."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a case file, for faults that only the mapping can tell. Line and column from 1."""

    file: str = ""
    line: int = 0
    column: int = 0
    excerpt: str = ""

    def fault(self, what: str, hint: str) -> Fault:
        """A fault at this place."""
        return Fault(self.file, self.line, self.column, what, hint, self.excerpt)


@dataclass(frozen=True, slots=True)
class GivenRow:
    """A row's change as it is written. ``op`` as in the file; an update's ``after`` has its ``before`` underneath.

    ``other``: the aggregate key on the far side (domain names) of ``leaves`` and ``arrives``.
    """

    table: str
    op: str
    before: Image | None
    after: Image | None
    other: Image | None = None
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class ExpectedEvent:
    """An event that must come out. ``exact``: ``data`` is its whole payload, else only the written fields count.

    ``intent``, ``key`` None: not compared. ``version`` None: the one that rules fill.
    """

    event: str
    intent: str | None = None
    data: object = field(default_factory=dict)
    exact: bool = False
    key: str | None = None
    version: int | None = None
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Then:
    """What a transaction means. ``unexplained``: ``table.column`` or ``table``; ``letters``: classes.

    ``outcomes``: what becomes of each given row (``published``, or the reason it is ignored for); None: not compared.
    """

    events: tuple[ExpectedEvent, ...] = ()
    unexplained: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    outcomes: tuple[str, ...] | None = None
    ordered: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction. ``name`` is empty where a case has only one; ``at_ms``: its commit time, None: a minute on."""

    name: str
    given: tuple[GivenRow, ...]
    then: Then
    at_ms: int | None = None
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Case:
    """Transactions, one after the other. ``rows`` stand before the first, by table; ``defaults``: what rows leave out.

    ``lookups``: name → key → fields of the entry.
    """

    name: str
    steps: tuple[Step, ...]
    rows: Mapping[str, tuple[Image, ...]] = field(default_factory=dict)
    defaults: Mapping[str, Image] = field(default_factory=dict)
    lookups: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    place: Place = Place()

    @property
    def line(self) -> int:
        """The line it begins in."""
        return self.place.line

    @property
    def given(self) -> tuple[GivenRow, ...]:
        """The rows of all steps."""
        return tuple(row for step in self.steps for row in step.given)

    @property
    def events(self) -> tuple[ExpectedEvent, ...]:
        """The events expected of all steps."""
        return tuple(event for step in self.steps for event in step.then.events)
