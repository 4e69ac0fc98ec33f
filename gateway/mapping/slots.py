"""Two rules of one event type that can both fire on one row need a slot (language.md 9): a sound, careful check.

Two events would get one id if both rules fired on one row. They cannot when their operations, tests or changes exclude
each other, or when the earlier rule takes what the later one needs. What the check cannot see through counts as "can".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.mapping.compiled import Pattern, RowOp
from gateway.mapping.conjuncts import Conjuncts, Domain, conjuncts_of
from gateway.mapping.expressions.names import HAS_AFTER
from gateway.mapping.expressions.syntax import Parsed
from gateway.mapping.nodes import Faults
from gateway.mapping.rules import Compiled

__all__ = ["Asked", "asked_of", "check_slots"]


Asked = Mapping[tuple[str, str], Domain]
"""What a rule asks of a row before it fires: the possible values, by (before or after, column) or (test, spelling)."""
_TEST = "test"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A rule with what its ``when`` says for certain, and what it asks by operation."""

    compiled: Compiled
    when: Conjuncts
    asked: Mapping[RowOp, Asked]


def check_slots(rules: tuple[Compiled, ...], conditions: Mapping[str, Parsed | None], faults: Faults) -> None:
    """Note a fault for each rule that can publish the event of an earlier rule for the same row, without a slot."""
    known: dict[tuple[str, str], _Shelf] = {}
    for compiled in rules:
        event = compiled.rule.event
        if event is None or not compiled.clean:
            continue
        later = _candidate(compiled, conditions)
        shelf = known.setdefault((event, compiled.rule.slot), _Shelf())
        for earlier in shelf.near(later):
            reason = _clash(earlier, later)
            if reason:
                what = f"`{earlier.compiled.rule.name}` and this rule can both publish {event} for one row ({reason})"
                hint = "give one a slot, let the earlier one explain more, or let their tests exclude each other"
                faults.add(compiled.section.mark_of("event"), what, hint)
                break
        shelf.add(later)


_Place = tuple[str, RowOp]
_Index = dict[object, set[int]]


class _Shelf:
    """The earlier rules of one event and slot, kept by the values they ask for: a rule need not meet all of them."""

    def __init__(self) -> None:
        self._all: list[_Candidate] = []
        self._once: set[int] = set()
        self._placed: dict[_Place, set[int]] = {}
        self._valued: dict[tuple[_Place, tuple[str, str]], _Index] = {}
        self._asking: dict[tuple[_Place, tuple[str, str]], set[int]] = {}

    def add(self, candidate: _Candidate) -> None:
        """Keep a rule for those behind it."""
        number = len(self._all)
        self._all.append(candidate)
        anchor = candidate.compiled.rule.anchor
        if anchor is None:
            self._once.add(number)
            return
        for op, asked in candidate.asked.items():
            place = (anchor.table, op)
            self._placed.setdefault(place, set()).add(number)
            for column, domain in asked.items():
                if domain.only is None:
                    continue
                self._asking.setdefault((place, column), set()).add(number)
                index = self._valued.setdefault((place, column), {})
                for value in domain.only:
                    index.setdefault(value, set()).add(number)

    def near(self, later: _Candidate) -> Iterator[_Candidate]:
        """Those that may clash with a rule, in file order; the others ask for other values of some column."""
        anchor = later.compiled.rule.anchor
        if anchor is None:
            yield from self._all
            return
        numbers = set(self._once)
        for op, asked in later.asked.items():
            numbers |= self._near((anchor.table, op), asked)
        yield from (self._all[number] for number in sorted(numbers))

    def _near(self, place: _Place, asked: Asked) -> set[int]:
        left = self._placed.get(place, set())
        for column, domain in asked.items():
            asking = self._asking.get((place, column))
            if asking is None or domain.only is None:
                continue
            index = self._valued[place, column]
            agreeing = set().union(*(index.get(value, ()) for value in domain.only))
            left = {number for number in left if number not in asking or number in agreeing}
        return left


def _candidate(compiled: Compiled, conditions: Mapping[str, Parsed | None]) -> _Candidate:
    when = conjuncts_of(compiled.section.scalar("when"), conditions)
    anchor = compiled.rule.anchor
    ops = anchor.ops if anchor is not None else ()
    return _Candidate(compiled, when, {op: asked_of(anchor, when, op) for op in ops if anchor is not None})


def _clash(earlier: _Candidate, later: _Candidate) -> str:
    """Why both can fire on one row; empty when they cannot."""
    first, second = earlier.compiled.rule.anchor, later.compiled.rule.anchor
    if first is None or second is None:
        return "an event of a `once` rule hangs on the first row of the change set"
    if first.table != second.table:
        return ""
    for op in sorted(first.ops & second.ops):
        if _both_match(first, second, op) and not _exclusive(earlier.asked[op], later.asked[op]):
            return f"on {op}"
    return ""


def _both_match(first: Pattern, second: Pattern, op: RowOp) -> bool:
    """Whether the later pattern still finds what it wants after the earlier one has taken its changes."""
    if first.witness or second.witness:
        return True
    if op is not RowOp.UPDATE:
        return False
    transitions = {test.column for test in second.where if test.transition}
    if transitions & first.takes:
        return False
    return second.changed is None or not second.changed <= first.takes


def _exclusive(one: Asked, other: Asked) -> bool:
    """Whether the two ask for values of one column that no row can have together."""
    return any(key in other and (domain & other[key]).empty for key, domain in one.items())


def asked_of(pattern: Pattern, when: Conjuncts, op: RowOp) -> Asked:
    """What a pattern and the conjuncts of its rule ask of a row with that operation."""
    row = "after" if op in HAS_AFTER else "before"
    found: dict[tuple[str, str], Domain] = {}
    for (side, column), domain in (*_where(pattern, op, row), *when.domains):
        key = (row if side == "row" else side, column)
        found[key] = found.get(key, Domain()) & domain
    for spelling, negated in when.opaque:
        key = (_TEST, spelling)
        found[key] = found.get(key, Domain()) & Domain(frozenset({not negated}))
    return found


def _where(pattern: Pattern, op: RowOp, row: str) -> Iterator[tuple[tuple[str, str], Domain]]:
    for test in pattern.where:
        if not test.transition:
            values = frozenset(test.equals)
            yield ("row", test.column), Domain(None, values) if test.negated else Domain(values)
        if test.was is not None and (op is RowOp.UPDATE or row == "before"):
            yield ("before", test.column), Domain(frozenset(test.was))
        if test.became is not None and row == "after":
            yield ("after", test.column), Domain(frozenset(test.became))
