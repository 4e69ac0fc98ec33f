"""A comparison as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.authoring.diff_findings import Example, Finding, RowShown
from gateway.authoring.diff_report import Report
from gateway.authoring.diff_words import budget_line, counted, differing, fields_of, headline, rules_of, shown, sign

__all__ = ["text"]

_AGGREGATES = 10


def text(report: Report) -> Iterator[str]:
    """The lines of the report, without colour."""
    yield f"{report.old} → {report.new}, over {report.summary['records']} records of {report.records_of}"
    yield headline(report)
    yield from _edits(report)
    yield from _types(report)
    for cause, finding in report.events:
        yield from _finding(counted(cause, finding), rules_of(cause), finding)
    for letter, finding in report.letters:
        classes = " → ".join(filter(None, (letter.old, letter.new)))
        head = f"{sign(letter.kind)} {finding.count} dead letters {letter.kind}: {classes} ({letter.aggregate})"
        yield from _finding(head, rules_of(letter), finding)
    for each, finding in report.unexplained:
        head = f"{sign(each.kind)} {finding.count} unexplained {each.kind}: {each.op} of {each.table}"
        yield from _finding(head, rules_of(each), finding)
    yield from _aggregates(report)
    if report.budget:
        yield from ("", budget_line(report))


def _edits(report: Report) -> Iterator[str]:
    if report.edits:
        yield from ("", "edited:")
    for edit in report.edits:
        keys = f" ({', '.join(edit.keys)})" if edit.keys else ""
        yield f"  {edit.file}:{edit.line}: {edit.what} {edit.kind}{keys}"


def _types(report: Report) -> Iterator[str]:
    rows = [
        (event, str(one.old), str(one.new), *(f"{number or ''}" for number in (one.gone, one.changed, one.added)))
        for _, event, one in report.types
        if one.gone or one.changed or one.added
    ]
    if rows:
        yield ""
        yield from _table(("event", "old", "new", "gone", "changed", "added"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        first, *numbers = (
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join([first, *numbers]).rstrip()


def _finding(head: str, rules: str, finding: Finding) -> Iterator[str]:
    yield ""
    yield head
    yield f"    rule        {rules}"
    yield f"    aggregates  {len(finding.aggregates)}"
    if finding.fields:
        yield f"    differs in  {fields_of(finding)}"
    for number, example in enumerate(finding.examples, 1):
        yield f"    example {number}   {example.aggregate_id} at {example.time}, {example.record}"
        yield from _example(example)


def _example(example: Example) -> Iterator[str]:
    if example.why:
        yield f"        {example.why}"
    for difference in example.differences:
        yield f"        {differing(difference)}"
    if not example.differences:
        for name, value in (example.new or example.old or {}).items():
            yield f"        {name}: {shown(value)}"
    for row in example.rows:
        yield f"        {row.op} {row.table}: {_row(row)}"


def _row(row: RowShown) -> str:
    """The changed columns of an update; the first columns of a whole row."""
    before, after = row.before or {}, row.after or {}
    if row.changed:
        return ", ".join(f"{name} {_cell(before.get(name))} → {_cell(after.get(name))}" for name in row.changed)
    whole = [f"{name} {_cell(value)}" for name, value in (after or before).items()]
    return ", ".join(whole[:6]) + (", …" if len(whole) > 6 else "")


def _cell(value: object) -> str:
    return repr(value.rstrip(" ")) if isinstance(value, str) else shown(value)


def _aggregates(report: Report) -> Iterator[str]:
    if not report.aggregates:
        return
    yield from ("", f"{len(report.aggregates)} aggregates are touched, most of all:")
    rows = [
        (
            f"  {aggregate} {identity}",
            *(
                f"{number or ''}"
                for number in (one.gone, one.changed, one.added, one.letters, one.unexplained, one.order)
            ),
        )
        for aggregate, identity, one in report.aggregates[:_AGGREGATES]
    ]
    yield from _table(("  aggregate", "gone", "changed", "added", "letters", "unexplained", "order"), rows)
