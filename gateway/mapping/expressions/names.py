"""What an expression may name: rows with their columns and operations, companions, key, conditions, code tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.mapping.branches import Watch
from gateway.mapping.compiled import RowOp
from gateway.mapping.contract import RecordOf
from gateway.mapping.expressions.syntax import Parsed
from gateway.mapping.kinds import Kind, Type
from gateway.mapping.nodes import Scalar
from gateway.model.values import Value

__all__ = ["HAS_AFTER", "HAS_BEFORE", "TRANSACTION", "CodeTable", "Companion", "LookupNames", "Names", "RowShape"]

HAS_BEFORE = frozenset({RowOp.UPDATE, RowOp.DELETE, RowOp.LEAVES})
HAS_AFTER = frozenset({RowOp.UPDATE, RowOp.INSERT, RowOp.ARRIVES, RowOp.SNAPSHOT})
TRANSACTION: Mapping[str, Type] = {"id": Type(Kind.INT), "time": Type(Kind.TIMESTAMP)}


@dataclass(frozen=True, slots=True)
class RowShape:
    """Columns and possible operations of a row. ``lost``: columns with faults; None where any may be among them."""

    table: str
    columns: Mapping[str, Type]
    ops: frozenset[RowOp]
    lost: frozenset[str] | None = frozenset()

    def hides(self, column: str) -> bool:
        """Whether an unknown column is the consequence of a fault noted elsewhere."""
        return self.lost is None or column in self.lost


@dataclass(frozen=True, slots=True)
class Companion:
    """A named pattern: one row (``is_list`` false) or a list of rows; ``none``: asked to be absent."""

    shape: RowShape
    is_list: bool
    none: bool = False


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A shared code table: raw text (None = null) to value."""

    codes: Mapping[str | None, Value]
    type: Type


@dataclass(frozen=True, slots=True)
class LookupNames:
    """The lookups that a rule's data may name, and (lookup, column) of those it does: the compiler notes them.

    ``lost``: some of them have faults, so an unknown one is no news.
    """

    known: frozenset[str] = frozenset()
    lost: bool = False
    used: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Names:
    """All that is visible at one place of a mapping. ``conditions`` hold None where one could not be parsed.

    ``value`` and ``image`` are set in parts only, ``payload`` in ``also`` only, and then nothing else is visible.
    ``lookups`` None: the filter ``lookup`` is not for this place. ``watch``: for branches that are
    compiled here; None lets them be.
    """

    anchor: RowShape | None = None
    companions: Mapping[str, Companion] = field(default_factory=dict)
    key: Mapping[str, Type] = field(default_factory=dict)
    item: RowShape | None = None
    conditions: Mapping[str, Parsed | None] = field(default_factory=dict)
    codes: Mapping[str, CodeTable] = field(default_factory=dict)
    value: Type | None = None
    image: Mapping[str, Type] | None = None
    doubtful: bool = False
    payload: RecordOf | None = None
    lookups: LookupNames | None = None
    watch: Watch | None = None

    def within(self, scalar: Scalar, fills: str = "") -> Names:
        """The same for the text of a scalar, so that a branch in it has its place; ``fills``: the event's field."""
        return self if self.watch is None else replace(self, watch=self.watch.within(scalar, fills))

    def after(self, offset: int) -> Names:
        """The same for an expression that begins so many characters on."""
        return self if self.watch is None else replace(self, watch=self.watch.after(offset))
