"""The rows of a change set as an explanation shows them: domain and raw values, and what took each change."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.authoring.packed import shown
from gateway.authoring.told import ColumnTold, RowTold
from gateway.mapping.compiled import Column, RowOp
from gateway.model.change import ChangeSet, Image
from gateway.model.errors import RecordError
from gateway.model.event import Tried
from gateway.model.values import MISSING, Value
from gateway.pipeline.columns import Columns
from gateway.pipeline.net import Path, paths
from gateway.pipeline.plan import MappingPlan
from gateway.pipeline.rows import NetRow, net_row

__all__ = ["net_rows", "rows_told"]


def net_rows(change_set: ChangeSet, plan: MappingPlan) -> list[tuple[Path, NetRow | None]]:
    """The rows that rules see, in their order; None for one whose values do not decode.

    Rows that the transaction inserted and deleted are left out. RecordError: the paths cannot be told.
    """
    found: list[tuple[Path, NetRow | None]] = []
    for path in paths(change_set.changes, plan.tables)[0]:
        try:
            row = net_row(path, plan.mapping.key)
        except RecordError:
            found.append((path, None))
        else:
            found.extend([(path, row)] if row is not None else [])
    return found


class _Takers(dict[tuple[int, str | None], str]):
    """What took a column of a row, or the row (None); ``rest``: the word for what nobody took."""

    def __init__(self, trace: Sequence[Tried], rest: str) -> None:
        super().__init__({(took.row, took.column): tried.rule for tried in trace for took in tried.took})
        self.rest = rest


def rows_told(change_set: ChangeSet, plan: MappingPlan, trace: Sequence[Tried], *, failed: bool) -> list[RowTold]:
    """The change set's rows; none where their paths cannot be told. Of a set that ``failed`` nothing is unexplained."""
    takers = _Takers(trace, "" if failed else "unexplained")
    try:
        rows = net_rows(change_set, plan)
    except RecordError:
        return []
    return [_row(change_set, path, row, number, takers) for number, (path, row) in enumerate(rows)]


def _row(change_set: ChangeSet, path: Path, row: NetRow | None, number: int, takers: _Takers) -> RowTold:
    plan = path.plan
    before = None if path.before is None else Columns(plan, path.before)
    after = None if path.after is None else Columns(plan, path.after)
    image = after if after is not None else before
    op = _op(path) if row is None else str(row.op)
    return RowTold(
        plan.table.physical,
        plan.table.name,
        op,
        {name: shown(image[name]) for name in plan.table.row} if image is not None else {},
        [change_set.changes[place].record.place for place in path.places],
        [_column(column, path, row, before, after, number, takers) for column in plan.columns.values()],
        takers.get((number, None), takers.rest if op not in ("update", "snapshot") else ""),
        list(row.format_only) if row else [],
        list(row.undeclared) if row else [],
        list(row.undone) if row else [],
    )


def _op(path: Path) -> str:
    if path.before is None:
        return str(RowOp.INSERT)
    return str(RowOp.DELETE if path.after is None else RowOp.UPDATE)


def _column(
    column: Column,
    path: Path,
    row: NetRow | None,
    before: Columns | None,
    after: Columns | None,
    number: int,
    takers: _Takers,
) -> ColumnTold:
    changed = row is not None and column.name in row.changed
    by = takers.get((number, column.name), "")
    if changed and not by:
        by = "bookkeeping" if column.bookkeeping else takers.rest
    return ColumnTold(
        column.name,
        column.raw,
        _shown(before, column.name),
        _shown(after, column.name),
        _raw(path.before, column.raw),
        _raw(path.after, column.raw),
        changed,
        by,
        column.pii,
    )


def _shown(columns: Columns | None, name: str) -> object:
    value: Value = None if columns is None else columns[name]
    return shown(value)


def _raw(image: Image | None, name: str) -> object:
    return None if image is None else shown(image.get(name, MISSING))
