"""Reads test cases: ``<mapping>_test.yaml`` beside a mapping, by the keys of ``case_grammar``."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path

from gateway.authoring.case_grammar import CASES, OPERATIONS
from gateway.authoring.case_nouns import Case, ExpectedEvent, GivenRow, Image, Place, Step, Then
from gateway.mapping.nodes import Faults, Map, Mark, Node, Seq
from gateway.mapping.reader import read_file, read_text
from gateway.mapping.records import Section
from gateway.model.errors import ConfigError

__all__ = ["OPERATIONS", "Case", "ExpectedEvent", "GivenRow", "cases_beside", "json_value", "parse_cases", "read_cases"]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_WORDS: dict[str, object] = {"null": None, "true": True, "false": False}
_THEN_KEYS = ("events", "order", "unexplained", "letter", "outcomes")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def cases_beside(folder: Path, mapping_file: str) -> Path:
    """Where the cases of a mapping stand. ``mapping_file``: its path inside the mappings' folder."""
    path = folder / mapping_file
    return path.with_name(f"{path.stem}_test.yaml")


def read_cases(path: Path, shown: str = "") -> tuple[Case, ...]:
    """The cases of a file, in order. ConfigError with every fault of it."""
    root, faults = read_file(path, shown or str(path))
    return _cases(root, faults)


def parse_cases(text: str, shown: str) -> tuple[Case, ...]:
    """The cases of a file's text; ``shown`` is its name in faults. ConfigError as in ``read_cases``."""
    return _cases(*read_text(text, shown))


def _cases(root: Map | None, faults: Faults) -> tuple[Case, ...]:
    section = None if root is None else CASES.read(root, faults)
    cases = () if section is None else _Reader(faults).cases(section)
    if faults.found:
        count = "1 fault" if len(faults.found) == 1 else f"{len(faults.found)} faults"
        raise ConfigError(f"{count} in test cases", where=faults.file, faults=faults.sorted())
    return cases


def json_value(node: Node) -> object:
    """A JSON value: plain null, true, false and decimal integers are read as such, all else is text."""
    if isinstance(node, Map):
        return {name.text: json_value(value) for name, value in node.entries}
    if isinstance(node, Seq):
        return [json_value(item) for item in node.items]
    if node.style == "":
        if node.text in _WORDS:
            return _WORDS[node.text]
        if _INTEGER.match(node.text):
            return int(node.text)
    return node.text


