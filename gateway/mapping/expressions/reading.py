"""A ``when`` taken apart for people: each sub-condition with its truth, and the values that it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from jinja2 import nodes

from gateway.mapping.compiled import Expression, Scope
from gateway.mapping.expressions.compiler import compile_part
from gateway.mapping.expressions.logic import truth
from gateway.mapping.expressions.names import Names
from gateway.mapping.expressions.references import rows_of
from gateway.mapping.expressions.spelling import spell
from gateway.mapping.expressions.syntax import ExpressionFault, Parsed, parse
from gateway.model.event import Check
from gateway.model.values import Unavailable, Value

__all__ = ["Reading"]

_DEPTH = 20


@dataclass(frozen=True, slots=True)
class _Part:
    """One sub-condition; ``operands``: what it reads, by name."""

    text: str
    run: Expression
    operands: tuple[tuple[str, Expression], ...]
    parts: tuple[_Part, ...]

    def look(self, scope: Scope) -> Check:
        saw = tuple((name, run(scope)) for name, run in self.operands)
        parts = tuple(part.look(scope) for part in self.parts)
        return Check("part", self.text, truth(self.run(scope)), saw, parts=parts)


class Reading:
    """The parts of one ``when``, compiled when somebody first asks. Called with a scope, it tells what they say."""

    __slots__ = ("_names", "_root", "_text")

    def __init__(self, text: str, names: Names) -> None:
        self._text, self._names = text, names
        self._root: _Part | None = None

    def __call__(self, scope: Scope) -> Check:
        """The whole test with its parts. The expression must have compiled without a fault."""
        if self._root is None:
            parsed = parse(self._text)
            self._root = _part(parsed, parsed.tree, self._names, 0)
        return self._root.look(scope)


def _part(parsed: Parsed, node: nodes.Expr, names: Names, depth: int) -> _Part:
    run = compile_part(parsed, node, names).run
    return _Part(spell(node), run, tuple(_operands(parsed, node, names)), tuple(_inner(parsed, node, names, depth)))


def _inner(parsed: Parsed, node: nodes.Expr, names: Names, depth: int) -> Iterator[_Part]:
    """Sub-conditions: both sides of `and`/`or`, what `not` turns round, a condition's own text, the test of an `if`."""
    if depth >= _DEPTH:
        return
    if isinstance(node, (nodes.And, nodes.Or)):
        for side in _flat(node, type(node)):
            yield _part(parsed, side, names, depth + 1)
    elif isinstance(node, nodes.Not):
        yield _part(parsed, node.node, names, depth + 1)
    elif isinstance(node, nodes.Name) and (found := _condition(node, names)) is not None:
        yield _part(found, found.tree, replace(names, companions={}, item=None), depth + 1)
    else:
        for choice in [*([node] if isinstance(node, nodes.CondExpr) else []), *node.find_all(nodes.CondExpr)]:
            yield _part(parsed, choice.test, names, depth + 1)


def _flat(node: nodes.Expr, kind: type[nodes.And | nodes.Or]) -> Iterator[nodes.Expr]:
    """`a and b and c` as three."""
    if isinstance(node, kind):
        yield from _flat(node.left, kind)
        yield from _flat(node.right, kind)
    else:
        yield node


def _condition(node: nodes.Name, names: Names) -> Parsed | None:
    return None if node.name in names.companions else names.conditions.get(node.name)


def _operands(parsed: Parsed, node: nodes.Expr, names: Names) -> Iterator[tuple[str, Expression]]:
    """What a sub-condition reads: columns and companions, each once. A join of others reads nothing itself."""
    if isinstance(node, (nodes.And, nodes.Or, nodes.Not)):
        return
    seen: set[str] = set()
    for read in _references(node):
        text = spell(read)
        if text in seen or text == "null" or (isinstance(read, nodes.Name) and _condition(read, names) is not None):
            continue
        seen.add(text)
        rows = rows_of(parsed, read, names)
        if rows is not None:
            yield text, _presence(rows.find)
            continue
        try:
            yield text, compile_part(parsed, read, names).run
        except ExpressionFault:
            continue


def _references(node: nodes.Node) -> Iterator[nodes.Expr]:
    if isinstance(node, (nodes.Getattr, nodes.Name)):
        yield node
        return
    for child in node.iter_child_nodes():
        yield from _references(child)


def _presence(find: Callable[[Scope], object]) -> Expression:
    """A companion as a value: present or absent, of a list how many."""

    def run(scope: Scope) -> Value:
        found = find(scope)
        if isinstance(found, Unavailable):
            return found
        if isinstance(found, (list, tuple)):
            return len(found)
        return "absent" if found is None else "present"

    return run
