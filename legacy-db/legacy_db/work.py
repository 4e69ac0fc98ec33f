"""A planned transaction: what it means, what it writes, and how it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from legacy_db.tables import Row, Table

__all__ = ["Aggregate", "Copy", "Fact", "Pause", "Sql", "Step", "Transaction", "Writer"]

Aggregate = tuple[str, int]
"""An aggregate's type and id."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who stamps the rows. `condition` says how far the stamp is to be trusted: clean, blank, shared, stale, wrong."""

    user: str
    program: str
    condition: str = "clean"


@dataclass(frozen=True, slots=True)
class Fact:
    """One business fact. `twin` names what was really meant where legacy writes two meanings alike."""

    event: str
    intent: str
    aggregate: Aggregate
    data: Mapping[str, Any]
    twin: str | None = None


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement and its parameters."""

    text: str
    values: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """A COPY FROM STDIN of whole rows."""

    table: Table
    columns: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Pause:
    """The user thinks, in seconds."""

    seconds: float


Step = Sql | Copy | Pause


@dataclass(slots=True)
class Transaction:
    """What one transaction means and does; filled by a Draft, run by the executor, told to the truth file."""

    label: str
    application: str
    writer: Writer
    facts: list[Fact] = field(default_factory=list)
    why_none: str | None = None
    untranslatable: list[Aggregate] = field(default_factory=list)
    unexplained: dict[Aggregate, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    touched: dict[Aggregate, None] = field(default_factory=dict)
    created: set[Aggregate] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    mixed: int = 0
    rolls_back: bool = False
    retried: bool = False
    lingers: bool = False
    is_ddl: bool = False
    stamped_badly: bool = False
