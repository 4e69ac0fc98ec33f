"""One rule tried on one change set: its companions counted and named, its truth, what it takes (language.md 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from gateway.mapping.compiled import Count, Pattern, RowOp, RowView, Scope, Truth
from gateway.model.values import UNSENT, Unavailable, Value
from gateway.pipeline.match import both, count_truth, fits
from gateway.pipeline.rows import NetRow

__all__ = ["Companion", "Search", "take"]

_LISTS = frozenset({Count.AT_LEAST_ONE, Count.ANY})

Named = RowView | Sequence[RowView] | Unavailable | None


class Companion(NamedTuple):
    """What a companion pattern found: whether its count holds, what its name stands for, rows that surely fit."""

    truth: Truth
    named: Named
    rows: list[NetRow]


class _Pool:
    """Rows that are alike to every anchor that asks for them: tried once, and again only after a firing took some.

    So a rule's work stays linear in the rows of the change set. ``certain``: rows that fit; ``doubts``: rows that may
    fit, with the reason; ``vague``: the gravest reason why a row may not equal the anchor (``same``).
    """

    __slots__ = ("certain", "doubts", "gravest", "places", "rows", "vague", "version")

    def __init__(self) -> None:
        self.rows: list[NetRow] = []
        self.version = -1
        self.certain: list[NetRow] = []
        self.places: dict[NetRow, int] = {}
        self.doubts: dict[NetRow, Unavailable] = {}
        self.gravest: Unavailable = UNSENT
        self.vague: Unavailable = UNSENT

    def refresh(self, version: int, fit: Callable[[NetRow], Truth]) -> None:
        """Try the rows anew if something was taken since; one that does not fit any more is let go for good."""
        if self.version == version:
            return
        self.version = version
        self.certain, self.doubts = [], {}
        for row in self.rows:
            truth = fit(row)
            if truth is True:
                self.certain.append(row)
            elif isinstance(truth, Unavailable):
                self.doubts[row] = truth
        self.gravest = _gravest(self.doubts.values())
        self.places = {row: place for place, row in enumerate(self.certain)}
        if len(self.places) + len(self.doubts) < len(self.rows):
            self.rows = [row for row in self.rows if row in self.places or row in self.doubts]

    def certain_beside(self, anchor: NetRow | None) -> list[NetRow]:
        """The rows that fit, in first-record order; an anchor is not its own companion."""
        place = None if anchor is None else self.places.get(anchor)
        return self.certain if place is None else self.certain[:place] + self.certain[place + 1 :]

    def doubts_beside(self, anchor: NetRow | None) -> tuple[int, Unavailable]:
        """How many rows may fit, and the gravest reason."""
        return len(self.doubts) - (anchor in self.doubts), self.gravest

    def all_beside(self, anchor: NetRow | None) -> tuple[int, Unavailable]:
        """The same where no row is certain, since ``same`` is in doubt."""
        number = len(self.places) + len(self.doubts) - (anchor in self.places or anchor in self.doubts)
        return number, _gravest((self.vague, self.gravest))


class Search:
    """The rows of one table that may still fit one pattern while one rule runs; with ``same`` found by hash.

    Rows are pooled by the columns of ``same`` that are known and by their values, so an anchor asks a few pools: the
    one that surely equals it, and those that may. Where a known column differs the row is none, whatever the others.
    """

    def __init__(
        self, pattern: Pattern, rows: list[NetRow], key: dict[str, Value], transaction: dict[str, Value]
    ) -> None:
        self._pattern = pattern
        self._key, self._transaction = key, transaction
        self._version = 0
        self._by_known: dict[tuple[str, ...], list[NetRow]] = {}
        self._indexes: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[tuple[Value, ...], _Pool]] = {}
        for row in rows:
            if row.op in pattern.ops:
                self._by_known.setdefault(_known(row, pattern.same), []).append(row)

    def taken(self) -> None:
        """A firing took changes: what was tried before is to be tried again."""
        self._version += 1

    def scope(self, row: NetRow) -> Scope:
        """What a pattern's own ``when`` may touch: its row."""
        return Scope(row, {}, self._key, self._transaction)

    def find(self, anchor: NetRow | None) -> Companion:
        """Count and name the rows that fit beside ``anchor``."""
        certain: list[NetRow] = []
        unknown, reason = 0, UNSENT
        for pool, sure in self._pools(anchor):
            if sure:
                certain = pool.certain_beside(anchor)
            number, why = pool.doubts_beside(anchor) if sure else pool.all_beside(anchor)
            if number:
                unknown += number
                reason = _gravest((reason, why, *(() if sure else _doubts(anchor, self._pattern.same))))
        truth = count_truth(self._pattern.count, len(certain), unknown, reason)
        return Companion(truth, reason if unknown else self._name(certain), certain)

    def _pools(self, anchor: NetRow | None) -> Iterator[tuple[_Pool, bool]]:
        """The pools of rows that may equal the anchor, and whether they surely do."""
        same = self._pattern.same if anchor is not None else ()
        asked = () if anchor is None else _known(anchor, same)
        for known in self._by_known:
            columns = tuple(name for name in known if name in asked)
            pool = self._index(known, columns).get(_values(anchor, columns) if anchor is not None else ())
            if pool is not None:
                pool.refresh(self._version, self._fit)
                yield pool, len(columns) == len(same)

    def _index(self, known: tuple[str, ...], columns: tuple[str, ...]) -> dict[tuple[Value, ...], _Pool]:
        index = self._indexes.get((known, columns))
        if index is None:
            index = self._indexes[known, columns] = {}
            for row in self._by_known[known]:
                pool = index.setdefault(_values(row, columns), _Pool())
                pool.rows.append(row)
                pool.vague = _gravest((pool.vague, *_doubts(row, self._pattern.same)))
        return index

    def _fit(self, row: NetRow) -> Truth:
        return fits(self._pattern, row, self.scope)

    def _name(self, certain: list[NetRow]) -> Named:
        if self._pattern.count in _LISTS:
            return certain
        return certain[0] if certain else None


def _gravest(reasons: Iterable[Unavailable]) -> Unavailable:
    truth: Truth = UNSENT
    for reason in set(reasons):
        truth = both(truth, reason)
    return truth if isinstance(truth, Unavailable) else UNSENT


def _known(row: NetRow, columns: tuple[str, ...]) -> tuple[str, ...]:
    named = zip(columns, _values(row, columns), strict=True)
    return tuple(name for name, value in named if not isinstance(value, Unavailable))


def _doubts(row: NetRow | None, columns: tuple[str, ...]) -> tuple[Unavailable, ...]:
    values = () if row is None else _values(row, columns)
    return tuple(value for value in values if isinstance(value, Unavailable))


def _values(row: NetRow, columns: tuple[str, ...]) -> tuple[Value, ...]:
    image = row.row
    return tuple(UNSENT if image is None else image[name] for name in columns)


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
