"""Examples of the declarations as JSON values, read as an editor's YAML 1.2 parser would read them."""

from __future__ import annotations

import re

from gateway.mapping.nodes import Map, Node, Scalar, Seq
from gateway.mapping.reader import read_text

__all__ = ["as_json", "example_of", "node_of"]

_WORDS: dict[str, object] = {"null": None, "~": None, "true": True, "false": False}


def node_of(example: str) -> Node:
    """The tree of an example, a value as it stands behind its key. Raises ValueError where it cannot be read."""
    root, faults = read_text(f"example: {example}\n", "example")
    node = None if root is None else root.get("example")
    if node is None or faults.found:
        raise ValueError(f"not a value: {example}")
    return node


def example_of(example: str) -> object:
    """An example as a JSON value. Raises ValueError where it cannot be read."""
    return as_json(node_of(example))


def as_json(node: Node) -> object:
    """A tree as JSON: plain null, true, false and numbers are such, all else is text."""
    if isinstance(node, Map):
        return {name.text: as_json(value) for name, value in node.entries}
    if isinstance(node, Seq):
        return [as_json(item) for item in node.items]
    return _scalar(node)


def _scalar(node: Scalar) -> object:
    if node.style or node.text not in _WORDS:
        if not node.style and re.fullmatch(r"[-+]?[0-9]+", node.text):
            return int(node.text)
        return float(node.text) if not node.style and re.fullmatch(r"[-+]?[0-9]*\.[0-9]+", node.text) else node.text
    return _WORDS[node.text]
