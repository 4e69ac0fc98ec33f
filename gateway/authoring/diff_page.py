"""A comparison as one HTML page."""

from __future__ import annotations

from gateway.authoring.diff_report import Report
from gateway.authoring.diff_words import budget_line, fields_of, headline, rules_of, shown
from gateway.authoring.pages import render

__all__ = ["page"]

_TONES = {"gone": "bad", "changed": "warn", "added": "good", "order": "warn", "rule": "quiet"}
_AGGREGATES = 50


def page(report: Report) -> str:
    """The page: figures, edits, event types, findings with examples, aggregates; self-contained."""
    return render(
        "diff",
        report=report,
        headline=headline(report),
        budget=budget_line(report),
        tones=_TONES,
        rules_of=rules_of,
        fields_of=fields_of,
        shown=shown,
        blank=lambda value: value is None or (isinstance(value, str) and not value.strip()),
        aggregates=report.aggregates[:_AGGREGATES],
        differing=[each for each in report.types if each[2].gone or each[2].changed or each[2].added],
        alike=[each for each in report.types if not (each[2].gone or each[2].changed or each[2].added)],
    )
