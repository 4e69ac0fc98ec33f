"""Expressions back to text: how a part of one is told to people."""

from __future__ import annotations

from jinja2 import nodes

__all__ = ["spell"]

_OPERATORS = {
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in",
}  # fmt: skip
_SIGNS = {nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*"}
_LOOSE = (nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Compare)


def spell(node: nodes.Node) -> str:
    """The text of a node that the language allows; brackets stand where they may be needed."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{spell(node.node)}.{node.attr}"
    if isinstance(node, nodes.Const):
        return _constant(node.value)
    if isinstance(node, nodes.List):
        return f"[{', '.join(map(spell, node.items))}]"
    if isinstance(node, nodes.Compare):
        return " ".join([_tight(node.expr), *(f"{_OPERATORS[one.op]} {_tight(one.expr)}" for one in node.ops)])
    if isinstance(node, (nodes.And, nodes.Or)):
        word = "and" if isinstance(node, nodes.And) else "or"
        return f"{_side(node.left, word)} {word} {_side(node.right, word)}"
    if isinstance(node, nodes.Not):
        return f"not {_tight(node.node)}"
    return _value(node)


def _value(node: nodes.Node) -> str:
    if isinstance(node, nodes.Test):
        return f"{_tight(node.node)} is {node.name}"
    if isinstance(node, nodes.Filter) and node.node is not None:
        arguments = f"({', '.join(map(spell, node.args))})" if node.args else ""
        return f"{_tight(node.node)} | {node.name}{arguments}"
    if isinstance(node, nodes.CondExpr):
        other = "null" if node.expr2 is None else spell(node.expr2)
        return f"{_tight(node.expr1)} if {spell(node.test)} else {other}"
    if isinstance(node, nodes.Concat):
        return " ~ ".join(map(_tight, node.nodes))
    if isinstance(node, nodes.Neg):
        return f"-{_tight(node.node)}"
    if isinstance(node, nodes.BinExpr) and type(node) in _SIGNS:
        return f"{_tight(node.left)} {_SIGNS[type(node)]} {_tight(node.right)}"
    return type(node).__name__


def _constant(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        quote = '"' if "'" in value else "'"
        return f"{quote}{value}{quote}"
    return str(value)


def _side(node: nodes.Node, word: str) -> str:
    """A side of `and` or `or`: brackets around the other of the two."""
    loose = isinstance(node, (nodes.CondExpr, nodes.Or if word == "and" else nodes.And))
    return f"({spell(node)})" if loose else spell(node)


def _tight(node: nodes.Node) -> str:
    return f"({spell(node)})" if isinstance(node, _LOOSE) else spell(node)
