"""A diagnosis as text: findings that are alike told once, and at the end the commands that mend most of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from gateway.services.doctor_report import AreaReport, Diagnosis, Finding, Severity

__all__ = ["diagnosis_lines"]

Line = tuple[str, str]
"""Text and colour."""
_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_NAMED = 3
"""Objects that are named each; of more of one kind the number is told, with the first of them."""


def diagnosis_lines(diagnosis: Diagnosis) -> Iterator[Line]:
    """The areas in their order, then figures and commands."""
    for area in diagnosis.areas:
        yield from _area(area)
    counts = ", ".join(f"{diagnosis.count(severity)} {severity}s" for severity in Severity)
    unseen = [area.area for area in diagnosis.areas if area.unseen]
    missed = f"; not looked at: {', '.join(unseen)}" if unseen else ""
    yield f"{counts}{missed}", "bold"
    commands = _commands([finding for area in diagnosis.areas for finding in area.findings])
    if sum(commands.values()) > 1:
        yield f"mended by: {', then '.join(f'{name} ({count})' for name, count in commands.items())}", "bold"


def _area(report: AreaReport) -> Iterator[Line]:
    yield report.area, "bold"
    if report.unseen:
        yield f"  could not be looked at: {report.unseen}", "bold red"
    alike: dict[tuple[Severity, str, str], list[str]] = {}
    for one in sorted(report.findings, key=lambda finding: list(Severity).index(finding.severity)):
        alike.setdefault((one.severity, one.reason, one.remedy), []).append(one.object)
    for (severity, reason, remedy), objects in alike.items():
        for named in _named(objects):
            yield f"  {severity:<8} {named}", _COLOURS[severity]
        told = reason.replace("\n", "\n           ")
        yield f"           {told}\n           → {remedy}", ""
    for line in report.fine:
        yield f"  ok       {line}", "green"


def _named(objects: Sequence[str]) -> Iterator[str]:
    """Each object, or ``12 topics: a, b, c and 9 more``."""
    kinds: dict[str, list[str]] = {}
    for each in objects:
        kind, _, name = each.rpartition(" ")
        kinds.setdefault(kind, []).append(name)
    for kind, names in kinds.items():
        if len(names) <= _NAMED or not kind:
            yield from (f"{kind} {name}".strip() for name in names)
        else:
            yield f"{len(names)} {kind}s: {', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def _commands(findings: Sequence[Finding]) -> dict[str, int]:
    """Commands of ours that are the whole remedy of a finding, and of how many."""
    remedies = (finding.remedy.partition("  #")[0] for finding in findings)
    return dict(Counter(each for each in remedies if each.startswith("gateway ") and ";" not in each))
