"""Columns: unknown to the recorded schema, not declared, never used, of another type than what was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.mapping.compiled import Pattern
from gateway.mapping.lints.declare import Fix, Found, Lint, Severity, lint
from gateway.mapping.lints.recorded import RecordedColumn
from gateway.mapping.lints.spoken import refs_in
from gateway.mapping.lints.subject import ColumnFact, Subject
from gateway.mapping.nodes import Map, Mark, Node, Scalar, did_you_mean
from gateway.model.values import UNREADABLE

__all__: list[str] = []


@lint(
    Lint(
        "GW101",
        "unknown-column",
        Severity.ERROR,
        "a declared column is not in the legacy table, so it is missing from every record and what reads it fails",
        "spell it as the table does, or take it out",
        "crm.cust: {columns: {cust_nr: {as: customerId}}}   # the table has cust_id",
        needs="schema",
    )
)
def unknown_columns(subject: Subject) -> Iterator[Found]:
    """Declared columns that the recorded table lacks."""
    for info in subject.context.tables.values():
        recorded = subject.recorded(info.table.physical)
        if recorded is None or info.section is None:
            continue
        for raw, _ in info.section.named("columns"):
            if raw.text not in recorded.columns:
                what = f"the table {info.table.physical} has no column `{raw.text}`"
                yield Found(raw.mark, what, mend=did_you_mean(raw.text, recorded.columns))


@lint(
    Lint(
        "GW102",
        "unknown-table",
        Severity.WARNING,
        "a declared table was never seen, so its rules never fire",
        "spell it as the database does (schema.table), or record for longer",
        "crm.customer: {as: customer}   # the database has crm.cust",
        needs="schema",
    )
)
def unknown_tables(subject: Subject) -> Iterator[Found]:
    """Declared tables that the recorded schema lacks."""
    for physical, _ in subject.section.named("tables"):
        if subject.schema and physical.text not in subject.schema:
            what = f"there is no table `{physical.text}` in the recorded schema"
            yield Found(physical.mark, what, mend=did_you_mean(physical.text, subject.schema))


@lint(
    Lint(
        "GW103",
        "undeclared-column",
        Severity.WARNING,
        "a column of the table is not declared, so no rule sees it and its changes are reported as undeclared",
        "declare it; `{bookkeeping: true}` for one that says nothing by itself",
        "crm.cust: {columns: {cust_id: {}}}   # the table has nm, too",
        needs="schema",
    )
)
def undeclared_columns(subject: Subject) -> Iterator[Found]:
    """Recorded columns that the mapping does not declare, told at the table's `columns`."""
    for info in subject.context.tables.values():
        recorded = subject.recorded(info.table.physical)
        if recorded is None or info.section is None or info.table.undeclared == "ignore":
            continue
        lacking = [name for name in recorded.columns if name not in info.table.raw_columns]
        if lacking:
            what = f"{info.table.physical} has columns that are not declared: {', '.join(lacking[:8])}"
            yield Found(info.section.mark_of("columns"), what)


@lint(
    Lint(
        "GW104",
        "unused-column",
        Severity.WARNING,
        "no rule reads or takes the column, so each of its changes will be unexplained",
        "let a rule read or explain it, give it a noise rule, or declare it as bookkeeping",
        "scor: {as: score}   # and no rule names score",
    )
)
def unused_columns(subject: Subject) -> Iterator[Found]:
    """Declared columns, of tables whose rows are updated, that neither rule nor key names."""
    used = _used(subject)
    for (table, name), fact in subject.columns.items():
        declared_for_more = fact.column.bookkeeping or fact.column.pii  # pii is declared for masks, too
        if declared_for_more or (table, name) in used or not _updated(subject, table):
            continue
        yield Found(fact.place, f"nothing uses the column `{name}` of `{table}`")


def _updated(subject: Subject, table: str) -> bool:
    """Whether some rule speaks of updates of the table: others are only looked at as whole rows."""
    return any(pattern.table == table and pattern.takes for pattern in _patterns(subject))


