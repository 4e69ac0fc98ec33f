"""The tests of one pattern, asked of one row and told with their values; `match.fits` asks the same and decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gateway.mapping.compiled import Clause, Expression, Pattern, RowOp, Scope, WhereTest
from gateway.model.event import Check
from gateway.model.values import Unavailable, Value
from gateway.pipeline.match import equality, transition, truth_of
from gateway.pipeline.rows import NetRow

__all__ = ["Taken", "clause", "probe", "same"]

Taken = dict[tuple[int, str | None], str]
"""Which rule took a column of a row (by its index), or the row (column None)."""

_NOTHING: frozenset[str] = frozenset()


def probe(
    pattern: Pattern, row: NetRow, index: int, takers: Taken, scope: Callable[[NetRow], Scope]
) -> Iterator[Check]:
    """The pattern's tests of this row, in the order in which they are made. An operation it does not want ends them."""
    fits_op = row.op in pattern.ops
    wanted = " or ".join(sorted(map(str, pattern.ops)))
    yield Check("op", f"op: {wanted}", fits_op, (("op", str(row.op)),), "" if fits_op else f"the row's is {row.op}")
    if not fits_op:
        return
    if row.op is not RowOp.UPDATE and not pattern.witness:
        yield from _untaken_row(row, index, takers)
    if row.op is RowOp.UPDATE and pattern.changed is not None:
        yield _changed(pattern, row, index, takers)
    seen = _NOTHING if row.op is not RowOp.UPDATE else row.changed if pattern.witness else row.untaken
    for test in pattern.where:
        yield _transition(test, row, seen, index, takers) if test.transition else _equality(test, row)
    if pattern.when is not None:
        yield clause(pattern.when, pattern.said, scope(row))


def clause(when: Expression, said: Clause | None, scope: Scope) -> Check:
    """A ``when``: what it says, its truth, and its parts."""
    truth = truth_of(when(scope))
    if said is None:
        return Check("when", "when", truth)
    look = said.look(scope)
    return Check("when", f"when: {said.text}", truth, look.saw, parts=look.parts)


def same(pattern: Pattern, row: NetRow, anchor: NetRow) -> Iterator[Check]:
    """``same``: each column equal to the anchor's."""
    for name in pattern.same:
        mine, theirs = _value(row.row, name), _value(anchor.row, name)
        truth: bool | Unavailable = mine == theirs
        for value in (mine, theirs):
            if isinstance(value, Unavailable):
                truth = value
        why = "" if truth is True else "the anchor's differs" if truth is False else "cannot be compared"
        yield Check("same", f"same: [{name}]", truth, ((f"row.{name}", mine), (f"anchor.{name}", theirs)), why)


def _untaken_row(row: NetRow, index: int, takers: Taken) -> Iterator[Check]:
    if row.took:
        by = takers.get((index, None), "")
        yield Check(
            "taken", "not taken yet", False, why=f"taken by {by}" if by else "taken", takers=(by,) if by else ()
        )


def _changed(pattern: Pattern, row: NetRow, index: int, takers: Taken) -> Check:
    wanted = pattern.changed or _NOTHING
    seen = row.changed if pattern.witness else row.untaken
    truth = not wanted.isdisjoint(seen)
    told = wanted & row.changed
    by = _takers(told, index, takers)
    if truth:
        why = ""
    elif not told:
        why = "none of them changed"
    else:
        listed = ", ".join(sorted(told))
        why = f"{listed}: taken by {', '.join(by)}" if by else f"{listed}: bookkeeping"
    saw = tuple(pair for name in sorted(told) for pair in _both_sides(row, name))
    names = _grouped(row, wanted)
    return Check("changed", f"changed: [{', '.join(names)}]", truth, saw, why, takers=() if truth else by)


def _grouped(row: NetRow, columns: frozenset[str]) -> list[str]:
    """The columns by their groups' names, where a group is whole."""
    left, names = set(columns), []
    for name, members in row.plan.table.groups.items():
        if left.issuperset(members):
            names.append(name)
            left.difference_update(members)
    return [*names, *(name for name in row.plan.columns if name in left)]


def _equality(test: WhereTest, row: NetRow) -> Check:
    truth = equality(test, row)
    value = _value(row.row, test.column)
    wanted = spelled(test.equals)
    text = f"where {test.column}: {{not: {wanted}}}" if test.negated else f"where {test.column}: {wanted}"
    why = "" if truth is True else f"it is {word(value)}"
    return Check("where", text, truth, ((f"row.{test.column}", value),), why)


def _transition(test: WhereTest, row: NetRow, seen: frozenset[str], index: int, takers: Taken) -> Check:
    truth = transition(test, row, seen)
    sides = [f"from: {spelled(test.was)}"] if test.was is not None else []
    sides += [f"to: {spelled(test.became)}"] if test.became is not None else []
    text = f"where {test.column}: {{{', '.join(sides)}}}"
    why, by = ("", ()) if truth is True else _not_so(test, row, seen, index, takers)
    still = row.op is RowOp.UPDATE and test.column not in row.changed
    kind = "changed" if still else "where"
    return Check(kind, text, truth, tuple(_both_sides(row, test.column)), why, takers=by)


def _not_so(
    test: WhereTest, row: NetRow, seen: frozenset[str], index: int, takers: Taken
) -> tuple[str, tuple[str, ...]]:
    before, after = _value(row.before, test.column), _value(row.after, test.column)
    if row.op is RowOp.UPDATE and test.column not in row.changed:
        return f"it did not change: it is {word(after)}", ()
    if row.op is RowOp.UPDATE and test.column not in seen:
        by = _takers(frozenset({test.column}), index, takers)
        return f"the change is taken by {', '.join(by)}" if by else "a bookkeeping column", by
    if row.before is None or row.after is None:
        return f"it is {word(after if row.before is None else before)}", ()
    return f"it went from {word(before)} to {word(after)}", ()


def _takers(columns: frozenset[str], index: int, takers: Taken) -> tuple[str, ...]:
    found = [takers[index, name] for name in sorted(columns) if (index, name) in takers]
    return tuple(dict.fromkeys(found))


def _both_sides(row: NetRow, name: str) -> Iterator[tuple[str, Value]]:
    if row.before is not None:
        yield f"before.{name}", row.before[name]
    if row.after is not None:
        yield f"after.{name}", row.after[name]


def _value(image: Mapping[str, Value] | None, name: str) -> Value:
    return None if image is None else image[name]


def spelled(values: tuple[Value, ...]) -> str:
    """Allowed values as the mapping writes them."""
    texts = [word(value) for value in values]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def word(value: Value) -> str:
    """A value in a sentence."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.value if isinstance(value, Unavailable) else str(value)
