"""The verdict: events against the truth, a consumer's rows against the tables, and the figures of the last line."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from demo.audience import Heard
from legacy_db.oracle import Comparison, compare, project, shortfalls
from legacy_db.oracle.expectation import count_by
from legacy_db.oracle.legacy_view import QUERIES
from legacy_db.oracle.reconcile import AGGREGATE_OF
from legacy_db.truth import TruthTransaction

__all__ = ["Figures", "as_published", "judge", "write_projection", "write_views"]

AGGREGATES = {"customer": "Customer", "policy": "Policy", "billing-account": "BillingAccount", "claim": "Claim"}


@dataclass(frozen=True, slots=True)
class Figures:
    """What the demo measured; ``problems`` are the sentences for which it fails."""

    line: Mapping[str, Any]
    problems: Sequence[str]
    comparison: Comparison


def as_published(heard: Iterable[Heard]) -> list[dict[str, Any]]:
    """Events as the oracle takes them, in order of arrival (which is each topic partition's order)."""
    return [
        {
            "event": one.event,
            "intent": one.intent,
            "aggregateType": AGGREGATES[one.topic.rsplit(".", 2)[-2]],
            "aggregateId": one.aggregate_id,
            "txId": one.tx_id,
            "data": one.data,
        }
        for one in heard
    ]


def write_projection(path: Path, published: Sequence[Mapping[str, Any]]) -> int:
    """Write the rows of a consumer that read nothing but the events, for `gateway reconcile`; the number of rows."""
    rows = project(published)
    lines = [
        {"view": name, "key": list(key), "values": values}
        for name, relation in rows.items()
        for key, values in relation.items()
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return len(lines)


def write_views(path: Path) -> None:
    """Write the oracle's SQL views for `gateway reconcile`."""
    views = {
        name: {"aggregate": AGGREGATE_OF[name], "key": width, "query": query}
        for name, (width, query) in QUERIES.items()
    }
    path.write_bytes(msgspec.yaml.encode(views))


def judge(
    truth: Sequence[TruthTransaction],
    heard: Sequence[Heard],
    gateway: Mapping[str, Any],
    reconcile_differences: int,
    run: Mapping[str, Any],
) -> Figures:
    """Put the figures of a run together.

    ``gateway``: what the workers counted (raw_records, ignored, unexplained, dead_letters, parked); ``run``: seed,
    legacy_transactions, seconds.
    """
    comparison = compare(truth, as_published(heard))
    expected = comparison.expectation
    delays = sorted(one.seconds for one in heard if one.intent != "state")
    line = {
        **run,
        "raw_records": gateway["raw_records"],
        "events": len(heard),
        "event_types": len({one.event for one in heard if one.intent != "state"}),
        "ignored": gateway["ignored"],
        "unexplained": gateway["unexplained"],
        "unexplained_expected": expected.unexplained,
        "dead_letters": gateway["dead_letters"],
        "dead_letters_expected": expected.dead_letters,
        "parked": gateway["parked"],
        "parked_expected": expected.parked_change_sets,
        "undetermined": comparison.undetermined,
        "mixed_updates": expected.mixed,
        "several_tables": expected.several_tables,
        "twins": expected.twins,
        "least_by_event": min(count_by(expected.facts).values(), default=0),
        "least_by_intent": min(count_by(expected.facts, by_intent=True).values(), default=0),
        "missing": len(comparison.missing),
        "extra": len(comparison.extra) + comparison.published_though_parked,
        "wrong_fields": len(comparison.wrong),
        "reordered": comparison.reordered,
        "precision": round(comparison.precision, 6),
        "recall": round(comparison.recall, 6),
        "reconcile_differences": reconcile_differences,
        "p50_ms": _percentile(delays, 50),
        "p99_ms": _percentile(delays, 99),
    }
    return Figures(line, _problems(line, comparison), comparison)


def _problems(line: Mapping[str, Any], comparison: Comparison) -> list[str]:
    found = [f"{name} is {line[name]}, not {wanted}" for name, wanted in _WANTED.items() if line[name] != wanted]
    for name in ("dead_letters", "unexplained", "parked"):
        if line[name] != line[f"{name}_expected"]:
            found.append(f"{name} is {line[name]}, expected {line[f'{name}_expected']}")
    return found + shortfalls(comparison.expectation)


_WANTED = {
    "missing": 0,
    "extra": 0,
    "wrong_fields": 0,
    "reordered": 0,
    "precision": 1.0,
    "recall": 1.0,
    "reconcile_differences": 0,
}


def _percentile(delays: Sequence[float], percent: int) -> float:
    if len(delays) < 2:
        return round(1000 * sum(delays), 1)
    return round(1000 * statistics.quantiles(delays, n=100)[percent - 1], 1)
