"""Row-by-row comparison of what consumers know with what the legacy system says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Comparison", "Difference", "DifferenceKind", "ViewRow", "compare"]

_ABSENT = object()


class DifferenceKind(StrEnum):
    """How a row differs: only legacy has it, only the projection has it, or a column's values differ."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One row of a view: the aggregate it belongs to (``Type/id``), its key, its JSON values by column."""

    view: str
    aggregate: str
    key: tuple[object, ...]
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: ``legacy`` and ``projected`` are the column's values (None with a missing or extra row)."""

    kind: DifferenceKind
    view: str
    aggregate: str
    key: tuple[object, ...]
    column: str = ""
    legacy: object = None
    projected: object = None

    def __str__(self) -> str:
        place = f"{self.view} {self.aggregate} {list(self.key)}"
        if self.kind is DifferenceKind.DIFFERENT:
            return f"{place}: {self.column}: legacy has {self.legacy!r}, consumers have {self.projected!r}"
        return f"{place}: {self.kind} (consumers against legacy)"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it. ``parked_rows`` belong to parked aggregates: set apart, and counted."""

    compared_rows: int
    differences: tuple[Difference, ...]
    parked_rows: int


def compare(legacy: Iterable[ViewRow], projected: Iterable[ViewRow], parked: frozenset[str]) -> Comparison:
    """Compare two sets of rows by (view, key); rows of ``parked`` aggregates (``Type/id``) are only counted."""
    left = {(row.view, row.key): row for row in legacy}
    right = {(row.view, row.key): row for row in projected}
    names = sorted(left.keys() | right.keys(), key=repr)
    rows = {name: left.get(name) or right[name] for name in names}
    compared = [name for name in names if rows[name].aggregate not in parked]
    differences = [found for name in compared for found in _differences(left.get(name), right.get(name))]
    return Comparison(len(compared), tuple(differences), len(names) - len(compared))


def _differences(legacy: ViewRow | None, projected: ViewRow | None) -> list[Difference]:
    if legacy is None and projected is not None:
        return [Difference(DifferenceKind.EXTRA, projected.view, projected.aggregate, projected.key)]
    if legacy is None or projected is None:
        return [Difference(DifferenceKind.MISSING, row.view, row.aggregate, row.key) for row in [legacy] if row]
    columns = sorted(legacy.values.keys() | projected.values.keys())
    return [
        Difference(
            DifferenceKind.DIFFERENT,
            legacy.view,
            legacy.aggregate,
            legacy.key,
            column,
            legacy.values.get(column),
            projected.values.get(column),
        )
        for column in columns
        if legacy.values.get(column, _ABSENT) != projected.values.get(column, _ABSENT)
    ]
