"""What was edited between two folders of mappings: rules, tables, events, codes, conditions, with both texts."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.mapping.nodes import Map, Mark, Node, Scalar, Seq
from gateway.mapping.reader import read_file

__all__ = ["Edit", "edits"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit. ``kind``: added, removed, edited, moved; ``what``: ``rule address-moved``; ``keys``: what of it.

    ``file`` is relative to the folder; ``line`` is the new version's, of the old one for what was removed. ``lines``:
    the edit as a unified diff without its head.
    """

    kind: str
    what: str
    file: str
    line: int
    keys: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def edits(old: Path, new: Path) -> tuple[Edit, ...]:
    """The edits of all mapping and shared files, in the order of files and lines; comments and layout do not count.

    A file that cannot be read counts as empty.
    """
    before, after = _files(old), _files(new)
    found: list[Edit] = []
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was is None or now is None:
            found.append(Edit("added" if was is None else "removed", "file", name, 1))
        else:
            found += sorted(_of_file(name, was, now), key=lambda edit: edit.line)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _File:
    root: Map
    lines: Sequence[str]


def _files(folder: Path) -> dict[str, _File]:
    found = {}
    for path in sorted(folder.rglob("*.yaml")):
        name = path.relative_to(folder).as_posix()
        if name.endswith("_test.yaml") or name == "consumers.yaml" or any(p.startswith(".") for p in Path(name).parts):
            continue
        root, faults = read_file(path, name)
        found[name] = _File(root or Map((), Mark(1, 1)), faults.text.split("\n"))
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """A named part of a file: its tree, its first line, the line behind its last."""

    node: Node
    line: int
    end: int = 0


def _of_file(name: str, old: _File, new: _File) -> Iterator[Edit]:
    before, after = _parts(old), _parts(new)
    for what in dict.fromkeys([*before, *after]):
        was, now = before.get(what), after.get(what)
        if was is None or now is None:
            one = now or was
            assert one is not None
            yield Edit("removed" if now is None else "added", what, name, one.line, (), _lines(old, was, new, now))
        elif _bare(was.node) != _bare(now.node):
            yield Edit("edited", what, name, now.line, _keys(was.node, now.node), _lines(old, was, new, now))
    rules = [[what for what in parts if _is_rule(what)] for parts in (before, after)]
    for what in _moved(*rules):
        yield Edit("moved", what, name, after[what].line)


def _is_rule(what: str) -> bool:
    return what.startswith(("rule ", "noise "))


def _moved(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Rules of both versions that stand in another order: the fewest whose move explains it."""
    common = set(old) & set(new)
    old, new = [what for what in old if what in common], [what for what in new if what in common]
    kept: set[str] = set()
    for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        kept.update(new[block.b : block.b + block.size])
    return (what for what in new if what not in kept)


def _parts(file: _File) -> dict[str, _Part]:
    """Rules, columns, events, conditions and code tables by name, and every other key of the file."""
    found: dict[str, _Part] = {}
    for key, value in file.root.entries:
        if key.text == "rules" and isinstance(value, Seq):
            found.update(_rules(value, len(file.lines)))
        elif key.text == "tables" and isinstance(value, Map):
            for table, body in value.entries:
                found.update(_table(table, body))
        elif key.text in ("conditions", "codes", "events", "lookups") and isinstance(value, Map):
            word = key.text.removesuffix("s")
            found.update((f"{word} {name.text}", _Part(node, name.mark.line)) for name, node in value.entries)
        else:
            found[key.text] = _Part(value, key.mark.line)
    return found


def _rules(rules: Seq, last: int) -> Iterator[tuple[str, _Part]]:
    starts = [rule.mark.line for rule in rules.items] + [last + 1]
    for place, rule in enumerate(rules.items):
        name = next((f"{key} {_text(rule, key)}" for key in ("rule", "noise") if _text(rule, key)), "")
        if name:
            yield name, _Part(rule, rule.mark.line, starts[place + 1])


def _text(node: Node, key: str) -> str:
    value = node.get(key) if isinstance(node, Map) else None
    return value.text if isinstance(value, Scalar) else ""


def _table(table: Scalar, body: Node) -> Iterator[tuple[str, _Part]]:
    columns = body.get("columns") if isinstance(body, Map) else None
    if not isinstance(body, Map) or not isinstance(columns, Map):
        yield f"table {table.text}", _Part(body, table.mark.line)
        return
    rest = tuple(entry for entry in body.entries if entry[0].text != "columns")
    yield f"table {table.text}", _Part(Map(rest, body.mark), table.mark.line)
    for column, node in columns.entries:
        yield f"column {table.text}.{column.text}", _Part(node, column.mark.line)


def _bare(node: Node) -> object:
    """A tree without its places; the order of keys does not count, that of lists does."""
    if isinstance(node, Scalar):
        return (node.text, node.is_null)
    if isinstance(node, Seq):
        return tuple(map(_bare, node.items))
    return frozenset((key.text, _bare(value)) for key, value in node.entries)


def _keys(old: Node, new: Node) -> tuple[str, ...]:
    if not isinstance(old, Map) or not isinstance(new, Map):
        return ()
    before: Mapping[str, Node] = {key.text: value for key, value in old.entries}
    after: Mapping[str, Node] = {key.text: value for key, value in new.entries}
    names = dict.fromkeys([*before, *after])
    return tuple(name for name in names if _optional(before.get(name)) != _optional(after.get(name)))


def _optional(node: Node | None) -> object:
    return None if node is None else _bare(node)


def _lines(old: _File, was: _Part | None, new: _File, now: _Part | None) -> tuple[str, ...]:
    diff = difflib.unified_diff(_text_of(old, was), _text_of(new, now), n=2, lineterm="")
    return tuple(line for line in diff if not line.startswith(("---", "+++", "@@")))


def _text_of(file: _File, part: _Part | None) -> list[str]:
    """The lines of a part, blank lines and comments behind it left out."""
    if part is None:
        return []
    lines = list(file.lines[part.line - 1 : (part.end or part.line + 1) - 1])
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return lines
