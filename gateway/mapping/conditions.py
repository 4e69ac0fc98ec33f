"""Conditions nobody uses: each must fit the rows of some table, so that a typing error is found before it matters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway.mapping.compiled import RowOp
from gateway.mapping.expressions.compiler import compile_test
from gateway.mapping.expressions.names import RowShape
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.nodes import Faults, Scalar
from gateway.mapping.patterns import Context
from gateway.model.errors import Fault

__all__ = ["check_conditions"]

_OPS = (RowOp.UPDATE, RowOp.LEAVES, RowOp.ARRIVES)
"""Operations that together know every root: both images, or the key on the far side."""


def check_conditions(
    entries: Iterable[tuple[Scalar, object]], contexts: Sequence[Context], faults: Faults, told: Iterable[Fault]
) -> None:
    """Note in ``faults`` each condition that fits no row of any mapping that may use it (``contexts``).

    A condition that a rule uses has its fault among those ``told`` already.
    """
    said = [fault.what for fault in told]
    for name, expression in entries:
        word = f"the condition `{name.text}`"
        unread = any(context.conditions.get(name.text) is None for context in contexts)
        if unread or any(word in what for what in said):
            continue
        assert isinstance(expression, Scalar)
        found = [fault for context in contexts for fault in _faults(expression, context)]
        if found and None not in found:
            nearest = max((fault for fault in found if fault is not None), key=_nearness)
            faults.add(expression.at(nearest.offset), f"{word} fits no row: {nearest.what}", nearest.hint)


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