class _Reader:
    """From sections to cases, noting what the grammar cannot tell."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def cases(self, root: Section) -> tuple[Case, ...]:
        defaults = {table.text: _image_of(value) for table, value in root.entries("defaults")}
        background, lookups = _rows(root), _lookups(root)
        return tuple(
            Case(
                name=section.word("case"),
                steps=self._steps(section),
                rows=_joined(background, _rows(section)),
                defaults=defaults,
                lookups={**lookups, **_lookups(section)},
                place=self._place(section.mark),
            )
            for section in root.sections("cases")
        )

    def _steps(self, case: Section) -> tuple[Step, ...]:
        if "steps" not in case:
            if "given" not in case:
                self._faults.add(case.mark, "`given` is missing", "give the changes of one transaction, or `steps`")
            return (self._step(case, self._whole_meaning(case)),)
        for key in ("given", "then", "at", *_THEN_KEYS):
            if key in case:
                self._faults.add(case.mark_of(key), f"`{key}` beside `steps`", "write it inside a step")
        return tuple(self._step(section, self._meaning(section)) for section in case.sections("steps"))

    def _step(self, section: Section, then: Then) -> Step:
        given = tuple(self._given(row) for row in section.sections("given"))
        return Step(section.word("step"), given, then, self._time(section), self._place(section.mark))

    def _whole_meaning(self, case: Section) -> Then:
        if "then" not in case:
            return self._then(case)
        for key in _THEN_KEYS:
            if key in case:
                self._faults.add(case.mark_of(key), f"`{key}` beside `then`", "write it inside `then`")
        return self._meaning(case)

    def _meaning(self, step: Section) -> Then:
        """``then`` of a step: `none`, a list of events, or a map."""
        value = step.values.get("then")
        if isinstance(value, Section):
            return self._then(value)
        return Then(tuple(self._event(one) for one in step.sections("then")))

    def _then(self, section: Section) -> Then:
        outcomes = section.scalars("outcomes")
        return Then(
            events=tuple(self._event(one) for one in section.sections("events")),
            unexplained=tuple(one.text for one in section.scalars("unexplained")),
            letters=tuple(sorted({one.text for one in section.scalars("letter")})),
            outcomes=tuple(one.text for one in outcomes) if "outcomes" in section else None,
            ordered=section.word("order") != "any",
        )

    def _event(self, section: Section) -> ExpectedEvent:
        if "data" in section and "exactly" in section:
            hint = "`data` names what must be in it, `exactly` all of it"
            self._faults.add(section.mark_of("exactly"), "both `data` and `exactly`", hint)
        exact = section.node("exactly")
        data = exact or section.node("data")
        intent, key, version = section.scalar("intent"), section.scalar("key"), section.scalar("version")
        return ExpectedEvent(
            section.word("event"),
            None if intent is None else intent.text,
            {} if data is None else json_value(data),
            exact is not None,
            None if key is None else key.text,
            None if version is None else int(version.text),
            self._place(section.mark),
        )

    def _given(self, section: Section) -> GivenRow:
        op, letter = section.word("op"), OPERATIONS.get(section.word("op"))
        before, after, other = (_image(section, name) for name in ("before", "after", "other"))
        if not section.broken:
            self._images_needed(section, op, before, after, other)
        if letter == "u" and before is not None and after is not None:
            after = {**before, **after}
        return GivenRow(
            section.word("table"),
            op,
            None if letter in ("c", "r") else before,
            None if letter == "d" else after,
            other,
            self._place(section.mark),
        )

    def _images_needed(
        self, section: Section, op: str, before: Image | None, after: Image | None, other: Image | None
    ) -> None:
        letter = OPERATIONS[op]
        if letter == "d" and before is None:
            self._faults.add(section.mark, f"{op} needs `before`", "the whole row, or the key of a row that stands")
        if letter in ("c", "r", "u") and after is None:
            self._faults.add(section.mark, f"{op} needs `after`", "legacy columns and their raw values")
        if (op in ("leaves", "arrives")) != (other is not None):
            what = "`other` (the key on the far side) belongs to leaves and arrives, and only there"
            self._faults.add(section.mark, what, "other: {customerId: 8}, in domain names")

    def _time(self, section: Section) -> int | None:
        written = section.scalar("at")
        if written is None:
            return None
        try:
            time = dt.datetime.fromisoformat(written.text)
        except ValueError:
            self._faults.add(
                written.mark, f"`{written.text[:40]}` is no time", "like 2026-03-01 or 2026-03-01T08:30:00Z"
            )
            return None
        return int((time.replace(tzinfo=time.tzinfo or dt.UTC) - _EPOCH).total_seconds() * 1000)

    def _place(self, mark: Mark) -> Place:
        return Place(self._faults.file, mark.line, mark.column, self._faults.excerpt(mark))


def _image(section: Section, key: str) -> Image | None:
    return _image_of(section.values[key]) if key in section.values else None


def _image_of(entries: object) -> Image:
    """A row of legacy columns, from the entries of a map."""
    pairs = entries if isinstance(entries, tuple) else ()
    return {name.text: json_value(value) for name, value in pairs}


def _rows(section: Section) -> dict[str, tuple[Image, ...]]:
    return {
        table.text: tuple(_image_of(row) for row in rows) if isinstance(rows, tuple) else ()
        for table, rows in section.entries("rows" if "rows" in section else "background")
    }


def _joined(
    background: Mapping[str, tuple[Image, ...]], own: Mapping[str, tuple[Image, ...]]
) -> dict[str, tuple[Image, ...]]:
    return {table: (*background.get(table, ()), *own.get(table, ())) for table in {**background, **own}}


def _lookups(section: Section) -> dict[str, Mapping[str, object]]:
    return {name.text: _image_of(entries) for name, entries in section.entries("lookups")}
