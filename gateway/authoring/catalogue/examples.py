"""Examples of events from the mappings' own test cases: the rows that changed, and the payload that came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.authoring.case_files import Case, GivenRow, read_cases
from gateway.authoring.cases import CaseResult, run_case
from gateway.authoring.catalogue.nouns import ExampleEntry, RowShown
from gateway.authoring.offline import books_of
from gateway.authoring.shown import plain
from gateway.mapping.compiled import CompiledMapping

__all__ = ["examples_of"]

_MOST = 3
_OPS = {"c": "insert", "u": "update", "d": "delete", "r": "snapshot"}


def examples_of(folder: Path, mapping: CompiledMapping) -> Mapping[str, tuple[ExampleEntry, ...]]:
    """Up to three examples of each event, of different rules first; none where the mapping has no passing cases.

    ConfigError: the case file has faults.
    """
    path = folder / mapping.file
    path = path.with_name(f"{path.stem}_test.yaml")
    if not path.exists():
        return {}
    book = books_of([mapping])[mapping.name]
    found: dict[str, list[ExampleEntry]] = {}
    for case in read_cases(path):
        result = run_case(case, mapping, book)
        if not result.differences:
            for name, example in _of_case(case, result):
                found.setdefault(name, []).append(example)
    return {name: _chosen(examples) for name, examples in found.items()}


def _of_case(case: Case, result: CaseResult) -> Iterator[tuple[str, ExampleEntry]]:
    seen = set()
    for encoded in result.events:
        event = encoded.event
        if event.name not in seen:
            seen.add(event.name)
            rows = tuple(_row(row) for row in case.given)
            yield (
                event.name,
                ExampleEntry(case.name, str(event.intent), event.rule, rows, plain(event.data), encoded.key.decode()),
            )


def _row(row: GivenRow) -> RowShown:
    before, after = row.before or {}, row.after or {}
    names = [*dict.fromkeys((*before, *after))]
    if row.before is not None and row.after is not None:
        names = [name for name in names if before.get(name) != after.get(name)] or names
    columns = tuple((name, _text(before, name, row.before), _text(after, name, row.after)) for name in names)
    return RowShown(row.table, _OPS.get(row.op, row.op), columns)


def _text(image: Mapping[str, object], name: str, given: object) -> str | None:
    if given is None or name not in image:
        return None
    value = image[name]
    return "null" if value is None else str(value)


def _chosen(examples: list[ExampleEntry]) -> tuple[ExampleEntry, ...]:
    """The shortest of each rule first, then others."""
    ordered = sorted(examples, key=lambda each: len(each.rows))
    first = {each.rule: each for each in reversed(ordered)}
    best = sorted(first.values(), key=lambda each: len(each.rows))
    return tuple([*best, *(each for each in ordered if each not in best)][:_MOST])
