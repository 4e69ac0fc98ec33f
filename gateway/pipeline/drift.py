"""Looks at a row of each table now and then: do its values still come in the form, and of the type, that they had?

What a record lacks or has too much is found when it is interpreted. A column that was retyped may go on without a word:
nothing reads it, its aggregates are parked, or its values are still readable. Nothing depends on what is found here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from gateway.model.change import ChangeEvent, Image
from gateway.model.finding import Finding, FindingKind
from gateway.model.unit import Unit
from gateway.model.values import UNREADABLE, Unavailable
from gateway.pipeline.columns import TablePlan, spelled

__all__ = ["DriftWatch"]

_EVERY = 0.5


class DriftWatch:
    """Remembers in which form of JSON each column came first. ``every``: seconds between two looks at a table."""

    def __init__(self, every: float = _EVERY) -> None:
        self._every = every
        self._next: dict[str, float] = {}
        self._forms: dict[tuple[str, str], str] = {}

    def look(self, unit: Unit, tables: Mapping[str, TablePlan], now: float) -> list[Finding]:
        """Findings about the tables of the unit that it is time to look at; ``now`` is a clock's seconds."""
        found: list[Finding] = []
        for entry in unit.entries:
            if type(entry) is not ChangeEvent or now < self._next.get(entry.table, 0.0) or entry.after is None:
                continue
            self._next[entry.table] = now + self._every
            plan = tables.get(entry.table)
            if plan is not None:
                found.extend(self._row(plan, entry.after))
        return found

    def _row(self, plan: TablePlan, image: Image) -> Iterator[Finding]:
        table = plan.table.physical
        for name, raw, read in plan.plain:
            if raw not in image:
                continue
            value = image[raw]
            form = _form(value)
            if not form:
                continue
            before = self._forms.setdefault((table, raw), form)
            if form != before:
                yield Finding(FindingKind.RETYPED, table, raw, f"{before} before, and come as {form} now")
            if read(value) is UNREADABLE:
                yield Finding(FindingKind.UNREADABLE, table, raw, spelled(plan.columns[name]))
        for raw in plan.row_raws:
            if raw not in image:
                yield Finding(FindingKind.MISSING, table, raw)


def _form(value: object) -> str:
    if value is None or isinstance(value, Unavailable):
        return ""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float, Decimal)):
        return "numbers"
    return "text" if isinstance(value, str) else "structures"
