"""A rule read aloud: its match, companions and test in words, with names in backticks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.mapping.compiled import Table
from gateway.mapping.nodes import Scalar
from gateway.mapping.records import Section

__all__ = ["lines_of"]

_OPS = {
    "insert": "is inserted",
    "update": "is updated",
    "delete": "is deleted",
    "leaves": "leaves for another aggregate",
    "arrives": "arrives from another aggregate",
    "snapshot": "is read by a snapshot",
}
_COUNTS = {
    "one": "exactly one row",
    "at most one": "at most one row",
    "at least one": "at least one row",
    "any": "any number of rows",
    "none": "no row",
}


def lines_of(rule: Section, tables: Mapping[str, Table], conditions: Mapping[str, str]) -> tuple[str, ...]:
    """The rule in a few sentences. ``tables`` by domain name, ``conditions``: spelling by name."""
    return tuple(_lines(rule, tables, conditions))


def _lines(rule: Section, tables: Mapping[str, Table], conditions: Mapping[str, str]) -> Iterator[str]:
    each = rule.section("each")
    if each is not None:
        yield f"For each row of {_table(each, tables)} that {_what(each, tables)}{_tests(each)}."
    names = rule.named("with") or rule.named("once")
    if each is None and names:
        yield "Once for a transaction that has all of these:"
    elif names:
        yield "In the same transaction, of the same aggregate:"
    for name, pattern in names:
        count = _COUNTS[pattern.word("count", "one")]
        same = pattern.scalars("same")
        joined = f", with the same {_list(same)}" if same else ""
        what = f"{_table(pattern, tables)} that {_what(pattern, tables)}{_tests(pattern)}{joined}"
        yield f"– `{name.text}`: {count} of {what}."
    when = rule.scalar("when")
    if when is not None:
        yield f"Only when {_test(when, conditions)}."
    takes = [*_explained(each), *(text for _, pattern in names for text in _explained(pattern))]
    if takes:
        yield f"It explains changes of {', '.join(f'`{text}`' for text in takes)} as well."
    if rule.word("undecided") == "skip":
        yield "Passed over when it cannot be decided."


def _group(scalar: Scalar, table: Table | None) -> str:
    """A column, or a group with the columns it stands for."""
    columns = () if table is None else table.groups.get(scalar.text, ())
    return f"{_value(scalar)} ({', '.join(columns)})" if columns else _value(scalar)


def _table(pattern: Section, tables: Mapping[str, Table]) -> str:
    name = pattern.word("table")
    table = tables.get(name)
    return f"`{name}`" + (f" (`{table.physical}`)" if table is not None else "")


def _what(pattern: Section, tables: Mapping[str, Table]) -> str:
    """``is inserted``; of an update what changed."""
    ops = [scalar.text for scalar in pattern.scalars("op")] or ["update"]
    told = [_OPS[op] for op in ops if op != "update"]
    if "update" in ops:
        told.append(_updated(pattern, tables))
    return " or ".join(told)


def _updated(pattern: Section, tables: Mapping[str, Table]) -> str:
    changed = pattern.scalars("changed")
    if not changed:
        return "is updated"
    if [scalar.text for scalar in changed] == ["any"]:
        return "is updated in any column"
    table = tables.get(pattern.word("table"))
    told = [_group(scalar, table) for scalar in changed]
    return f"is updated in {told[0] if len(told) == 1 else ', '.join(told[:-1]) + ' or ' + told[-1]}"


def _tests(pattern: Section) -> str:
    told = [_where(column.text, test) for column, test in pattern.entries("where")]
    when = pattern.scalar("when")
    if when is not None:
        told.append(f"`{when.text}`")
    return ", where " + " and ".join(told) if told else ""


def _where(column: str, test: object) -> str:
    if isinstance(test, Scalar):
        return f"`{column}` is {_value(test)}"
    if isinstance(test, tuple):
        return f"`{column}` is {_list(test, 'or')}"
    assert isinstance(test, Section)
    if "not" in test:
        return f"`{column}` is not {_list(test.scalars('not'), 'or')}"
    was = f" from {_list(test.scalars('from'), 'or')}" if "from" in test else ""
    became = f" to {_list(test.scalars('to'), 'or')}" if "to" in test else ""
    return f"`{column}` changes{was}{became}"


def _value(scalar: Scalar) -> str:
    return "null" if scalar.is_null else f"`{scalar.text}`"


def _list(scalars: tuple[object, ...], word: str = "and") -> str:
    told = [_value(scalar) for scalar in scalars if isinstance(scalar, Scalar)]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} {word} {told[-1]}"


def _test(when: Scalar, conditions: Mapping[str, str]) -> str:
    spelled = conditions.get(when.text)
    return f"`{when.text}`: `{spelled}`" if spelled else f"`{when.text}`"


def _explained(pattern: Section | None) -> list[str]:
    texts = [] if pattern is None else [scalar.text for scalar in pattern.scalars("explains")]
    return [] if texts == ["nothing"] else texts
