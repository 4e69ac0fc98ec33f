"""A consumer's rows against the legacy tables', row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from legacy_db.oracle.legacy_view import Rows
from legacy_db.work import Aggregate

__all__ = ["AGGREGATE_OF", "Difference", "Reconciliation", "reconcile"]

AGGREGATE_OF = {
    "customer": "Customer",
    "address": "Customer",
    "requested address": "Customer",
    "consent": "Customer",
    "policy": "Policy",
    "role": "Policy",
    "balance": "BillingAccount",
    "claim": "Claim",
    "claimant": "Claim",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that differs; None on a side where there is no such row."""

    relation: str
    key: tuple[Any, ...]
    consumer: dict[str, Any] | None
    legacy: dict[str, Any] | None


@dataclass(slots=True)
class Reconciliation:
    """What was compared by relation, what differs, and how many rows of parked aggregates were left out."""

    compared: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    parked: int = 0


def reconcile(consumer: Rows, legacy: Rows, parked: Collection[Aggregate] = ()) -> Reconciliation:
    """Compares every row of both sides, apart from those of parked aggregates, which are counted."""
    result, apart = Reconciliation(), set(parked)
    for relation, aggregate in AGGREGATE_OF.items():
        ours, theirs = consumer.get(relation, {}), legacy.get(relation, {})
        for key in sorted({*ours, *theirs}, key=str):
            if (aggregate, key[0]) in apart:
                result.parked += 1
                continue
            result.compared[relation] += 1
            if ours.get(key) != theirs.get(key):
                result.differences.append(Difference(relation, key, ours.get(key), theirs.get(key)))
    return result
