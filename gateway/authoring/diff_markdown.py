"""A comparison as Markdown, for a comment on a review."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.authoring.diff_findings import Example, Finding
from gateway.authoring.diff_report import Report
from gateway.authoring.diff_words import budget_line, counted, fields_of, headline, rules_of, shown, sign

__all__ = ["markdown"]

_MOST = 60_000
"""Characters; hosts of reviews take 65,536 in a comment."""
_CELL = 120


def markdown(report: Report) -> str:
    """The report; findings that would make it too long for a comment are left out, and that is said."""
    pieces = ["\n".join(_head(report))]
    findings = list(_findings(report))
    length = len(pieces[0])
    for number, piece in enumerate(findings):
        if length + len(piece) > _MOST:
            pieces.append(
                f"\n{len(findings) - number} findings are left out here: the HTML page or `-o json` has them.\n"
            )
            break
        length += len(piece)
        pieces.append(piece)
    return "\n".join(pieces)


def _head(report: Report) -> Iterator[str]:
    mark = "" if not report.budget else ("✅ " if report.kept else "❌ ")
    yield f"### {mark}Mappings: {_code(report.old)} → {_code(report.new)}"
    yield ""
    masked = ", personal data masked" if report.masked else ""
    yield f"{headline(report)} ({report.summary['records']} records of {_code(report.records_of)}{masked})"
    if report.budget:
        yield from ("", f"**{budget_line(report)[:1].upper()}{budget_line(report)[1:]}**")
    if report.edits:
        yield from ("", "| edited | where |", "| --- | --- |")
        for edit in report.edits:
            keys = f" ({', '.join(edit.keys)})" if edit.keys else ""
            yield f"| {_cell(edit.what)} {edit.kind}{keys} | {_code(f'{edit.file}:{edit.line}')} |"
    rows = [each for each in report.types if each[2].gone or each[2].changed or each[2].added]
    if rows:
        yield from ("", "| event | old | new | gone | changed | added |", "| --- | --: | --: | --: | --: | --: |")
        for _, event, one in rows:
            yield f"| {_code(event)} | {one.old} | {one.new} | {one.gone} | {one.changed} | {one.added} |"
    yield ""


def _findings(report: Report) -> Iterator[str]:
    for cause, finding in report.events:
        yield _finding(counted(cause, finding), rules_of(cause), finding)
    for letter, finding in report.letters:
        classes = " → ".join(filter(None, (letter.old, letter.new)))
        head = f"{sign(letter.kind)} {finding.count} dead letters {letter.kind}: {classes} ({letter.aggregate})"
        yield _finding(head, rules_of(letter), finding)
    for each, finding in report.unexplained:
        head = f"{sign(each.kind)} {finding.count} unexplained {each.kind}: {each.op} of {each.table}"
        yield _finding(head, rules_of(each), finding)


def _finding(head: str, rules: str, finding: Finding) -> str:
    lines = [f"<details><summary><b>{_html(head)}</b> — {_html(rules)}</summary>", ""]
    if finding.fields:
        lines += [f"Differs in: {_cell(fields_of(finding))}; {len(finding.aggregates)} aggregates.", ""]
    for example in finding.examples:
        lines += _example(example)
    return "\n".join([*lines, "</details>", ""])


def _example(example: Example) -> Iterator[str]:
    yield f"{_code(example.aggregate_id)} at {example.time}, {_code(example.record)}"
    yield ""
    if example.why:
        yield from (f"> {_cell(example.why)}", "")
    if example.differences:
        yield from ("| field | old | new |", "| --- | --- | --- |")
        for one in example.differences:
            was, now = _value(one.old, one.kind != "added"), _value(one.new, one.kind != "gone")
            yield f"| {_code(one.path)} | {was} | {now} |"
        yield ""
    for row in example.rows[:3]:
        before, after = row.before or {}, row.after or {}
        yield from (f"| {row.op} {_code(row.table)} | before | after |", "| --- | --- | --- |")
        for name in row.changed or list(after or before)[:8]:
            was, now = _value(before.get(name), bool(before)), _value(after.get(name), bool(after))
            yield f"| {_code(name)} | {was} | {now} |"
        yield ""


def _value(value: object, there: bool) -> str:
    text = shown(value).rstrip(" ")
    return _code(text if len(text) <= _CELL else text[:_CELL] + "…") if there else ""


def _cell(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", text.replace("\n", " "))


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")


def _code(text: str) -> str:
    """Text as code in a table: backticks around it, longer than those inside."""
    clean = text.replace("\n", " ").replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", clean)), default=0)
    fence = "`" * (longest + 1)
    blank = " " if longest or not clean.strip() else ""
    return f"{fence}{blank}{clean}{blank}{fence}" if clean else ""
