"""Whether a row fits a pattern, in three-valued logic (language.md 4 and 6)."""

from __future__ import annotations

from collections.abc import Callable

from gateway.mapping.compiled import Count, Pattern, RowOp, Scope, Truth, WhereTest
from gateway.model.errors import LetterClass
from gateway.model.values import MISSING, UNREADABLE, UNSENT, Unavailable, Value
from gateway.pipeline.rows import NetRow

__all__ = ["both", "class_of", "count_truth", "equality", "fits", "transition", "truth_of"]

_NOTHING: frozenset[str] = frozenset()
_GRAVITY = {UNSENT: 0, MISSING: 1, UNREADABLE: 2}
_CLASS = {UNSENT: LetterClass.RULE, MISSING: LetterClass.DRIFT, UNREADABLE: LetterClass.DECODE}


def class_of(reason: Unavailable) -> LetterClass:
    """The class of the dead letter that an undecided rule makes."""
    return _CLASS[reason]


def both(left: Truth, right: Truth) -> Truth:
    """Three-valued *and*; of two unknowns the graver reason stays (unreadable, missing, unsent)."""
    if left is False or right is False:
        return False
    if left is True:
        return right
    if right is True:
        return left
    return left if _GRAVITY[left] >= _GRAVITY[right] else right


def truth_of(value: Value) -> Truth:
    """What an expression's value says as a test: unknown stays unknown, anything but true is false."""
    return value if isinstance(value, Unavailable) else value is True


def fits(pattern: Pattern, row: NetRow, scope: Callable[[NetRow], Scope]) -> Truth:
    """Whether ``row`` fits, as far as it is untaken (a witness sees taken changes). False stays false within a rule."""
    if row.op not in pattern.ops:
        return False
    seen = _NOTHING
    if row.op is RowOp.UPDATE:
        seen = row.changed if pattern.witness else row.untaken
        if pattern.changed is not None and pattern.changed.isdisjoint(seen):
            return False
    elif row.took and not pattern.witness:
        return False
    truth: Truth = True
    for test in pattern.where:
        outcome = transition(test, row, seen) if test.transition else equality(test, row)
        if outcome is False:
            return False
        if outcome is not True:
            truth = both(truth, outcome)
    if pattern.when is not None:
        truth = both(truth, truth_of(pattern.when(scope(row))))
    return truth


def _one_of(value: Value, allowed: tuple[Value, ...]) -> Truth:
    return value if isinstance(value, Unavailable) else value in allowed


def equality(test: WhereTest, row: NetRow) -> Truth:
    """A ``where`` of a value, or of one that it must not be."""
    if row.row is None:
        return False
    outcome = _one_of(row.row[test.column], test.equals)
    return not outcome if test.negated and isinstance(outcome, bool) else outcome


def transition(test: WhereTest, row: NetRow, seen: frozenset[str]) -> Truth:
    """A ``where`` with from/to. ``seen``: an update's changed columns that the pattern may take."""
    if row.op is RowOp.UPDATE and test.column not in seen:
        return False
    truth: Truth = True
    if test.was is not None and row.before is not None:
        truth = _one_of(row.before[test.column], test.was)
    if test.became is not None and row.after is not None:
        truth = both(truth, _one_of(row.after[test.column], test.became))
    return truth


def count_truth(count: Count, true: int, unknown: int, reason: Unavailable) -> Truth:
    """Whether ``true`` to ``true + unknown`` rows satisfy ``count``: unknown unless all of these agree."""
    if count is Count.ANY:
        return reason if unknown else True
    low, high = _satisfied(count, true), _satisfied(count, true + unknown)
    agree = low == high and (count is not Count.ONE or unknown == 0 or true > 1)
    return low if agree else reason


def _satisfied(count: Count, rows: int) -> bool:
    if count is Count.ONE:
        return rows == 1
    if count is Count.AT_MOST_ONE:
        return rows <= 1
    return rows >= 1 if count is Count.AT_LEAST_ONE else rows == 0