def _patterns(subject: Subject) -> Iterator[Pattern]:
    for compiled in subject.rules:
        if compiled.rule.anchor is not None:
            yield compiled.rule.anchor
        yield from compiled.rule.companions


def _used(subject: Subject) -> set[tuple[str, str]]:
    used = {(ref.table, ref.column) for ref in subject.refs}
    for pattern in _patterns(subject):
        columns = [*pattern.takes, *pattern.same, *(test.column for test in pattern.where)]
        used.update((pattern.table, column) for column in columns)
    for info in subject.context.tables.values():
        used.update((info.table.name, column) for column in (*info.table.row, *subject.mapping.key))
    return used


@lint(
    Lint(
        "GW105",
        "values-of-another-type",
        Severity.ERROR,
        "values that were recorded cannot be read as the declared type: each such change becomes a dead letter",
        "declare the type that fits the values, or add `null_when` for those that mean null",
        "dob: {type: date(yyyymmdd)}   # and 0 was recorded",
        needs="schema",
    )
)
def values_of_another_type(subject: Subject) -> Iterator[Found]:
    """Recorded values of a plain column that its reader cannot read."""
    for fact in subject.columns.values():
        if fact.column.part is not None or fact.column.symbols is not None or "decode" in fact.section:
            continue
        bad = _unreadable(fact, fact.recorded) if fact.recorded is not None else []
        if bad:
            what = f"`{fact.column.name}` is {fact.column.type}, but {', '.join(map(repr, bad[:3]))} was recorded"
            yield Found(fact.section.mark_of("type") if "type" in fact.section else fact.raw.mark, what)


def _unreadable(fact: ColumnFact, recorded: RecordedColumn) -> list[str]:
    """The values that cannot be read in any JSON form in which they were recorded."""
    found = []
    for value in sorted(recorded.values or ()):
        forms: list[object] = [value] if "text" in recorded.kinds else []
        if recorded.kinds & {"int", "float"}:
            forms += [int(value)] if value.lstrip("-").isdigit() and len(value) < 30 else []
        if "bool" in recorded.kinds and value in ("True", "False"):
            forms.append(value == "True")
        if forms and all(fact.column.read(form) is UNREADABLE for form in forms):
            found.append(value)
    return found


@lint(
    Lint(
        "GW111",
        "number-read-as-text",
        Severity.WARNING,
        "the table sends numbers and the mapping reads texts: 1.50 and 1.5 are then a change, and nothing counts",
        "declare the type: int, decimal(p,s), or the date that the number spells",
        "ord_id: {as: orderId}   # 7 was recorded, not '7'",
        needs="schema",
    )
)
def numbers_read_as_text(subject: Subject) -> Iterator[Found]:
    """Columns without type or code table of which only numbers, or decimals in text, were recorded."""
    for fact in subject.columns.values():
        seen = fact.recorded
        plain = fact.column.type == "text" and fact.column.part is None and "decode" not in fact.section
        if seen is None or not plain or fact.column.bookkeeping or not seen.kinds - {"null"}:
            continue
        decimals = bool(seen.values) and all(re.fullmatch(r"-?[0-9]+\.[0-9]+", each) for each in seen.values or ())
        if seen.kinds <= {"null", "int", "float"} or decimals:
            yield Found(fact.raw.mark, f"`{fact.raw.text}` was recorded as a number, and is read as text")


@lint(
    Lint(
        "GW106",
        "unused-group",
        Severity.NOTE,
        "a group that no rule names is read by people in vain",
        "use it or take it out",
        "groups: {place: [street, city]}   # and no rule says place",
        fixable=True,
    )
)
def unused_groups(subject: Subject) -> Iterator[Found]:
    """Groups that stand in no list of columns."""
    words = set(_words(subject))
    for info in subject.context.tables.values():
        for name, _ in info.section.entries("groups") if info.section else ():
            if name.text not in words:
                yield Found(name.mark, f"nothing uses the group `{name.text}`", Fix("entry", name.mark))


