"""Whether one rule fires wherever another does: what shadowing is decided by; careful, never guessing."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.mapping.compiled import Count, Pattern, RowOp, WhereTest
from gateway.mapping.conjuncts import Domain, conjuncts_of
from gateway.mapping.lints.subject import Subject
from gateway.mapping.rules import Compiled
from gateway.mapping.slots import Asked, asked_of

__all__ = ["fires_wherever", "taken_by"]


def fires_wherever(earlier: Compiled, later: Compiled, op: RowOp, subject: Subject) -> bool:
    """Whether the earlier rule's tests hold for every row, with its companions, for which the later one's hold.

    ``changed`` and what is taken are not looked at. What cannot be seen through counts as no.
    """
    first, second = earlier.rule.anchor, later.rule.anchor
    if first is None or second is None or first.table != second.table or op not in first.ops or op not in second.ops:
        return False
    conditions = subject.context.conditions
    when, other = earlier.section.scalar("when"), later.section.scalar("when")
    one, two = conjuncts_of(when, conditions), conjuncts_of(other, conditions)
    if when is not None and (other is None or when.text != other.text) and not _plain(when.text, len(one.domains)):
        return False
    if not _covers(asked_of(first, one, op), asked_of(second, two, op)):
        return False
    if any(test.transition and not _transition_in(test, second.where) for test in first.where):
        return False
    return all(_companion_in(pattern, later.rule.companions) for pattern in earlier.rule.companions)


def _plain(text: str, domains: int) -> bool:
    """Whether conjuncts say all of a test: one comparison, or several joined with `and`."""
    words = text.split()
    return domains > 0 and "or" not in words and "not" not in words and words.count("and") == domains - 1


def _covers(wide: Asked, narrow: Asked) -> bool:
    """Whether every row that meets the narrow tests meets the wide ones."""
    return all(key in narrow and _within(narrow[key], domain) for key, domain in wide.items())


def _within(inner: Domain, outer: Domain) -> bool:
    if outer.only is not None:
        return inner.only is not None and inner.only - inner.never <= outer.only - outer.never
    if inner.only is not None:
        return not (inner.only - inner.never) & outer.never
    return outer.never <= inner.never


def _transition_in(test: WhereTest, others: Iterable[WhereTest]) -> bool:
    """Whether the later rule asks for the same transition of the column, or a narrower one."""
    for other in others:
        if other.column == test.column and other.transition:
            was = test.was is None or (other.was is not None and set(other.was) <= set(test.was))
            became = test.became is None or (other.became is not None and set(other.became) <= set(test.became))
            return was and became
    return False


def _companion_in(pattern: Pattern, others: Iterable[Pattern]) -> bool:
    """Whether a companion is found wherever the later rule finds its own."""
    if pattern.count is Count.ANY:
        return True
    return any(_same_rows(pattern, other) for other in others)


def _same_rows(one: Pattern, other: Pattern) -> bool:
    if one.when is not None or other.when is not None:
        return False
    if (one.table, one.ops, one.changed, one.count, one.witness) == (
        other.table,
        other.ops,
        other.changed,
        other.count,
        other.witness,
    ):
        return _tests(one) == _tests(other) and set(one.same) == set(other.same)
    return False


def _tests(pattern: Pattern) -> set[tuple[object, ...]]:
    return {
        (
            test.column,
            frozenset(test.equals),
            test.negated,
            test.transition,
            None if test.was is None else frozenset(test.was),
            None if test.became is None else frozenset(test.became),
        )
        for test in pattern.where
    }


def taken_by(earlier: Compiled, later: Compiled, op: RowOp) -> frozenset[str] | None:
    """What the earlier rule leaves nothing of, where it fires: None for the whole row, else columns of an update."""
    pattern = earlier.rule.anchor
    other = later.rule.anchor
    if pattern is None or other is None or pattern.witness or other.witness:
        return frozenset()
    if op is not RowOp.UPDATE:
        return None
    if pattern.changed is None:
        return pattern.takes
    return pattern.changed
