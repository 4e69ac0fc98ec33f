"""Types of what fills a field, asked again of the compiler: for lints that look closer than it must."""

from __future__ import annotations

from gateway.mapping.expressions.compiler import compile_expression
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.kinds import Kind, Type
from gateway.mapping.lints.payload import Leaf
from gateway.mapping.lints.spoken import Ref, column_named
from gateway.mapping.lints.subject import ColumnFact, Subject

__all__ = ["column_of_leaf", "symbols_of_leaf", "type_of_leaf"]


def type_of_leaf(leaf: Leaf, subject: Subject) -> Type | None:
    """The type of what fills a field; None for constants and where it cannot be told."""
    if leaf.taken is not None:
        fact = subject.columns.get((leaf.taken.table, leaf.taken.column))
        return None if fact is None else fact.type
    if leaf.joined:
        return Type(Kind.TEXT)
    if not leaf.parts:
        return None
    spoken = leaf.parts[0]
    try:
        return compile_expression(spoken.parsed.text, spoken.names).type
    except ExpressionFault:
        return None


def column_of_leaf(leaf: Leaf, subject: Subject) -> ColumnFact | None:
    """The column that fills a field as it is, without filters."""
    ref: Ref | None = leaf.taken
    if ref is None and len(leaf.parts) == 1 and not leaf.joined:
        ref = column_named(leaf.parts[0].parsed.tree, leaf.parts[0])
    return None if ref is None else subject.columns.get((ref.table, ref.column))


def symbols_of_leaf(leaf: Leaf, subject: Subject) -> frozenset[str] | None:
    """The only texts that can fill a field; None where they are not known."""
    if leaf.constant is not None:
        return frozenset() if leaf.constant.is_null else frozenset({leaf.constant.text})
    type_ = type_of_leaf(leaf, subject)
    if type_ is None or type_.kind is Kind.NULL:
        return frozenset() if type_ is not None else None
    return type_.symbols
