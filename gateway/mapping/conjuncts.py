"""What a ``when`` says for certain: the values that columns of the row must have, as far as its form shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import nodes

from gateway.mapping.expressions.syntax import ExpressionFault, Parsed, parse
from gateway.mapping.nodes import Scalar

__all__ = ["Conjuncts", "Domain", "column_of", "conjuncts_in", "conjuncts_of", "parts_of"]

_SIDES = ("before", "after", "row")


@dataclass(frozen=True, slots=True)
class Domain:
    """A set of values: those in ``only`` (None = all) without those in ``never``."""

    only: frozenset[object] | None = None
    never: frozenset[object] = frozenset()

    def __and__(self, other: Domain) -> Domain:
        if self.only is None or other.only is None:
            only = self.only if other.only is None else other.only
        else:
            only = self.only & other.only
        return Domain(only, self.never | other.never)

    @property
    def empty(self) -> bool:
        """Whether no value is left."""
        return self.only is not None and not self.only - self.never


@dataclass(frozen=True, slots=True)
class Conjuncts:
    """Domains by (side, column), and the remaining conjuncts about the row alone, as ``(spelling, negated)``."""

    domains: tuple[tuple[tuple[str, str], Domain], ...] = ()
    opaque: frozenset[tuple[str, bool]] = frozenset()


def conjuncts_of(when: Scalar | None, conditions: Mapping[str, Parsed | None]) -> Conjuncts:
    """The conjuncts of a test; conditions are looked into. An unreadable test says nothing."""
    if when is None:
        return Conjuncts()
    try:
        tree = parse(when.text).tree
    except ExpressionFault:
        return Conjuncts()
    return conjuncts_in(tree, conditions)


def conjuncts_in(tree: nodes.Node, conditions: Mapping[str, Parsed | None]) -> Conjuncts:
    """The conjuncts of a parsed test."""
    domains = []
    opaque = set()
    for node, negated in _split(tree, False, conditions, 0):
        found = _domain(node, negated)
        if found is not None:
            domains.append(found)
        elif _about_the_row(node):
            opaque.add((repr(node), negated))
    return Conjuncts(tuple(domains), frozenset(opaque))


def parts_of(tree: nodes.Node, conditions: Mapping[str, Parsed | None]) -> Iterator[tuple[nodes.Node, bool]]:
    """The parts of a test that must all hold, each with whether it is negated."""
    return _split(tree, False, conditions, 0)


def _split(
    node: nodes.Node, negated: bool, conditions: Mapping[str, Parsed | None], depth: int
) -> Iterator[tuple[nodes.Node, bool]]:
    """The parts that must all hold: of `a and b`, of `not (a or b)`, of conditions (to a depth of 20)."""
    if isinstance(node, nodes.Not):
        yield from _split(node.node, not negated, conditions, depth)
    elif isinstance(node, nodes.Or if negated else nodes.And):
        assert isinstance(node, nodes.BinExpr)
        yield from _split(node.left, negated, conditions, depth)
        yield from _split(node.right, negated, conditions, depth)
    elif isinstance(node, nodes.Name) and (parsed := conditions.get(node.name)) is not None and depth < 20:
        yield node, negated
        if not negated or isinstance(parsed.tree, (nodes.Or, nodes.Not, nodes.Compare, nodes.Test)):
            yield from _split(parsed.tree, negated, conditions, depth + 1)
    else:
        yield node, negated


def _about_the_row(node: nodes.Node) -> bool:
    """Whether a part reads nothing but the anchor's row: companions may differ from one rule to another."""
    if isinstance(node, nodes.Name):
        return True
    names = [*node.find_all(nodes.Name)]
    return all(name.name in (*_SIDES, "op", "key", "other", "transaction", "null") for name in names)


def column_of(node: nodes.Node) -> tuple[str, str] | None:
    """Side and name of a column of the row; None for anything else."""
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name in _SIDES:
        return node.node.name, node.attr
    return None


def _constant(node: nodes.Node) -> tuple[object] | None:
    if isinstance(node, nodes.Const):
        return (node.value,)
    return (None,) if isinstance(node, nodes.Name) and node.name == "null" else None


def _domain(node: nodes.Node, negated: bool) -> tuple[tuple[str, str], Domain] | None:
    """What a single test says of one column, or None."""
    column = column_of(node)
    if column is not None:
        return column, _set({True}, negated)
    if isinstance(node, nodes.Test) and node.name == "null" and (column := column_of(node.node)) is not None:
        return column, _set({None}, negated)
    if not isinstance(node, nodes.Compare) or len(node.ops) != 1:
        return None
    operand = node.ops[0]
    column = column_of(node.expr)
    if column is None:
        return None
    if operand.op in ("eq", "ne") and (value := _constant(operand.expr)) is not None:
        return column, _set({value[0]}, negated is not (operand.op == "ne"))
    if operand.op in ("in", "notin") and isinstance(operand.expr, nodes.List):
        values = [_constant(item) for item in operand.expr.items]
        known = {value[0] for value in values if value is not None}
        if len(known) == len(values) or None not in values:
            return column, _set(known, negated is not (operand.op == "notin"))
    return None


def _set(values: set[object], excluded: bool) -> Domain:
    return Domain(None, frozenset(values)) if excluded else Domain(frozenset(values))
