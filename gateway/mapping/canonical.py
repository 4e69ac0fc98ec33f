"""The canonical form of a mapping and its digest: comments, layout and order of keys do not count."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from gateway.mapping.nodes import Map, Node, Scalar

__all__ = ["canonical", "digest_of"]


def canonical(node: Node | None) -> object:
    """A tree as plain JSON values: maps by sorted key (when dumped), scalars as text, plain null as null."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        return _scalar(node)
    if isinstance(node, Map):
        return {("null" if key.is_null else f"={key.text}"): canonical(value) for key, value in node.entries}
    return [canonical(item) for item in node.items]


def _scalar(node: Scalar) -> object:
    if node.is_null:
        return None
    if not node.style and node.text in ("true", "false"):
        return node.text == "true"
    return node.text


def digest_of(root: Map, shared: Sequence[Node | None], contracts: Sequence[Mapping[str, object]]) -> str:
    """16 hex digits over a mapping, the shared files it uses and the contracts it fills."""
    whole = ["1", canonical(root), [canonical(node) for node in shared], list(contracts)]
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
