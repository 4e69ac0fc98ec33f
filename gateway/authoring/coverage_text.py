"""Coverage as text for a terminal, and as plain values for JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gateway.authoring.coverage import NOBODY
from gateway.authoring.coverage_report import MappingReport, Report, Share
from gateway.authoring.shown import plain

__all__ = ["as_json", "share", "text"]

_MOST = 12


def share(found: Share) -> str:
    """``99.9 % (28,973 of 28,989)``."""
    return f"{found.percent:.1f} % ({found.part:,} of {found.whole:,})" if found.whole else "nothing to explain"


def text(report: Report) -> Iterator[str]:
    """The lines of the report, without colour."""
    yield f"{report.records:,} records of {report.source}: {report.sets:,} change sets, {report.failed:,} dead letters"
    yield f"changes explained   {share(report.explained)}"
    yield f"rules that fired    {share(report.fired)}"
    yield f"tests both ways     {share(report.both_ways)}"
    yield f"branches both ways  {share(report.taken) if report.taken.whole else 'there are none'}"
    for one in report.mappings:
        yield ""
        yield from _mapping(one)


def _mapping(one: MappingReport) -> Iterator[str]:
    yield f"{one.name}: {share(one.explained)} explained, {one.fired.part} of {one.fired.whole} rules fired"
    shown: Counter[str] = Counter()
    for word, where in one.lacks:
        shown[word] += 1
        if shown[word] <= _MOST:
            yield f"  {word:<12} {where}"
    for word, count in shown.items():
        if count > _MOST:
            yield f"  {word:<12} … {count - _MOST} more (-o json, --html)"
    for table in one.tables:
        if table.still:
            yield f"  {'never changed':<12} {table.table}: {', '.join(table.still)}"


def as_json(report: Report) -> dict[str, object]:
    """Plain values; takers of changes that nobody took are called ``(nobody)``."""
    return {
        "source": report.source,
        "records": report.records,
        "change_sets": report.sets,
        "dead_letters": report.failed,
        "explained": _share(report.explained),
        "rules_fired": _share(report.fired),
        "tests_both_ways": _share(report.both_ways),
        "branches_both_ways": _share(report.taken),
        "mappings": [_plain_mapping(one) for one in report.mappings],
    }


def _share(found: Share) -> dict[str, object]:
    return {"part": found.part, "whole": found.whole, "percent": round(found.percent, 2)}


def _takers(found: tuple[tuple[str, int], ...]) -> dict[str, int]:
    return {"(nobody)" if name == NOBODY else name: count for name, count in found}


def _plain_mapping(one: MappingReport) -> dict[str, object]:
    return {
        "mapping": one.name,
        "records": one.records,
        "outcomes": dict(one.outcomes),
        "failed": dict(one.failed),
        "parked": one.parked,
        "explained": _share(one.explained),
        "rules_fired": _share(one.fired),
        "tests_both_ways": _share(one.both_ways),
        "branches_both_ways": _share(one.taken),
        "tables": [
            {
                "table": table.table,
                "physical": table.physical,
                "operations": {op: _takers(line.takers) for op, line in table.operations.items()},
                "columns": {line.column: _takers(line.takers) for line in table.columns},
                "never_changed": list(table.still),
            }
            for table in one.tables
        ],
        "rules": [
            {
                "rule": rule.rule,
                "event": rule.event,
                "place": rule.place,
                "fired": rule.fired,
                "units": rule.units,
                "stopped_at": dict(rule.stops),
                "tests": [{"test": t.text, "true": t.true, "false": t.false, "verdict": t.verdict} for t in rule.tests],
            }
            for rule in one.rules
        ],
        "branches": [
            {"kind": b.kind, "place": b.place, "test": b.text, "rule": b.rule, "event": b.event, "table": b.table,
             "column": b.column, "field": b.field, "true": b.true, "false": b.false,
             "seen": b.seen, "verdict": b.verdict}
            for b in one.branches
        ],
        "turns": [
            {"table": t.table, "column": t.column, "before": plain(t.before), "after": plain(t.after),
             "count": t.count, "takers": _takers(t.takers)}
            for t in one.turns
        ],
        "codes_never_seen": [
            {"table": table, "column": column, "codes": [plain(each) for each in symbols]}
            for table, column, symbols in one.unseen
        ],
    }  # fmt: skip
