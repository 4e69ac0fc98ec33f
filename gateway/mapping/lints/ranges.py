"""Whether parts that must all hold leave a column any value: by values that are named, and by bounds of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from jinja2 import nodes

from gateway.mapping.conjuncts import Domain, column_of, conjuncts_in, parts_of
from gateway.mapping.expressions.syntax import Parsed

__all__ = ["emptied"]

_TURNED = {"lt": "gt", "lteq": "gteq", "gt": "lt", "gteq": "lteq"}


@dataclass(frozen=True, slots=True)
class _Range:
    """Numbers between two bounds, each with whether it is itself left out."""

    low: tuple[int, bool] | None = None
    high: tuple[int, bool] | None = None

    def within(self, op: str, bound: int) -> _Range:
        """The part of it that a comparison leaves."""
        strict = op in ("lt", "gt")
        if op.startswith("g"):
            return replace(self, low=(bound, strict) if self.low is None else max(self.low, (bound, strict)))
        if self.high is None:
            return replace(self, high=(bound, strict))
        return replace(self, high=min(self.high, (bound, strict), key=lambda each: (each[0], not each[1])))

    @property
    def empty(self) -> bool:
        """Whether no number is left."""
        if self.low is None or self.high is None:
            return False
        return self.low[0] > self.high[0] or (self.low[0] == self.high[0] and (self.low[1] or self.high[1]))

    def has(self, value: object) -> bool:
        """Whether a value stands in it; null never does."""
        if not isinstance(value, int):
            return value is not None
        narrowed = self.within("gteq", value).within("lteq", value)
        return not narrowed.empty


def emptied(tree: nodes.Node, conditions: Mapping[str, Parsed | None]) -> str | None:
    """A column of which the parts of a test, all of which must hold, leave no value; None if there is none."""
    domains: dict[tuple[str, str], Domain] = {}
    for key, domain in conjuncts_in(tree, conditions).domains:
        domains[key] = domains.get(key, Domain()) & domain
        if domains[key].empty:
            return key[1]
    ranges: dict[tuple[str, str], _Range] = {}
    for key, op, bound in _bounds(tree, conditions):
        ranges[key] = ranges.get(key, _Range()).within(op, bound)
    for key, numbers in ranges.items():
        domain = domains.get(key, Domain())
        left = None if domain.only is None else domain.only - domain.never
        if numbers.empty or (left is not None and not any(numbers.has(value) for value in left)):
            return key[1]
    return None


def _bounds(tree: nodes.Node, conditions: Mapping[str, Parsed | None]) -> Iterator[tuple[tuple[str, str], str, int]]:
    """Columns compared with whole numbers. Not what is negated: `not (x > 5)` is true of null, too."""
    for node, negated in parts_of(tree, conditions):
        if negated or not isinstance(node, nodes.Compare) or len(node.ops) != 1 or node.ops[0].op not in _TURNED:
            continue
        left, op, right = node.expr, node.ops[0].op, node.ops[0].expr
        if _number(left) is not None:
            left, op, right = right, _TURNED[op], left
        column, bound = column_of(left), _number(right)
        if column is not None and bound is not None:
            yield column, op, bound


def _number(node: nodes.Node) -> int | None:
    if isinstance(node, nodes.Neg):
        inner = _number(node.node)
        return None if inner is None else -inner
    return node.value if isinstance(node, nodes.Const) and type(node.value) is int else None
