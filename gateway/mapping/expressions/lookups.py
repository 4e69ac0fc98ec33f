"""The filter ``lookup``: a value of reference data under a key, in ``data`` only (language.md 5)."""

from __future__ import annotations

from gateway.mapping.compiled import Expression, Scope
from gateway.mapping.expressions.names import Names
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.kinds import fits_text, text_of
from gateway.mapping.nodes import did_you_mean
from gateway.model.errors import LookupMissed
from gateway.model.values import Unavailable, Value

__all__ = ["lookup"]


def lookup(arguments: tuple[Value, ...], names: Names, key: Expression, offset: int) -> Expression:
    """The filter over a key; notes lookup and column in ``names``. ExpressionFault: no such lookup, or not here.

    Null and unavailable pass by it. At run time RecordError (lookup) where there is no such value.
    """
    if names.lookups is None:
        hint = "what happened depends on raw records alone: carry the value in a row of the aggregate"
        raise ExpressionFault(offset, "the filter lookup stands in `data` only", hint)
    name, column = arguments
    if not isinstance(name, str) or not isinstance(column, str) or not column:
        raise ExpressionFault(offset, "the filter lookup takes a lookup and a column", "write lookup('branch', 'name')")
    if name not in names.lookups.known:
        if names.doubtful or names.lookups.lost:
            raise ExpressionFault(0, "lookups with faults", silent=True)
        hint = did_you_mean(name, names.lookups.known) or f"declare it: lookups: {{{name}: {{topic: …}}}}"
        raise ExpressionFault(offset, f"there is no lookup `{name}`", hint)
    names.lookups.used.add((name, column))

    def run(scope: Scope) -> Value:
        value = text_of(key(scope))
        if value is None or isinstance(value, Unavailable):
            return value
        if scope.lookups is None:
            raise LookupMissed(name, str(value))
        found = scope.lookups.value(name, str(value), column)
        return None if found is None else fits_text(found)

    return run
