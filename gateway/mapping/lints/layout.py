"""The text of a YAML file as a tree of places: where each key, value and comment stands; for fixes and for `fmt`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from gateway.mapping.nodes import Mark

__all__ = ["Entry", "Layout", "Piece", "Span"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the text: characters from ``start`` to before ``end``."""

    start: int
    end: int


@dataclass(slots=True)
class Piece:
    """A value: ``kind`` scalar, map or seq. ``end`` of a block collection is that of its last leaf.

    ``value`` and ``style`` (quote or block sign) are a scalar's; ``flow``: written in brackets.
    """

    kind: str
    start: int
    end: int
    value: str = ""
    style: str = ""
    flow: bool = False
    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """An entry of a map, or an item of a list (``key`` None)."""

    key: Piece | None
    value: Piece

    @property
    def start(self) -> int:
        """Where it begins: at its key, or its value."""
        return self.value.start if self.key is None else self.key.start


class Layout:
    """The tree of a text that can be read as YAML."""

    def __init__(self, text: str, root: Piece) -> None:
        self.text = text
        self.root = root
        self._starts = [0]
        for place, sign in enumerate(text):
            if sign == "\n":
                self._starts.append(place + 1)

    @staticmethod
    def of(text: str) -> Layout | None:
        """The layout; None where the text is no YAML, or has what mappings do not (aliases, several documents)."""
        try:
            events = list(yaml.parse(text, Loader=yaml.CLoader if yaml.__with_libyaml__ else yaml.Loader))
        except (yaml.YAMLError, RecursionError):
            return None
        root = _tree(events)
        return None if root is None else Layout(text, root)

    def line_of(self, index: int) -> int:
        """The line of a character, from 1."""
        low, high = 0, len(self._starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._starts[middle] <= index else (low, middle)
        return low + 1

    def line_start(self, line: int) -> int:
        """The first character of a line (the text's end beyond its last line)."""
        return self._starts[line - 1] if line <= len(self._starts) else len(self.text)

    def index_of(self, mark: Mark) -> int:
        """The character at a place."""
        return self.line_start(mark.line) + mark.column - 1

    def line_text(self, line: int) -> str:
        """A line without its end."""
        return self.text[self.line_start(line) : self.line_start(line + 1)].rstrip("\r\n")

    def removal(self, kind: str, mark: Mark) -> Span | None:
        """What to take out so that the item or entry beginning at a place is gone; None where that is not safe."""
        found = next(self._paths(self.root, [], self.index_of(mark), kind), None)
        while found:
            piece, entry = found[-1]
            if len(piece.entries) > 1:
                return self._flow(piece, entry) if piece.flow else self._block(piece, entry)
            if kind == "item" or piece.kind != "map":
                return None
            found = found[:-1]
        return None

    def _paths(
        self, piece: Piece, above: list[tuple[Piece, Entry]], index: int, kind: str
    ) -> Iterator[list[tuple[Piece, Entry]]]:
        for entry in piece.entries:
            path = [*above, (piece, entry)]
            if entry.start == index and (entry.key is None) is (kind == "item"):
                yield path
            yield from self._paths(entry.value, path, index, kind)

    def _flow(self, piece: Piece, entry: Entry) -> Span | None:
        place = next(number for number, each in enumerate(piece.entries) if each is entry)
        if place + 1 < len(piece.entries):
            span = Span(entry.start, piece.entries[place + 1].start)
        else:
            span = Span(piece.entries[place - 1].value.end, entry.value.end)
        gaps = self.text[span.start : span.end]
        return None if "\n" in gaps or "#" in gaps else span

    def _block(self, piece: Piece, entry: Entry) -> Span | None:
        first, last = self.line_of(entry.start), self.line_of(max(entry.value.end - 1, entry.start))
        before = self.text[self.line_start(first) : entry.start]
        if before.strip(" -") or ("-" in before and entry.key is not None):
            return None
        return Span(self.line_start(first), self.line_start(last + 1))


def _at(mark: Any) -> int:
    """The character that a parser's mark stands at."""
    return int(mark.index)


def _tree(events: list[Any]) -> Piece | None:
    """The tree of parser events; None for what mappings do not have."""
    stack: list[tuple[Piece, list[Piece]]] = []
    root: Piece | None = None
    for event in events:
        piece: Piece | None = None
        if isinstance(event, yaml.ScalarEvent):
            piece = Piece("scalar", _at(event.start_mark), _at(event.end_mark), event.value, event.style or "")
            if event.anchor or event.tag:
                return None
        elif isinstance(event, yaml.AliasEvent):
            return None
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            if event.anchor or event.tag:
                return None
            kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
            stack.append((Piece(kind, _at(event.start_mark), 0, flow=bool(event.flow_style)), []))
            continue
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            piece, children = stack.pop()
            _close(piece, children, _at(event.end_mark))
        if piece is None:
            continue
        if stack:
            stack[-1][1].append(piece)
        elif root is not None:
            return None
        else:
            root = piece
    return root


def _close(piece: Piece, children: list[Piece], end: int) -> None:
    if piece.kind == "map":
        piece.entries = [Entry(key, value) for key, value in zip(children[::2], children[1::2], strict=True)]
    else:
        piece.entries = [Entry(None, value) for value in children]
    piece.end = end if piece.flow or not children else children[-1].end