def _words(subject: Subject) -> Iterator[str]:
    """Every scalar of the rules and of `row:` lists."""

    def words(node: Node | None) -> Iterator[str]:
        if isinstance(node, Scalar):
            yield node.text
        elif isinstance(node, Map):
            for _, value in node.entries:
                yield from words(value)
        elif node is not None:
            for item in node.items:
                yield from words(item)

    assert subject.loaded.root is not None
    yield from words(subject.loaded.root.get("rules"))
    for info in subject.context.tables.values():
        yield from (scalar.text for scalar in info.section.scalars("row")) if info.section else ()


@lint(
    Lint(
        "GW107",
        "name-said-twice",
        Severity.NOTE,
        "`as` repeats the legacy name, which a column keeps anyway",
        "leave `as` out",
        "city: {as: city, pii: true}",
        fixable=True,
    )
)
def names_said_twice(subject: Subject) -> Iterator[Found]:
    """Columns whose `as` is their legacy name."""
    for info in subject.context.tables.values():
        for raw, column in info.section.named("columns") if info.section else ():
            if column.word("as") == raw.text:
                mark = column.mark_of("as")
                yield Found(mark, f"`as: {raw.text}` says what the column is called already", Fix("entry", mark))


@lint(
    Lint(
        "GW108",
        "null-never-means-null",
        Severity.WARNING,
        "the reader of the type gives null for blank text already, or the value can never be read as that type",
        "leave the value out of `null_when`",
        "val_to: {type: date(yyyymmdd), null_when: ['']}",
        fixable=True,
    )
)
def idle_null_when(subject: Subject) -> Iterator[Found]:
    """Blank values in `null_when` of columns whose type reads blank as null."""
    for fact in subject.columns.values():
        if fact.column.type in ("raw", "bytes") or "decode" in fact.section:
            continue
        for scalar in fact.section.scalars("null_when"):
            if not scalar.is_null and not scalar.text.strip(" "):
                yield Found(scalar.mark, "blank is null anyway", Fix("item", scalar.mark))


@lint(
    Lint(
        "GW109",
        "bookkeeping-published",
        Severity.WARNING,
        "a bookkeeping column fills a field, but its changes tell no event: what consumers hold grows old",
        "declare it as an ordinary column, or leave it out of `data`",
        'upd_pgm: {as: changedBy, bookkeeping: true}   # and data: {by: "{{ after.changedBy }}"}',
    )
)
def bookkeeping_published(subject: Subject) -> Iterator[Found]:
    """Bookkeeping columns that reach `data`, told at the column."""
    said = {(ref.table, ref.column) for ref in subject.refs if ref.mark in _in_data(subject)}
    for key, fact in subject.columns.items():
        if fact.column.bookkeeping and key in said:
            yield Found(fact.section.mark_of("bookkeeping"), f"`{fact.column.name}` fills a field of an event")


def _in_data(subject: Subject) -> set[Mark]:
    marks = {leaf.taken.mark for leaf in subject.leaves if leaf.taken is not None}
    for spoken in subject.spoken:
        if spoken.role == "data":
            marks |= {ref.mark for ref in refs_in(spoken, {})}
    return marks


@lint(
    Lint(
        "GW110",
        "identity-as-bookkeeping",
        Severity.ERROR,
        "a column of the row's or the aggregate's key is declared as bookkeeping, so a new identity passes unseen",
        "leave `bookkeeping` out",
        "ord_id: {as: orderId, type: int, bookkeeping: true}",
        fixable=True,
    )
)
def identity_as_bookkeeping(subject: Subject) -> Iterator[Found]:
    """Bookkeeping columns among `row` or the aggregate's key."""
    for (_, name), fact in subject.columns.items():
        if fact.column.bookkeeping and (name in fact.table.table.row or name in subject.mapping.key):
            mark = fact.section.mark_of("bookkeeping")
            yield Found(mark, f"`{name}` says which row, or which aggregate, it is", Fix("entry", mark))
