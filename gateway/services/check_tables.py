"""The gate's first layer: do the legacy tables still hold what the mappings declare, and whom does it reach if not?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import LoadedFile
from gateway.mapping.nodes import Mark, Scalar
from gateway.mapping.records import Section
from gateway.mapping.uses import Use
from gateway.model.preflight import TableDetails
from gateway.services.capture_plan import CapturePlan
from gateway.services.check import Break, House, Layer, RuleAt
from gateway.services.doctor_mappings import examine_mappings
from gateway.services.doctor_report import Finding, Severity

__all__ = ["broken_tables"]


def broken_tables(house: House, plan: CapturePlan, tables: Mapping[str, TableDetails]) -> tuple[Break, ...]:
    """What the tables lack, or hold in a type that does not decode; only of mappings that load."""
    mappings = [file.mapping for file in house.files if file.mapping is not None]
    found = examine_mappings(plan, mappings, tables).findings
    return tuple(_break(house, mappings, one) for one in found if one.severity is not Severity.NOTE)


def _break(house: House, mappings: Sequence[CompiledMapping], finding: Finding) -> Break:
    table, raw = _split(mappings, finding.object)
    file, place = _declared(house, table, raw)
    uses = list(_concerned(house, table, raw))
    rules = {use.rule: RuleAt(use.rule, house.at(use.file, _rule_mark(house, use))) for use in uses}
    fields = tuple(dict.fromkeys(f"{use.event}.{use.field}" if use.field else use.event for use in uses if use.event))
    return Break(
        Layer.TABLES,
        house.shown(file),
        place.line,
        place.column,
        finding.object,
        finding.reason,
        finding.remedy,
        tuple(rules.values()),
        fields,
        house.readers(fields),
        warning=finding.severity is Severity.WARNING,
    )


def _split(mappings: Sequence[CompiledMapping], named: str) -> tuple[str, str]:
    """``schema.table.column`` or ``schema.table``: names may hold dots, so the mappings decide."""
    tables = {name for mapping in mappings for name in mapping.tables}
    if named in tables:
        return named, ""
    table, _, raw = named.rpartition(".")
    return (table, raw) if table in tables else ("", "")


def _declared(house: House, table: str, raw: str) -> tuple[str, Mark]:
    """Where a column is declared, else its table, else the first mapping's beginning."""
    for file, section in _sections(house):
        for physical, body in section:
            if physical.text != table:
                continue
            columns = {name.text: name.mark for name, _ in body.named("columns")}
            return file.faults.file, columns.get(raw, physical.mark)
    return house.files[0].faults.file, Mark(1, 1)


def _sections(house: House) -> Iterator[tuple[LoadedFile, Sequence[tuple[Scalar, Section]]]]:
    for file in house.files:
        if file.section is not None:
            yield file, file.section.named("tables")


def _concerned(house: House, table: str, raw: str) -> Iterator[Use]:
    uses = house.uses.of(table, raw) if raw else house.uses.of_table(table) if table else ()
    return (use for use in uses if use.rule)


def _rule_mark(house: House, use: Use) -> Mark:
    for file in house.files:
        for compiled in file.rules if file.faults.file == use.file else ():
            if compiled.rule.name == use.rule:
                return compiled.section.mark
    return use.place
