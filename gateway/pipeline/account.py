"""What became of each unit and each record of a change set (language.md 8)."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.mapping.compiled import RowOp
from gateway.model.event import Accounting, Outcome, OutcomeKind, Unexplained
from gateway.pipeline.rows import NetRow

__all__ = ["PUBLISHED", "accounting", "ignored", "row_outcome", "unexplained"]

PUBLISHED = Outcome(OutcomeKind.PUBLISHED)
_IGNORED: dict[str, Outcome] = {}


def ignored(reason: str) -> Outcome:
    """The outcome ``ignored`` for this reason."""
    outcome = _IGNORED.get(reason)
    if outcome is None:
        outcome = _IGNORED[reason] = Outcome(OutcomeKind.IGNORED, reason)
    return outcome


def unexplained(row: NetRow) -> tuple[Unexplained, ...]:
    """The row's units that nobody took."""
    table = row.plan.table.physical
    if row.op is RowOp.UPDATE:
        return tuple(Unexplained(table, str(row.op), column) for column in sorted(row.untaken))
    if row.took or row.op is RowOp.SNAPSHOT:
        return ()
    return (Unexplained(table, str(row.op), None),)


def row_outcome(row: NetRow) -> Outcome:
    """The first outcome that applies to the row; its records share it."""
    took = row.took.values()
    if "event" in took:
        return PUBLISHED
    if row.op is RowOp.SNAPSHOT:
        return ignored("snapshot")
    if row.untaken or (row.op is not RowOp.UPDATE and not row.took):
        return ignored("unexplained")
    if row.undeclared and row.plan.table.undeclared != "ignore":
        return ignored("undeclared")
    if took:
        return ignored("noise")
    if row.format_only:
        return ignored("format-only")
    if row.undone:
        return ignored("undone")
    return ignored("bookkeeping" if row.changed else "no-change")


def accounting(rows: Sequence[NetRow], undone: int) -> Accounting:
    """Units of a change set. ``undone``: rows inserted and deleted within it."""
    units = by_event = by_noise = bookkeeping = left = 0
    format_only = undeclared = 0
    for row in rows:
        if row.op is RowOp.SNAPSHOT:
            continue
        for what in row.took.values():
            if what == "event":
                by_event += 1
            else:
                by_noise += 1
        if row.op is RowOp.UPDATE:
            units += len(row.changed)
            left += len(row.untaken)
            bookkeeping += len(row.changed) - len(row.untaken) - len(row.took)
        else:
            units += 1
            left += not row.took
        format_only += len(row.format_only)
        undeclared += len(row.undeclared)
        undone += len(row.undone)
    return Accounting(units, by_event, by_noise, bookkeeping, left, format_only, undeclared, undone)
