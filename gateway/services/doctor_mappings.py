"""Mappings against the live tables: does every declared column exist, and do its values decode as declared? Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

from gateway.mapping.compiled import Column, CompiledMapping, Table
from gateway.model.capture import TableFacts
from gateway.model.preflight import ColumnFacts, TableDetails
from gateway.pipeline.messages import MESSAGE_TABLE
from gateway.services.capture_database import key_faults
from gateway.services.capture_plan import CapturePlan
from gateway.services.doctor_report import Area, AreaReport, Finding, Severity
from gateway.services.doctor_types import Fit, fit

__all__ = ["examine_mappings"]


def examine_mappings(
    plan: CapturePlan, mappings: Sequence[CompiledMapping], live: Mapping[str, TableDetails]
) -> AreaReport:
    """Every finding about the tables that the mappings declare. ``live``: those of them that exist."""
    findings: list[Finding] = []
    fine: list[str] = []
    for mapping in mappings:
        found = [finding for table in _tables(mapping) for finding in _table(mapping, table, live.get(table.physical))]
        findings += found
        if not any(one.severity is not Severity.NOTE for one in found):
            columns = sum(len(table.raw_columns) for table in _tables(mapping))
            fine.append(f"{mapping.file}: {columns} columns of {len(_tables(mapping))} tables are there and fit")
    findings += _keys(plan, live)
    return AreaReport(Area.MAPPINGS, tuple(findings), tuple(fine))


def _tables(mapping: CompiledMapping) -> list[Table]:
    return [table for name, table in mapping.tables.items() if name != MESSAGE_TABLE]


def _table(mapping: CompiledMapping, table: Table, live: TableDetails | None) -> Iterator[Finding]:
    if live is None:
        reason = f"{mapping.file} declares it, and the database has no such table"
        remedy = f"mend its name under `tables:` in {mapping.file}, or create the table"
        yield Finding(Severity.ERROR, table.physical, reason, remedy)
        return
    unknown = [name for name in live.columns if name not in table.raw_columns]
    for raw in sorted(table.raw_columns):
        columns = [column for column in table.columns.values() if column.raw == raw]
        if raw not in live.columns:
            yield _missing(mapping, table, columns, [(name, live.columns[name]) for name in unknown])
        else:
            yield from _column(mapping, table, columns, live.columns[raw])
    yield from _row_key(mapping, table, live)
    for name in unknown:
        yield from _undeclared(mapping, table, name, live.columns[name])


def _missing(
    mapping: CompiledMapping, table: Table, columns: Sequence[Column], unknown: Sequence[tuple[str, ColumnFacts]]
) -> Finding:
    raw = columns[0].raw
    fitting = [name for name, facts in unknown if fit(facts.type, columns[0].type) is not Fit.NO]
    like = difflib.get_close_matches(raw, fitting, n=1, cutoff=0.5) or (fitting if len(fitting) == 1 else [])
    reason = f"{mapping.file} declares it, and the table has no such column: rules that read it park their changes"
    if like:
        reason += f"; perhaps it was renamed to {like[0]}, which the mapping does not declare"
        renamed = f"`{like[0]}: {{as: {columns[0].name}, …}}`"
        remedy = f"write {renamed} instead of `{raw}` under `{table.physical}` in {mapping.file}"
    else:
        remedy = f"take `{raw}` out of {mapping.file} with the rules that need it, or add the column again"
    return Finding(Severity.ERROR, f"{table.physical}.{raw}", reason, remedy)


def _column(mapping: CompiledMapping, table: Table, columns: Sequence[Column], live: ColumnFacts) -> Iterator[Finding]:
    raw = columns[0].raw
    where = f"{table.physical}.{raw}"
    if live.generated:
        reason = f"{mapping.file} declares it, and it is generated: such columns are never captured"
        remedy = f"take `{raw}` out of {mapping.file}, and compute it in a rule, or store it"
        yield Finding(Severity.ERROR, where, reason, remedy)
    for column in columns:
        if column.part is None:
            yield from _type(mapping, where, column, live)
    if live.nullable and any(column.name in mapping.key for column in columns):
        reason = f"it is part of the key {'|'.join(mapping.key)} and may be null: such a record belongs to no aggregate"
        schema, _, name = table.physical.partition(".")
        remedy = f'ALTER TABLE "{schema}"."{name}" ALTER COLUMN "{raw}" SET NOT NULL;'
        yield Finding(Severity.WARNING, where, reason, remedy)


def _type(mapping: CompiledMapping, where: str, column: Column, live: ColumnFacts) -> Iterator[Finding]:
    verdict = fit(live.type, column.type, coded=column.symbols is not None)
    if verdict is Fit.YES:
        return
    declared = "codes" if column.symbols is not None else column.type
    reason = f"{mapping.file} reads it as {declared} ({column.name}), and it is {live.type}"
    remedy = f"give `{column.raw}` the type it has under `{where.rpartition('.')[0]}` in {mapping.file}; gateway test"
    if verdict is Fit.NO:
        yield Finding(
            Severity.ERROR, where, f"{reason}: no value decodes, every change of it becomes a dead letter", remedy
        )
    else:
        yield Finding(Severity.WARNING, where, f"{reason}: a value that does not fit becomes a dead letter", remedy)


def _row_key(mapping: CompiledMapping, table: Table, live: TableDetails) -> Iterator[Finding]:
    raws = {table.columns[name].raw for name in table.row}
    if not live.unique or any(unique <= raws for unique in live.unique):
        return
    key = ", ".join(live.primary_key or sorted(live.unique[0]))
    reason = (
        f"{mapping.file} tells its rows apart by {', '.join(sorted(raws))}, and no unique index says so: changes of "
        "two rows would be taken for changes of one"
    )
    yield Finding(Severity.ERROR, table.physical, reason, f"`row:` in {mapping.file} should name the columns of: {key}")


def _undeclared(mapping: CompiledMapping, table: Table, name: str, live: ColumnFacts) -> Iterator[Finding]:
    if table.undeclared == "ignore" or live.generated:
        return
    where = f"{table.physical}.{name}"
    remedy = f"declare `{name}` under `{table.physical}` in {mapping.file}, or `undeclared: ignore` for the table"
    if table.undeclared == "park":
        reason = f"{mapping.file} does not know it ({live.type}): the first change of it parks its aggregate"
        yield Finding(Severity.WARNING, where, reason, remedy)
    else:
        reason = f"{mapping.file} does not know it ({live.type}): its changes are reported, and no rule sees them"
        yield Finding(Severity.NOTE, where, reason, remedy)


def _keys(plan: CapturePlan, live: Mapping[str, TableDetails]) -> Iterator[Finding]:
    known = {
        name: TableFacts({raw: column.type for raw, column in table.columns.items()}, full_identity=True)
        for name, table in live.items()
    }
    for fault in key_faults(plan, known):
        remedy = "make the key columns alike in type and order in all tables of the aggregate (ALTER TABLE …)"
        yield Finding(Severity.ERROR, "keys", fault, remedy)
