"""Case files as trees that keep comments and spelling (ruamel.yaml), and values written into them."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import PlainScalarString, SingleQuotedScalarString

__all__ = ["dump", "load", "merged", "node", "settle"]

_TYPED = re.compile(r"null|true|false|-?(0|[1-9][0-9]{0,17})|")
_FLOW_WIDTH = 96
"""Characters up to which a map or list stands on one line."""


class _NoTypes(VersionedResolver):
    """Every plain scalar is text, as the mapping language reads it: `012`, `NO` and `1_000` keep their spelling."""

    @property
    def versioned_resolver(self) -> dict[str, object]:
        """No type is told by its spelling."""
        return {}


def _yaml() -> Any:
    yaml = YAML()
    yaml.Resolver = _NoTypes
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def load(text: str) -> Any:
    """The tree of a case file that was read without faults."""
    return _yaml().load(text)


def dump(tree: Any) -> str:
    """The tree as text."""
    stream = io.StringIO()
    _yaml().dump(tree, stream)
    return stream.getvalue()


def node(value: object) -> Any:
    """A JSON value as a node that is read as the same value again: small maps and lists on one line."""
    if isinstance(value, Mapping):
        made: Any = CommentedMap((name, node(item)) for name, item in value.items())
    elif isinstance(value, list | tuple):
        made = CommentedSeq(node(item) for item in value)
    else:
        return _scalar(value)
    settle(made)
    return made


def settle(made: Any) -> None:
    """Write a map or list on one line if it fits, else an item a line."""
    if len(str(made).replace("'", "")) <= _FLOW_WIDTH:
        made.fa.set_flow_style()
    else:
        made.fa.set_block_style()


def _scalar(value: object) -> Any:
    if value is None or isinstance(value, bool):
        return PlainScalarString({None: "null", True: "true", False: "false"}[value])
    if isinstance(value, int):
        return PlainScalarString(str(value))
    text = str(value)
    if _TYPED.fullmatch(text) or "{{" in text:
        return SingleQuotedScalarString(text)
    return text


def merged(original: str, base: str, changed: str) -> str:
    """``original`` with what differs between ``base`` and ``changed``; its own spelling elsewhere.

    ``base`` is what ``dump`` makes of the untouched tree: where only the spelling differs, nothing is to change.
    """
    own, old, new = (text.splitlines(keepends=True) for text in (original, base, changed))
    in_own, in_new = _same(old, own), _same(old, new)
    stable = [(line, in_own[line], in_new[line]) for line in sorted(in_own.keys() & in_new.keys())]
    lines: list[str] = []
    at_old = at_own = at_new = 0
    for line, own_line, new_line in [*stable, (len(old), len(own), len(new))]:
        if old[at_old:line] == new[at_new:new_line]:
            lines += own[at_own:own_line]
        elif old[at_old:line]:
            lines += _with_what_follows(new[at_new:new_line], own[at_own:own_line])
        else:
            _insert(lines, new[at_new:new_line])
        lines += old[line : line + 1]
        at_old, at_own, at_new = line + 1, own_line + 1, new_line + 1
    return "".join(lines)


def _insert(lines: list[str], new: list[str]) -> None:
    """Append lines, before blank lines and comments at the end that belong to what follows."""
    indent = _indent(new[0])
    place = len(lines)
    while place and (not lines[place - 1].strip() or _comment_further_out(lines[place - 1], indent)):
        place -= 1
    lines[place:place] = new


def _with_what_follows(new: list[str], own: list[str]) -> list[str]:
    """``new`` in the place of ``own``, whose last blank lines and comments belong to what follows: they stay."""
    indent = _indent(next((line for line in own if line.strip()), ""))
    start = len(own)
    while start and (not own[start - 1].strip() or _comment_further_out(own[start - 1], indent)):
        start -= 1
    tail = own[start:]
    return new if new[len(new) - len(tail) :] == tail else new + tail


def _comment_further_out(line: str, indent: int) -> bool:
    return line.lstrip().startswith("#") and _indent(line) < indent


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _same(old: list[str], other: list[str]) -> dict[int, int]:
    """Where each line of ``old`` stands in the other text, if it does."""
    blocks = SequenceMatcher(None, old, other, autojunk=False).get_matching_blocks()
    return {block.a + step: block.b + step for block in blocks for step in range(block.size)}
