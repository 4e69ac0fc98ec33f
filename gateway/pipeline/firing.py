"""One rule tried on one change set: its companions counted and named, its truth, what it takes (language.md 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.mapping.compiled import Count, Pattern, RowOp, RowView, Scope, Truth
from gateway.model.values import UNSENT, Unavailable, Value
from gateway.pipeline.match import both, count_truth, fits
from gateway.pipeline.rows import NetRow

__all__ = ["Companion", "Search", "take"]

_LISTS = frozenset({Count.AT_LEAST_ONE, Count.ANY})
_REST: frozenset[str] = frozenset()

Named = RowView | Sequence[RowView] | Unavailable | None


class Companion(NamedTuple):
    """What a companion pattern found: whether its count holds, what its name stands for, rows that surely fit."""

    truth: Truth
    named: Named
    rows: list[NetRow]


class Search:
    """The rows of one table that may still fit one pattern while one rule runs; a row that does not fit is let go.

    With ``same`` rows are found by hash, so a rule's work stays linear in the rows of the change set.
    """

    def __init__(
        self, pattern: Pattern, rows: list[NetRow], key: dict[str, Value], transaction: dict[str, Value]
    ) -> None:
        self._pattern = pattern
        self._key, self._transaction = key, transaction
        self._rows = [row for row in rows if row.op in pattern.ops]
        self._buckets: dict[tuple[Value, ...], list[NetRow]] | None = None
        self._vague: list[tuple[NetRow, Unavailable]] = []
        if pattern.same:
            self._index(pattern.same)

    def _index(self, same: tuple[str, ...]) -> None:
        buckets: dict[tuple[Value, ...], list[NetRow]] = {}
        for row in self._rows:
            values = _values(row, same)
            if isinstance(values, Unavailable):
                self._vague.append((row, values))
            else:
                buckets.setdefault(values, []).append(row)
        self._buckets = buckets

    def scope(self, row: NetRow) -> Scope:
        """What a pattern's own ``when`` may touch: its row."""
        return Scope(row, {}, self._key, self._transaction)

    def find(self, anchor: NetRow | None) -> Companion:
        """Count and name the rows that fit beside ``anchor``."""
        if self._buckets is None or anchor is None:
            return self._counted(self._rows, anchor, [], UNSENT)
        wanted = _values(anchor, self._pattern.same)
        if isinstance(wanted, Unavailable):
            vague = [
                row for row in self._rows if row is not anchor and fits(self._pattern, row, self.scope) is not False
            ]
            return self._counted([], anchor, vague, wanted)
        vague = [
            row for row, _ in self._vague if row is not anchor and fits(self._pattern, row, self.scope) is not False
        ]
        reason = self._vague[0][1] if self._vague else UNSENT
        return self._counted(self._buckets.get(wanted, []), anchor, vague, reason)

    def _counted(
        self, rows: list[NetRow], anchor: NetRow | None, vague: list[NetRow], reason: Unavailable
    ) -> Companion:
        certain: list[NetRow] = []
        unknown = len(vague)
        gone = 0
        for row in rows:
            if row is anchor:
                continue
            truth = fits(self._pattern, row, self.scope)
            if truth is True:
                certain.append(row)
            elif truth is False:
                gone += 1
            else:
                unknown += 1
                reason = truth
        if gone:
            rows[:] = [row for row in rows if row is anchor or fits(self._pattern, row, self.scope) is not False]
        truth = count_truth(self._pattern.count, len(certain), unknown, reason)
        return Companion(truth, reason if unknown else self._name(certain), certain)

    def _name(self, certain: list[NetRow]) -> Named:
        if self._pattern.count in _LISTS:
            return certain
        return certain[0] if certain else None


def _values(row: NetRow, columns: tuple[str, ...]) -> tuple[Value, ...] | Unavailable:
    if row.row is None:
        return UNSENT
    values = tuple(row.row[name] for name in columns)
    truth: Truth = True
    for value in values:
        if isinstance(value, Unavailable):
            truth = both(truth, value)
    return values if truth is True else truth  # type: ignore[return-value]


def take(pattern: Pattern, row: NetRow, what: str) -> int:
    """Take what the pattern takes of the row; the number of units (columns of an update, else the row) newly taken."""
    if pattern.witness:
        return 0
    if row.op is not RowOp.UPDATE:
        if row.took:
            return 0
        row.took[None] = what
        return 1
    taken = row.untaken & pattern.takes
    for column in taken:
        row.took[column] = what
    row.untaken = row.untaken - taken
    return len(taken)
