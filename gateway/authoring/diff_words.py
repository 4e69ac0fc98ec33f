"""A comparison in words: the lines that text, Markdown and pages have in common, and its JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from gateway.authoring.diff_findings import Difference, EventCause, Finding, LetterCause, UnexplainedCause
from gateway.authoring.diff_report import Report

__all__ = ["as_json", "budget_line", "counted", "differing", "fields_of", "headline", "rules_of", "shown", "sign"]

_SIGNS = {"added": "+", "gone": "-", "changed": "~", "order": "~", "rule": "="}
_AGGREGATES = 1_000


def sign(kind: str) -> str:
    """``+`` added, ``-`` gone, ``~`` changed or in another order, ``=`` the same by another rule."""
    return _SIGNS[kind]


def counted(cause: EventCause, finding: Finding) -> str:
    """What kind of difference it is, how often, and of which events, in one line."""
    if cause.kind == "order":
        return f"{sign(cause.kind)} {finding.count} in another order: {cause.new} comes before {cause.old} now"
    said = str(cause.old or cause.new)
    if cause.kind == "changed" and cause.old != cause.new:
        said = f"{cause.old} → {cause.new}"
    return f"{sign(cause.kind)} {finding.count} {cause.kind}: {said}"


def headline(report: Report) -> str:
    """The whole comparison in one sentence."""
    found = report.summary
    if report.same:
        return f"No difference: both versions say the same {found['events_old']} events of {found['records']} records."
    parts = [
        f"{found[name]} {word}"
        for name, word in (
            ("gone", "gone"),
            ("changed", "changed"),
            ("added", "added"),
            ("other_rule", "said by another rule"),
        )
        if found[name]
    ]
    events = f"Of {found['events_old']} events {_listed(parts)}" if parts else "No event differs"
    others = [
        f"{found[name]} {word}"
        for name, word in (
            ("order", "change sets with their events in another order"),
            ("letters", "records newly dead-lettered or parked"),
            ("letters_gone", "dead letters gone"),
            ("letters_changed", "dead letters of another class or rule"),
            ("unexplained", "changes newly unexplained"),
            ("unexplained_gone", "changes explained now"),
        )
        if found[name]
    ]
    return f"{events}{'; ' if others else ''}{_listed(others)}."


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" and {parts[-1]}" if parts else ""


def rules_of(cause: EventCause | LetterCause | UnexplainedCause) -> str:
    """The rule responsible: ``old → new``, or one name where it is the same."""
    none = "(before any rule)"  # a dead letter whose record could not be read
    if cause.old_rule == cause.new_rule:
        return cause.new_rule or none
    return f"{cause.old_rule or none} → {cause.new_rule or none}"


def fields_of(finding: Finding, most: int = 6) -> str:
    """The fields that differ, the commonest first: ``address.street 12, validFrom 3``."""
    ordered = sorted(finding.fields.items(), key=lambda each: (-each[1], each[0]))
    told = ", ".join(f"{name} {count}" for name, count in ordered[:most])
    return told + (f", and {len(ordered) - most} more" if len(ordered) > most else "")


def shown(value: object) -> str:
    """A payload or column value as one short line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def differing(difference: Difference) -> str:
    """``path: old → new``."""
    if difference.kind == "added":
        return f"{difference.path}: + {shown(difference.new)}"
    if difference.kind == "gone":
        return f"{difference.path}: - {shown(difference.old)}"
    return f"{difference.path}: {shown(difference.old)} → {shown(difference.new)}"


def budget_line(report: Report) -> str:
    """What the budget allowed and what was found; '' without a budget."""
    told = [f"{one.name} {one.found} of {one.allowed}{'' if one.kept else ' (exceeded)'}" for one in report.budget]
    return f"budget {'kept' if report.kept else 'exceeded'}: {', '.join(told)}" if told else ""


def as_json(report: Report) -> dict[str, object]:
    """The report as a JSON object (its keys are fixed: tools read them)."""
    return {
        "old": report.old,
        "new": report.new,
        "recording": report.records_of,
        "masked": report.masked,
        "same": report.same,
        "summary": dict(report.summary),
        "budget": {"kept": report.kept, "allowances": [asdict(one) for one in report.budget]},
        "edits": [asdict(edit) for edit in report.edits],
        "by_type": [
            {"aggregate": aggregate, "event": event, **asdict(counts)} for aggregate, event, counts in report.types
        ],
        "by_aggregate": [
            {"aggregate": aggregate, "id": identity, **asdict(each)}
            for aggregate, identity, each in report.aggregates[:_AGGREGATES]
        ],
        "outcomes": [{"outcome": name, "old": old, "new": new} for name, old, new in report.outcomes],
        "events": _findings(report.events),
        "letters": _findings(report.letters),
        "unexplained": _findings(report.unexplained),
    }


def _findings(
    found: Iterable[tuple[EventCause | LetterCause | UnexplainedCause, Finding]],
) -> list[Mapping[str, object]]:
    return [
        {
            **asdict(cause),
            "count": finding.count,
            "aggregates": len(finding.aggregates),
            "fields": dict(sorted(finding.fields.items())),
            "examples": [asdict(each) for each in finding.examples],
        }
        for cause, finding in found
    ]
