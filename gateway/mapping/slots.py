"""Two rules of one event type that can both fire on one row need a slot (language.md 9): a sound, careful check.

Two events would get one id if both rules fired on one row. They cannot when their operations, tests or changes exclude
each other, or when the earlier rule takes what the later one needs. What the check cannot see through counts as "can".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.mapping.compiled import Pattern, RowOp
from gateway.mapping.conjuncts import Conjuncts, Domain, conjuncts_of
from gateway.mapping.expressions.names import HAS_AFTER
from gateway.mapping.expressions.syntax import Parsed
from gateway.mapping.nodes import Faults
from gateway.mapping.rules import Compiled

__all__ = ["check_slots"]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A rule with what its ``when`` says for certain."""

    compiled: Compiled
    when: Conjuncts


def check_slots(rules: tuple[Compiled, ...], conditions: Mapping[str, Parsed | None], faults: Faults) -> None:
    """Note a fault for each rule that can publish the event of an earlier rule for the same row, without a slot."""
    known: dict[tuple[str, str], list[_Candidate]] = {}
    for compiled in rules:
        event = compiled.rule.event
        if event is None or not compiled.clean:
            continue
        later = _Candidate(compiled, conjuncts_of(compiled.section.scalar("when"), conditions))
        group = known.setdefault((event, compiled.rule.slot), [])
        for earlier in group:
            reason = _clash(earlier, later)
            if reason:
                what = f"`{earlier.compiled.rule.name}` and this rule can both publish {event} for one row ({reason})"
                hint = "give one a slot, let the earlier one explain more, or let their tests exclude each other"
                faults.add(compiled.section.mark_of("event"), what, hint)
                break
        group.append(later)


def _clash(earlier: _Candidate, later: _Candidate) -> str:
    """Why both can fire on one row; empty when they cannot."""
    first, second = earlier.compiled.rule.anchor, later.compiled.rule.anchor
    if first is None or second is None:
        return "an event of a `once` rule hangs on the first row of the change set"
    if first.table != second.table:
        return ""
    for op in sorted(first.ops & second.ops):
        if _can_both(first, second, earlier.when, later.when, op):
            return f"on {op}"
    return ""


def _can_both(first: Pattern, second: Pattern, when: Conjuncts, other: Conjuncts, op: RowOp) -> bool:
    if when.opposes(other) or _exclusive(first, second, when, other, op):
        return False
    if first.witness or second.witness:
        return True
    if op is not RowOp.UPDATE:
        return False
    transitions = {test.column for test in second.where if test.transition}
    if transitions & first.takes:
        return False
    return second.changed is None or not second.changed <= first.takes


def _exclusive(first: Pattern, second: Pattern, when: Conjuncts, other: Conjuncts, op: RowOp) -> bool:
    """Whether the two ask for values of one column that no row can have together."""
    domains: dict[tuple[str, str], Domain] = {}
    for pattern in (first, second):
        for side, column, domain in _asked(pattern, op):
            key = (side, column)
            domains[key] = domains.get(key, Domain()) & domain
    row = "after" if op in HAS_AFTER else "before"
    for conjuncts in (when, other):
        for (side, column), domain in conjuncts.domains:
            key = (row if side == "row" else side, column)
            domains[key] = domains.get(key, Domain()) & domain
    return any(domain.empty for domain in domains.values())


def _asked(pattern: Pattern, op: RowOp) -> list[tuple[str, str, Domain]]:
    row = "after" if op in HAS_AFTER else "before"
    found: list[tuple[str, str, Domain]] = []
    for test in pattern.where:
        if not test.transition:
            values = frozenset(test.equals)
            found.append((row, test.column, Domain(None, values) if test.negated else Domain(values)))
        if test.was is not None and (op is RowOp.UPDATE or row == "before"):
            found.append(("before", test.column, Domain(frozenset(test.was))))
        if test.became is not None and row == "after":
            found.append(("after", test.column, Domain(frozenset(test.became))))
    return found
