"""The oracle: judges published events by the truth, and what a consumer makes of them by the legacy tables."""

from __future__ import annotations

from legacy_db.oracle.compare import Comparison, WrongField, compare, shortfalls
from legacy_db.oracle.expectation import Expectation, expect
from legacy_db.oracle.legacy_view import legacy_rows
from legacy_db.oracle.projection import project
from legacy_db.oracle.reconcile import Difference, Reconciliation, reconcile

__all__ = [
    "Comparison",
    "Difference",
    "Expectation",
    "Reconciliation",
    "WrongField",
    "compare",
    "expect",
    "legacy_rows",
    "project",
    "reconcile",
    "shortfalls",
]
