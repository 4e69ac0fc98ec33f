"""Conditions nobody uses: each must fit the rows of some table, so that a typing error is found before it matters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.mapping.compiled import RowOp
from gateway.mapping.expressions.compiler import compile_test
from gateway.mapping.expressions.names import RowShape
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.nodes import Scalar
from gateway.mapping.patterns import Context

__all__ = ["check_conditions"]

_OPS = (RowOp.UPDATE, RowOp.LEAVES, RowOp.ARRIVES)
"""Operations that together know every root: both images, or the key on the far side."""


def check_conditions(entries: Iterable[tuple[Scalar, object]], context: Context) -> None:
    """Note a fault for each condition that fits no row, unless the rule that uses it has one for it already."""
    told = [fault.what for fault in context.faults.found]
    for name, expression in entries:
        word = f"the condition `{name.text}`"
        if context.conditions.get(name.text) is None or any(word in what for what in told):
            continue
        assert isinstance(expression, Scalar)
        found = list(_faults(expression, context))
        if found and None not in found:
            nearest = max((fault for fault in found if fault is not None), key=_nearness)
            context.faults.add(expression.at(nearest.offset), f"{word} fits no row: {nearest.what}", nearest.hint)


def _nearness(fault: ExpressionFault) -> tuple[bool, int]:
    """The table that was meant is the one that has the columns, or has most of them."""
    return "has no column" not in fault.what, fault.offset


def _faults(expression: Scalar, context: Context) -> Iterator[ExpressionFault | None]:
    """What is wrong for the rows of each table; None where it fits, or where a fault is noted elsewhere."""
    for info in context.tables.values():
        for op in _OPS:
            shape = RowShape(info.table.name, info.types, frozenset({op}), info.lost)
            try:
                compile_test(expression.text, context.names(shape))
            except ExpressionFault as fault:
                yield None if fault.silent else fault
            else:
                yield None
