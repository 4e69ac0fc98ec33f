"""The trace of an interpretation: each rule tried on each row, each of its tests with what it saw, what it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gateway.mapping.compiled import Pattern, Rule, Scope, Truth
from gateway.model.event import Check, Took, Tried
from gateway.model.values import Unavailable
from gateway.pipeline.firing import Companion, Search
from gateway.pipeline.match import both, fits
from gateway.pipeline.probe import Taken, clause, probe, same, word
from gateway.pipeline.rows import NetRow

__all__ = ["Tracer"]

_SHOWN = 6
"""Rows of a companion's table that are told, nearest first."""

_MANY = 64
"""Above so many rows a change set's trace leaves details out: it must not be quadratic in them."""

Searches = Sequence[tuple[Pattern, Search]]


class Tracer:
    """Watches one interpretation. It asks the questions the rules ask, on the rows as they are then; it decides none.

    ``physical``: a pattern's table as ``schema.table``; ``search``: a fresh search; ``scope``: what a row's own tests
    may touch.
    """

    def __init__(
        self,
        rows: Sequence[NetRow],
        physical: Callable[[Pattern], str],
        search: Callable[[Pattern], Search],
        scope: Callable[[NetRow], Scope],
    ) -> None:
        self.tried: list[Tried] = []
        self._rows, self._physical, self._search, self._scope = rows, physical, search, scope
        self._takers: Taken = {}
        self._firing: tuple[Rule, int, tuple[Check, ...]] | None = None

    def stopped(self, rule: Rule, index: int, at: str, searches: Searches | None = None) -> None:
        """``rule`` did not fire on the row ``index`` (-1: it has no anchor)."""
        self.tried.append(Tried(rule.name, index, False, at, self._checks(rule, index, searches)))

    def firing(self, rule: Rule, index: int, searches: Searches) -> None:
        """``rule`` is about to fire: its event may still fail."""
        self._firing = rule, index, self._checks(rule, index, searches)

    def fired(self, event: int) -> None:
        """It fired and took; ``event``: the place of its event, -1 for none."""
        assert self._firing is not None
        rule, index, checks = self._firing
        took = []
        for number, row in enumerate(self._rows):
            for column in row.took:
                if (number, column) not in self._takers:
                    self._takers[number, column] = rule.name
                    took.append(Took(number, column))
        self.tried.append(Tried(rule.name, index, True, "", checks, tuple(took), event))
        self._firing = None

    def whole(self, failure: str = "") -> tuple[Tried, ...]:
        """The trace; of a rule that was firing when the set failed, ``failure`` is where it stopped."""
        if self._firing is not None:
            rule, index, checks = self._firing
            self.tried.append(Tried(rule.name, index, False, failure, checks))
            self._firing = None
        return tuple(self.tried)

    # -- what a rule asks ----

    def _checks(self, rule: Rule, index: int, searches: Searches | None) -> tuple[Check, ...]:
        anchor = self._rows[index] if index >= 0 else None
        checks: list[Check] = []
        if rule.anchor is not None and anchor is not None:
            checks.extend(probe(rule.anchor, anchor, index, self._takers, self._scope))
            if anchor.op not in rule.anchor.ops:
                return tuple(checks)
        if searches is None and anchor is not None and len(self._rows) > _MANY:
            return tuple(checks)
        found: dict[str, Companion] = {}
        for pattern, search in searches or [(each, self._search(each)) for each in rule.companions]:
            found[pattern.name] = companion = search.find(anchor)
            checks.append(self._count(pattern, companion, anchor))
        if anchor is None:
            checks.extend(self._takes(rule, found))
        if rule.when is not None:
            named = {name: companion.named for name, companion in found.items()}
            base = self._scope(anchor) if anchor is not None else self._scope(self._rows[0])
            scope = Scope(anchor, named, base.key, base.transaction)
            checks.append(clause(rule.when, rule.said, scope))
        return tuple(checks)

    def _count(self, pattern: Pattern, companion: Companion, anchor: NetRow | None) -> Check:
        table = self._physical(pattern)
        rows = [
            self._row(pattern, row, number, anchor)
            for number, row in enumerate(self._rows[:_MANY])
            if row.plan.table.physical == table and row is not anchor
        ]
        rows.sort(key=_distance)
        fit = len(companion.rows)
        text = f"{pattern.name}: {{table: {pattern.table}, count: {pattern.count}}}"
        why = "" if companion.truth is True else _counted(pattern.table, fit, len(rows))
        takers = tuple(dict.fromkeys(taker for row in rows for part in row.parts for taker in part.takers))
        shown = tuple(rows[:_SHOWN])
        return Check("count", text, companion.truth, (("rows that fit", fit),), why, pattern.name, shown, takers)

    def _row(self, pattern: Pattern, row: NetRow, number: int, anchor: NetRow | None) -> Check:
        parts = tuple(probe(pattern, row, number, self._takers, self._scope))
        if anchor is not None and pattern.same:
            parts = (*parts, *same(pattern, row, anchor))
        truth: Truth = fits(pattern, row, self._scope)
        for part in parts:
            if part.kind == "same" and part.truth is not None:
                truth = both(truth, part.truth)
        image = row.row or {}
        key = " ".join(f"{name}={word(image[name])}" for name in row.plan.table.row)
        return Check("row", f"{row.plan.table.name} {key}", truth, parts=parts, row=number, pattern=pattern.name)

    @staticmethod
    def _takes(rule: Rule, found: dict[str, Companion]) -> Iterator[Check]:
        takers = [pattern for pattern in rule.companions if not pattern.witness]
        rows = sum(len(found[pattern.name].rows) for pattern in takers)
        if rows == 0:
            doubt = any(isinstance(found[pattern.name].named, Unavailable) for pattern in takers)
            yield Check("takes", "something to take", None if doubt else False, why="nothing to take")


def _distance(row: Check) -> tuple[bool, int]:
    return row.truth is not True, sum(part.truth is not True for part in row.parts)


def _counted(table: str, fit: int, rows: int) -> str:
    if rows == 0:
        return f"no row of {table} in the change set"
    return f"{fit} of {rows} rows of {table} fit"
