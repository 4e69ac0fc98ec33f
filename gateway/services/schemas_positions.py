"""Where things stand in a JSON text: line and column of every value, by its path."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

__all__ = ["Place", "positions"]

Place = tuple[int, int]
"""Line and column, both from 1."""
Path = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t\r\n]*")


def positions(text: str) -> Mapping[Path, Place]:
    """The place of each value of a JSON text, the root's under ``()``; a member's is that of its key.

    Raises ValueError (json.JSONDecodeError) where ``text`` is not JSON.
    """
    json.loads(text)
    found: dict[Path, Place] = {}
    _Walk(text, found).value(_skip(text, 0), ())
    return found


def _skip(text: str, at: int) -> int:
    return _BLANK.match(text, at).end()  # type: ignore[union-attr]  # it matches the empty text


class _Walk:
    """Walks a text that is known to be JSON, so it need not look for faults."""

    def __init__(self, text: str, found: dict[Path, Place]) -> None:
        self.text, self.found = text, found
        self.scalar = json.JSONDecoder()

    def note(self, path: Path, at: int) -> None:
        line = self.text.count("\n", 0, at) + 1
        self.found.setdefault(path, (line, at - self.text.rfind("\n", 0, at)))

    def value(self, at: int, path: Path) -> int:
        """Note the value that begins at ``at``; returns where it ends."""
        self.note(path, at)
        if self.text[at] == "{":
            return self.members(at, path)
        if self.text[at] == "[":
            return self.items(at, path)
        return self.scalar.raw_decode(self.text, at)[1]

    def members(self, at: int, path: Path) -> int:
        at = _skip(self.text, at + 1)
        while self.text[at] != "}":
            key, end = self.scalar.raw_decode(self.text, at)
            self.note((*path, key), at)
            colon = _skip(self.text, end)
            at = self.after(self.value(_skip(self.text, colon + 1), (*path, key)))
        return at + 1

    def items(self, at: int, path: Path) -> int:
        at, index = _skip(self.text, at + 1), 0
        while self.text[at] != "]":
            at, index = self.after(self.value(at, (*path, index))), index + 1
        return at + 1

    def after(self, at: int) -> int:
        """The next thing behind a value: past a comma, or at the closing bracket."""
        at = _skip(self.text, at)
        return _skip(self.text, at + 1) if self.text[at] == "," else at
