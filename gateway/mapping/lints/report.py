"""Findings for people and for machines: text, JSON, SARIF 2.1.0, GitHub's annotations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version

from gateway.mapping.lints.declare import Finding, Lint, Severity

__all__ = ["as_github", "as_json", "as_sarif", "as_text", "explained", "told"]

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def as_text(finding: Finding, where: str) -> str:
    """One finding over several lines: place, what, the line with a caret, why, how to mend. ``where``: file to show."""
    lint = finding.lint
    lines = [f"{where}:{finding.line}:{finding.column}: {lint.severity} {lint.code} {lint.name}: {finding.what}"]
    if finding.excerpt:
        lines += [f"    {finding.excerpt}", f"    {' ' * (finding.column - 1)}^"]
    lines += [f"    why:  {lint.why}", f"    mend: {finding.mend or lint.mend}"]
    return "\n".join(lines)


def told(findings: Iterable[tuple[Finding, str]]) -> Iterator[str]:
    """Findings as text; names of one file that break the same rule of the grammar are one text with a line for each."""
    groups: dict[object, list[tuple[Finding, str]]] = {}
    for number, (each, where) in enumerate(findings):
        shape = re.sub(r"`[^`]*`", "`…`", each.what)
        refused = each.lint.code == "GW003" and shape.startswith("`…` is not ")
        groups.setdefault((where, shape) if refused else number, []).append((each, where))
    for (first, where), *more in groups.values():
        yield "\n".join([as_text(first, where), *_also(each for each, _ in more)])


def _also(findings: Iterable[Finding]) -> Iterator[str]:
    """``also: `conn_no` at 42:17, 62:19: write `connNo```; the rule stands above."""
    places: dict[tuple[str, str], list[str]] = {}
    for each in findings:
        name = each.what.partition(" is not ")[0]
        near, colon, _ = each.mend.partition(": ")
        places.setdefault((name, f": {near}" if colon else ""), []).append(f"{each.line}:{each.column}")
    for (name, mend), at in places.items():
        yield f"    also: {name} at {', '.join(at)}{mend}"


def as_json(findings: Iterable[tuple[Finding, str]]) -> list[dict[str, object]]:
    """Findings as JSON objects."""
    return [
        {
            "file": where,
            "line": each.line,
            "column": each.column,
            "code": each.lint.code,
            "name": each.lint.name,
            "severity": str(each.lint.severity),
            "what": each.what,
            "why": each.lint.why,
            "mend": each.mend or each.lint.mend,
            "excerpt": each.excerpt,
            "fixable": each.fix is not None,
        }
        for each, where in findings
    ]


def as_github(finding: Finding, where: str) -> str:
    """One workflow command, which GitHub shows as an annotation of the line."""
    level = {"note": "notice"}.get(str(finding.lint.severity), str(finding.lint.severity))
    title = _escaped(f"{finding.lint.code} {finding.lint.name}", more=True)
    place = f"file={_escaped(where, more=True)},line={finding.line},col={finding.column},title={title}"
    return f"::{level} {place}::{_escaped(f'{finding.what}. {finding.mend or finding.lint.mend}')}"


def _escaped(text: str, *, more: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if more else text


def as_sarif(findings: Sequence[tuple[Finding, str]], lints: Sequence[Lint]) -> dict[str, object]:
    """A SARIF 2.1.0 log with one run; all lints are its rules."""
    places = {lint.code: index for index, lint in enumerate(lints)}
    driver = {
        "name": "gateway lint",
        "version": _version(),
        "rules": [_rule(lint) for lint in lints],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(each, where, places[each.lint.code]) for each, where in findings],
            }
        ],
    }


def _version() -> str:
    try:
        return version("strangler-gateway")
    except PackageNotFoundError:
        return "0"


def _rule(lint: Lint) -> dict[str, object]:
    return {
        "id": lint.code,
        "name": "".join(word.capitalize() for word in lint.name.split("-")),
        "shortDescription": {"text": lint.name.replace("-", " ")},
        "fullDescription": {"text": lint.why},
        "help": {"text": f"{lint.why}.\nTo mend it: {lint.mend}."},
        "defaultConfiguration": {"level": _LEVELS[lint.severity]},
    }


def _result(finding: Finding, where: str, index: int) -> dict[str, object]:
    region: dict[str, object] = {"startLine": finding.line, "startColumn": finding.column}
    if finding.excerpt:
        region["snippet"] = {"text": finding.excerpt}
    place = {"artifactLocation": {"uri": where.replace("\\", "/")}, "region": region}
    return {
        "ruleId": finding.lint.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.lint.severity],
        "message": {"text": f"{finding.what}. To mend it: {finding.mend or finding.lint.mend}."},
        "locations": [{"physicalLocation": place}],
    }


def explained(lint: Lint) -> str:
    """A lint for people who ask what its code means."""
    needs = {"schema": "a recorded or live schema (--schema, --url)", "cases": "test cases beside the mapping"}
    lines = [f"{lint.code} {lint.name} ({lint.severity})", "", f"Why:   {lint.why}.", f"Mend:  {lint.mend}."]
    if lint.needs:
        lines.append(f"Needs: {needs[lint.needs]}.")
    if lint.fixable:
        lines.append("Fix:   gateway lint --fix does it.")
    return "\n".join([*lines, "", "Example:", *(f"    {line}" for line in lint.example.split("\n"))])
