"""A row as rules see it: its net operation, its domain columns before and after, and what has been taken of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.mapping.compiled import Column, RowOp
from gateway.model.change import Image, Operation
from gateway.model.errors import LetterClass, RecordError
from gateway.model.finding import Finding, FindingKind
from gateway.model.values import MISSING, UNREADABLE, UNSENT, Unavailable, Value
from gateway.pipeline.columns import Columns, TablePlan, spelled
from gateway.pipeline.net import Path

__all__ = ["NetRow", "net_row"]

_NOTHING: frozenset[str] = frozenset()


class NetRow:
    """One row of a change set. Satisfies ``RowView``; ``untaken`` and ``took`` are the interpreter's own notes.

    ``changed``: domain columns whose net value changed (updates). ``untaken``: those no rule took yet, bookkeeping left
    out. ``took``: what took each column ("event" or "noise"); key None stands for the whole row. ``format_only`` and
    ``undeclared`` are raw columns; ``undone`` raw columns that changed on the way only.
    """

    __slots__ = (
        "after",
        "before",
        "changed",
        "findings",
        "format_only",
        "op",
        "other",
        "path",
        "plan",
        "row",
        "took",
        "undeclared",
        "undone",
        "untaken",
    )

    def __init__(self, path: Path, op: RowOp, key: Sequence[str]) -> None:
        plan = path.plan
        self.path = path
        self.plan = plan
        self.op: RowOp = op
        self.before = None if path.before is None else Columns(plan, path.before)
        self.after: Mapping[str, Value] | None = None
        if path.after is not None:
            self.after = Columns(plan, path.after) if op is RowOp.UPDATE else plan.read_whole(path.after)
        self.row: Mapping[str, Value] | None = self.before if self.after is None else self.after
        self.changed: frozenset[str] = _NOTHING
        self.untaken: frozenset[str] = _NOTHING
        self.took: dict[str | None, str] = {}
        self.other = _other(path, op, key)
        self.format_only: tuple[str, ...] = ()
        self.undeclared: tuple[str, ...] = ()
        self.undone: tuple[str, ...] = ()
        self.findings: tuple[Finding, ...] = ()


def net_row(path: Path, key: Sequence[str]) -> NetRow | None:
    """The row of a path, compared; None where the transaction left nothing of it (inserted and deleted).

    RecordError ``decode``: a changed value that is no bookkeeping has no decoding.
    """
    op = _operation(path)
    if op is None:
        return None
    row = NetRow(path, op, key)
    if op is RowOp.UPDATE:
        _compare(row, path.before or {}, path.after or {})
    elif path.after is not None:
        _read_new(row, path.after)
    return row


def _operation(path: Path) -> RowOp | None:
    if path.first.operation is Operation.SNAPSHOT:
        return RowOp.SNAPSHOT
    if path.before is None:
        if path.after is None:
            return None
        return RowOp.ARRIVES if path.first.other_key is not None else RowOp.INSERT
    if path.after is None:
        return RowOp.LEAVES if path.last.other_key is not None else RowOp.DELETE
    return RowOp.UPDATE


def _other(path: Path, op: RowOp, key: Sequence[str]) -> Mapping[str, Value] | None:
    if op is not RowOp.LEAVES and op is not RowOp.ARRIVES:
        return None
    far = (path.first if op is RowOp.ARRIVES else path.last).other_key or {}
    columns = path.plan.columns
    read: dict[str, Value] = {}
    for name in key:
        raw = far.get(columns[name].raw, far.get(name, MISSING))
        read[name] = raw if isinstance(raw, Unavailable) else columns[name].read(raw)
    return read


def _read_new(row: NetRow, after: Image) -> None:
    """A row that is new here: every column must decode."""
    plan = row.plan
    columns = row.after or {}
    if len(after) != len(plan.raws) or not plan.raw_set <= after.keys():
        row.findings = _shape(row, after)
    if UNREADABLE in columns.values():
        for name in plan.must_read:
            if columns[name] is UNREADABLE:
                raise _unreadable(row, name)
    if row.findings:
        row.undeclared = tuple(raw for raw in after if raw not in plan.raw_set and _moved(MISSING, after[raw]))


def _compare(row: NetRow, before: Image, after: Image) -> None:
    plan = row.plan
    if len(after) != len(plan.raws) or not plan.raw_set <= after.keys():
        row.findings = _shape(row, after)
        row.undeclared = tuple(
            raw for raw in after if raw not in plan.raw_set and _moved(before.get(raw, MISSING), after[raw])
        )
    if before == after:
        differing: list[str] = []
    else:
        differing = _differing(plan, before, after)
    if differing:
        _compare_domain(row, differing)
    touched = row.path.touched
    if touched is not None:
        row.undone = tuple(sorted(raw for raw in touched.difference(differing) if raw in plan.raw_set))
        if row.path.revived and not row.undone and not row.changed:
            row.undone = plan.row_raws  # the row itself: gone and back as it was


def _differing(plan: TablePlan, before: Image, after: Image) -> list[str]:
    try:
        return [raw for raw in plan.raws if before[raw] != after[raw]]
    except KeyError:
        return [raw for raw in plan.raws if before.get(raw, MISSING) != after.get(raw, MISSING)]


def _compare_domain(row: NetRow, differing: list[str]) -> None:
    plan, changed, same = row.plan, set(), []
    for raw in differing:
        names = [column.name for column in plan.by_raw[raw] if _changed(row, column.name, raw_differs=True)]
        if names:
            changed.update(names)
        elif plan.by_raw[raw] and _known(row, plan.by_raw[raw][0].name):
            same.append(raw)
    for part in plan.parts:
        if _changed(row, part.name, raw_differs=part.raw in differing or _reads_any(row, part, differing)):
            changed.add(part.name)
    same.extend(
        raw for raw in differing if raw in plan.packed and _is_sent(row, raw) and not _shows(plan, raw, changed)
    )
    row.changed = frozenset(changed)
    row.untaken = frozenset(name for name in changed if not plan.columns[name].bookkeeping)
    row.format_only = tuple(same)


def _reads_any(row: NetRow, part: Column, differing: list[str]) -> bool:
    """Whether an unreadable part reads a column beside its packed one whose raw value differs."""
    if row.before is None or row.after is None or row.after[part.name] is not UNREADABLE:
        return False
    plan, path = row.plan, row.path
    asked = plan.asked(part, path.before or {}, row.before) | plan.asked(part, path.after or {}, row.after)
    return any(plan.columns[name].raw in differing for name in asked)


def _is_sent(row: NetRow, raw: str) -> bool:
    images = (row.path.before or {}, row.path.after or {})
    return not any(isinstance(image.get(raw, MISSING), Unavailable) for image in images)


def _shows(plan: TablePlan, raw: str, changed: set[str]) -> bool:
    return any(part.raw == raw and part.name in changed for part in plan.parts)


def _known(row: NetRow, name: str) -> bool:
    return (
        row.before is not None
        and row.after is not None
        and not (isinstance(row.before[name], Unavailable) or isinstance(row.after[name], Unavailable))
    )


def _changed(row: NetRow, name: str, *, raw_differs: bool) -> bool:
    """The table of language.md 3: whether one column's net domain value changed."""
    before = row.before[name] if row.before is not None else MISSING
    after = row.after[name] if row.after is not None else MISSING
    if after is UNREADABLE:
        if not raw_differs:
            return False
        if row.plan.columns[name].bookkeeping:
            return True
        raise _unreadable(row, name)
    return after is not MISSING and _moved(before, after)


def _moved(before: object, after: object) -> bool:
    if after is UNSENT:
        return False
    if before is MISSING:
        return after is not None
    return before != after


def _shape(row: NetRow, after: Image) -> tuple[Finding, ...]:
    table, known = row.plan.table.physical, row.plan.raw_set
    unknown = sorted(after.keys() - known)
    beside = ", ".join(unknown)
    missing = [Finding(FindingKind.MISSING, table, raw, beside) for raw in sorted(known - after.keys())]
    return (*missing, *(Finding(FindingKind.UNDECLARED, table, raw) for raw in unknown))


def _unreadable(row: NetRow, name: str) -> RecordError:
    column = row.plan.columns[name]
    return RecordError(
        LetterClass.DECODE,
        f"{row.plan.table.physical}.{column.raw} does not decode as {spelled(column)} ({name})",
        where=row.path.last.record.place,
        stage="interpret",
        hint="mend the value, or add the code or `otherwise:` to the mapping; give a retyped column its new type there",
        findings=(*row.findings, Finding(FindingKind.UNREADABLE, row.plan.table.physical, column.raw, spelled(column))),
    )
