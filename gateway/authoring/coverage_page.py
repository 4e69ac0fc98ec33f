"""Coverage as one HTML page."""

from __future__ import annotations

from gateway.authoring.coverage import BOOKKEEPING, NOBODY
from gateway.authoring.coverage_report import Report, Share, shown
from gateway.authoring.pages import render

__all__ = ["page"]


def page(report: Report) -> str:
    """The page: figures, tables and columns, rules and tests, turns of codes; self-contained."""
    return render(
        "coverage",
        report=report,
        alone=len(report.mappings) == 1,
        value=shown,
        tone=_tone,
        nobody=NOBODY,
        bookkeeping=BOOKKEEPING,
        taker=_taker,
    )


def _tone(share: Share) -> str:
    return (
        "good"
        if share.part == share.whole
        else "fine"
        if share.percent >= 95
        else "warn"
        if share.percent >= 80
        else "bad"
    )


def _taker(name: str) -> str:
    return "nobody" if name == NOBODY else "bookkeeping" if name == BOOKKEEPING else name
