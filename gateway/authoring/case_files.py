"""Test cases of a mapping: reads ``<mapping>_test.yaml`` (case, given, events, unexplained, letter, outcomes)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.mapping.nodes import Faults, Map, Mark, Node, Scalar, Seq, did_you_mean, kind_of
from gateway.mapping.reader import read_file
from gateway.model.errors import ConfigError

__all__ = ["Case", "ExpectedEvent", "GivenRow", "read_cases"]

OPERATIONS = {
    "insert": "c",
    "update": "u",
    "delete": "d",
    "leaves": "d",
    "arrives": "c",
    "snapshot": "r",
    "c": "c",
    "u": "u",
    "d": "d",
    "r": "r",
}
_CASE_KEYS = ("case", "given", "events", "unexplained", "letter", "outcomes")
_ROW_KEYS = ("table", "op", "before", "after", "other")
_EVENT_KEYS = ("event", "intent", "data")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_WORDS: dict[str, object] = {"null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class GivenRow:
    """A row's change as legacy wrote it. Images hold legacy names and raw values; an update's ``after`` is whole.

    ``other``: the aggregate key on the far side (domain names) of ``leaves`` and ``arrives``.
    """

    table: str
    op: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    other: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class ExpectedEvent:
    """An event that must come out; only the written fields of ``data`` are compared. ``intent`` None: not compared."""

    event: str
    intent: str | None
    data: object


@dataclass(frozen=True, slots=True)
class Case:
    """One transaction and what it means. ``unexplained``: ``table.column`` or ``table``; ``letter``: a class.

    ``outcomes``: what became of each given row (``published``, or the reason it was ignored for); None: not compared.
    """

    name: str
    line: int
    given: tuple[GivenRow, ...]
    events: tuple[ExpectedEvent, ...]
    unexplained: tuple[str, ...]
    letter: str | None
    outcomes: tuple[str, ...] | None = None


def read_cases(path: Path, shown: str = "") -> tuple[Case, ...]:
    """The cases of a file, in order. ConfigError with every fault of it."""
    try:
        root, faults = read_file(path, shown or str(path))
    except OSError as error:
        raise ConfigError(f"cannot read test cases: {error.strerror}", where=str(path)) from error
    cases = () if root is None else _Reader(faults).cases(root)
    if faults.found:
        raise ConfigError(f"{len(faults.found)} faults in test cases", where=str(path), faults=faults.sorted())
    return cases


class _Reader:
    """Reads nodes, noting every fault."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def cases(self, root: Map) -> tuple[Case, ...]:
        self._keys(root, ("cases",))
        return tuple(self._case(node) for node in self._maps(root.get("cases"), "cases", root.mark))

    def _case(self, node: Map) -> Case:
        self._keys(node, _CASE_KEYS)
        given = tuple(self._given(row) for row in self._maps(node.get("given"), "given", node.mark))
        events = tuple(self._event(one) for one in self._maps(node.get("events"), "", node.mark))
        unexplained = node.get("unexplained")
        letter, outcomes = node.get("letter"), node.get("outcomes")
        return Case(
            name=self._text(node.get("case"), "case", node.mark),
            line=node.mark.line,
            given=given,
            events=events,
            unexplained=self._texts(unexplained, "unexplained", node.mark),
            letter=None if letter is None else self._text(letter, "letter", node.mark),
            outcomes=None if outcomes is None else self._texts(outcomes, "outcomes", node.mark),
        )

    def _given(self, node: Map) -> GivenRow:
        self._keys(node, _ROW_KEYS)
        op = self._text(node.get("op"), "op", node.mark)
        if op not in OPERATIONS:
            self._faults.add(node.mark, f"`{op}` is no operation", did_you_mean(op, OPERATIONS))
        before, after = self._row(node.get("before")), self._row(node.get("after"))
        letter = OPERATIONS.get(op)
        if letter in ("u", "d") and before is None:
            self._faults.add(node.mark, f"{op} needs `before`")
        if letter in ("c", "r", "u") and after is None:
            self._faults.add(node.mark, f"{op} needs `after`")
        if letter == "u" and before is not None and after is not None:
            after = {**before, **after}
        other = self._row(node.get("other"))
        if (op in ("leaves", "arrives")) != (other is not None):
            self._faults.add(
                node.mark, "`other` (the key on the far side) belongs to leaves and arrives, and only there"
            )
        table = self._text(node.get("table"), "table", node.mark)
        return GivenRow(table, op, None if letter in ("c", "r") else before, None if letter == "d" else after, other)

    def _event(self, node: Map) -> ExpectedEvent:
        self._keys(node, _EVENT_KEYS)
        intent, data = node.get("intent"), node.get("data")
        return ExpectedEvent(
            self._text(node.get("event"), "event", node.mark),
            None if intent is None else self._text(intent, "intent", node.mark),
            {} if data is None else self._value(data),
        )

    # -- nodes ----

    def _keys(self, node: Map, known: tuple[str, ...]) -> None:
        for name, _ in node.entries:
            if name.text not in known:
                self._faults.add(name.mark, f"`{name.text}` is not known here", did_you_mean(name.text, known))

    def _items(self, node: Node | None) -> tuple[Node, ...]:
        if node is None or isinstance(node, Seq):
            return node.items if node is not None else ()
        self._faults.add(node.mark, f"a list is wanted, not {kind_of(node)}")
        return ()

    def _maps(self, node: Node | None, required: str, mark: Mark) -> list[Map]:
        if node is None and required:
            self._faults.add(mark, f"`{required}` is missing")
        maps = []
        for item in self._items(node):
            if isinstance(item, Map):
                maps.append(item)
            else:
                self._faults.add(item.mark, f"a map is wanted, not {kind_of(item)}")
        return maps

    def _text(self, node: Node | None, name: str, mark: Mark) -> str:
        if isinstance(node, Scalar):
            return node.text
        self._faults.add(node.mark if node else mark, f"`{name}` must be a text")
        return ""

    def _texts(self, node: Node | None, name: str, mark: Mark) -> tuple[str, ...]:
        return tuple(self._text(one, name, mark) for one in self._items(node))

    def _row(self, node: Node | None) -> dict[str, object] | None:
        if node is None:
            return None
        if not isinstance(node, Map):
            self._faults.add(node.mark, f"a map of columns is wanted, not {kind_of(node)}")
            return None
        return {name.text: self._value(value) for name, value in node.entries}

    def _value(self, node: Node) -> object:
        """A JSON value: plain null, true, false and decimal integers are read as such, all else is text."""
        if isinstance(node, Map):
            return {name.text: self._value(value) for name, value in node.entries}
        if isinstance(node, Seq):
            return [self._value(item) for item in node.items]
        if node.style == "":
            if node.text in _WORDS:
                return _WORDS[node.text]
            if _INTEGER.match(node.text):
                return int(node.text)
        return node.text
