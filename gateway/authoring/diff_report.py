"""A comparison as all its outputs show it: figures, lists in a fixed order, edits, budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.authoring.diff_budget import Allowance, Spent, spend
from gateway.authoring.diff_edits import Edit
from gateway.authoring.diff_findings import (
    Diff,
    EventCause,
    Finding,
    LetterCause,
    Touched,
    TypeCounts,
    UnexplainedCause,
)

__all__ = ["Report", "report_of"]

_KINDS = ("gone", "changed", "added", "order", "rule")


@dataclass(frozen=True, slots=True)
class Report:
    """``old``/``new``/``records_of`` name what was compared; ``summary`` has one figure a name.

    ``types``: those with a difference first, then all others; ``aggregates``: the most touched first.
    """

    old: str
    new: str
    records_of: str
    masked: bool
    summary: Mapping[str, int]
    edits: tuple[Edit, ...]
    types: tuple[tuple[str, str, TypeCounts], ...]
    events: tuple[tuple[EventCause, Finding], ...]
    letters: tuple[tuple[LetterCause, Finding], ...]
    unexplained: tuple[tuple[UnexplainedCause, Finding], ...]
    aggregates: tuple[tuple[str, str, Touched], ...]
    outcomes: tuple[tuple[str, int, int], ...]
    budget: tuple[Spent, ...]

    @property
    def same(self) -> bool:
        """Whether both versions say the same of every record."""
        return not (self.events or self.letters or self.unexplained)

    @property
    def kept(self) -> bool:
        """Whether the budget was kept; True without one."""
        return all(one.kept for one in self.budget)


def report_of(
    diff: Diff,
    *,
    old: str,
    new: str,
    records_of: str,
    masked: bool = False,
    edits: Sequence[Edit] = (),
    budget: tuple[Allowance, ...] = (),
) -> Report:
    """Order what was found: most first, and by name where equal."""
    summary = _summary(diff)
    return Report(
        old,
        new,
        records_of,
        masked,
        summary,
        tuple(edits),
        tuple(sorted(((*name, counts) for name, counts in diff.types.items()), key=_by_difference)),
        tuple(sorted(diff.events.items(), key=lambda each: (_KINDS.index(each[0].kind), -each[1].count, str(each[0])))),
        tuple(sorted(diff.letters.items(), key=lambda each: (each[0].kind, -each[1].count, str(each[0])))),
        tuple(sorted(diff.unexplained.items(), key=lambda each: (each[0].kind, -each[1].count, str(each[0])))),
        tuple(
            sorted(((*name, each) for name, each in diff.touched.items()), key=lambda each: (-each[2].total, each[:2]))
        ),
        tuple((name, old_, new_) for name, (old_, new_) in sorted(diff.outcomes.items())),
        spend(budget, summary, summary["events_old"]),
    )


def _by_difference(each: tuple[str, str, TypeCounts]) -> tuple[int, str, str]:
    aggregate, event, counts = each
    return -(counts.added + counts.gone + counts.changed), aggregate, event


def _by_total(each: tuple[str, str, Touched]) -> tuple[int, str, str]:
    return -each[2].total, each[0], each[1]


def _summary(diff: Diff) -> dict[str, int]:
    kinds = dict.fromkeys(_KINDS, 0)
    for cause, finding in diff.events.items():
        kinds[cause.kind] += finding.count
    letters = dict.fromkeys(("added", "gone", "changed"), 0)
    for letter, finding in diff.letters.items():
        letters[letter.kind] += finding.count
    unexplained = dict.fromkeys(("added", "gone"), 0)
    for each, finding in diff.unexplained.items():
        unexplained[each.kind] += sum(finding.fields.values())
    return {
        "records": diff.records,
        "transactions": diff.units,
        "events_old": sum(counts.old for counts in diff.types.values()),
        "events_new": sum(counts.new for counts in diff.types.values()),
        "added": kinds["added"],
        "gone": kinds["gone"],
        "changed": kinds["changed"],
        "order": kinds["order"],
        "other_rule": kinds["rule"],
        "letters": letters["added"],
        "letters_gone": letters["gone"],
        "letters_changed": letters["changed"],
        "unexplained": unexplained["added"],
        "unexplained_gone": unexplained["gone"],
        "aggregates": len(diff.touched),
    }
