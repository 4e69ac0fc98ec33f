"""The tree a mapping file is read into, and the faults found in it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.model.errors import Fault

__all__ = ["Faults", "Map", "Mark", "Node", "Scalar", "Seq", "did_you_mean", "kind_of"]

_EXCERPT = 160
_HINT = "the mapping reference lists what may stand here"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file: line and column, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A YAML scalar as it was written: always text. ``style`` is '' for plain, else its quote or block sign.

    ``faulty`` nodes stand where something was refused already, so that nothing is said twice about one place.
    """

    text: str
    mark: Mark
    style: str = ""
    faulty: bool = False

    @property
    def is_null(self) -> bool:
        """True for a plain ``null``; a quoted one is text."""
        return self.style == "" and self.text == "null"

    def at(self, offset: int) -> Mark:
        """The place of a character of the text (exact for scalars on one line without escapes)."""
        if self.style in ("|", ">"):
            return Mark(self.mark.line + 1, 1)
        if "\n" in self.text:
            return self.mark
        return Mark(self.mark.line, self.mark.column + (1 if self.style else 0) + offset)


@dataclass(frozen=True, slots=True)
class Seq:
    """A YAML list."""

    items: tuple[Node, ...]
    mark: Mark
    faulty: bool = False


@dataclass(frozen=True, slots=True)
class Map:
    """A YAML map; its keys are distinct and in the order of the file."""

    entries: tuple[tuple[Scalar, Node], ...]
    mark: Mark
    faulty: bool = False

    def get(self, key: str) -> Node | None:
        """The value under a key, or None."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = Scalar | Seq | Map


def kind_of(node: Node) -> str:
    """What a node is, in words for people."""
    if isinstance(node, Seq):
        return "a list"
    return "a map" if isinstance(node, Map) else f"`{node.text[:40]}`"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest known words, or all of them when few."""
    words = sorted(set(known))
    near = difflib.get_close_matches(word[:80], words, n=2, cutoff=0.6)
    near = near or [each for each in words if each.lower() == word.lower()]
    if near:
        return "did you mean " + " or ".join(f"`{each}`" for each in near) + "?"
    return "known: " + ", ".join(words[:20]) + (", …" if len(words) > 20 else "") if words else ""


@dataclass(slots=True)
class Faults:
    """Collects the faults of one file; ``file`` is the name shown to people, ``text`` its content for excerpts."""

    file: str
    text: str = ""
    found: list[Fault] = field(default_factory=list)
    _lines: list[str] | None = None

    def add(self, mark: Mark, what: str, hint: str = "") -> None:
        """Note one fault at a place; without a hint of its own it gets a general one."""
        self.found.append(Fault(self.file, mark.line, mark.column, what, hint or _HINT, self.excerpt(mark)))

    def excerpt(self, mark: Mark) -> str:
        """The line of a place, cut to a readable length; control characters are shown as ``·``."""
        if self._lines is None:
            self._lines = self.text.split("\n")
        if not 0 < mark.line <= len(self._lines):
            return ""
        line = self._lines[mark.line - 1].rstrip("\r")
        if mark.column > _EXCERPT:
            return ""
        return re.sub(r"[^\x20-\x7e\xa0-\uffff]", "·", line[:_EXCERPT])

    def sorted(self) -> tuple[Fault, ...]:
        """All faults in the order of their places, each once."""
        return tuple(sorted(dict.fromkeys(self.found), key=lambda fault: (fault.line, fault.column, fault.what)))
