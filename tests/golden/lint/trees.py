"""Mapping files as plain trees that can be changed in one place and written again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from gateway.mapping.nodes import Map, Mark, Node, Scalar, Seq

__all__ = ["Path", "at", "plain", "quoted", "replaced", "scalars", "written"]

Path = tuple[str | int, ...]
"""Keys and places from the root to a node."""
_HERE = Mark(1, 1)


def plain(text: str) -> Scalar:
    """A scalar without quotes."""
    return Scalar(text, _HERE)


def quoted(text: str) -> Scalar:
    """A scalar in quotes."""
    return Scalar(text, _HERE, '"')


def at(node: Node | None, path: Path) -> Node | None:
    """The node at a path, or None."""
    for step in path:
        if isinstance(node, Map):
            node = node.get(str(step))
        elif isinstance(node, Seq) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node


def replaced(node: Node, path: Path, new: Node | None) -> Node:
    """The tree with another node at a path; None takes the entry or item out. A new last key is added."""
    if not path:
        assert new is not None
        return new
    step, rest = path[0], path[1:]
    if isinstance(node, Seq):
        items = list(node.items)
        assert isinstance(step, int)
        items[step : step + 1] = [] if new is None and not rest else [replaced(items[step], rest, new)]
        return Seq(tuple(items), node.mark)
    assert isinstance(node, Map)
    if node.get(str(step)) is None and new is not None and not rest:
        return Map((*node.entries, (plain(str(step)), new)), node.mark)
    entries = []
    for key, value in node.entries:
        if key.text != str(step):
            entries.append((key, value))
        elif rest or new is not None:
            entries.append((key, replaced(value, rest, new)))
    return Map(tuple(entries), node.mark)


def scalars(node: Node, path: Path = ()) -> Iterator[tuple[Path, Scalar]]:
    """Every scalar value with its path."""
    if isinstance(node, Scalar):
        yield path, node
    elif isinstance(node, Seq):
        for number, item in enumerate(node.items):
            yield from scalars(item, (*path, number))
    else:
        for key, value in node.entries:
            yield from scalars(value, (*path, key.text))


def written(node: Node, depth: int = 0) -> str:
    """The tree as YAML: the upper levels in lines, the rest in brackets."""
    if isinstance(node, Scalar):
        return _scalar(node)
    blank = "  " * depth
    if depth >= 3 or (isinstance(node, Map) and not node.entries) or (isinstance(node, Seq) and not node.items):
        return _flow(node)
    if isinstance(node, Seq):
        return "".join(f"\n{blank}- {_flow(item)}" for item in node.items)
    lines = (f"{blank}{_scalar(key)}: {written(value, depth + 1).rstrip()}" for key, value in node.entries)
    return ("\n" if depth else "") + "\n".join(lines) + "\n"


def _flow(node: Node) -> str:
    if isinstance(node, Scalar):
        return _scalar(node)
    if isinstance(node, Seq):
        return "[" + ", ".join(map(_flow, node.items)) + "]"
    return "{" + ", ".join(f"{_scalar(key)}: {_flow(value)}" for key, value in node.entries) + "}"


def _scalar(node: Scalar) -> str:
    if node.style == "" and re.fullmatch(r"[\w./()+$-]+", node.text):
        return node.text
    return json.dumps(node.text, ensure_ascii=False)
