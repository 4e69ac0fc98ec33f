"""From a folder of mappings to findings: load errors, the lints of each file, those of the folder, suppressions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gateway.mapping.lints.catalogue import all_lints
from gateway.mapping.lints.declare import CHECKS, HOUSE_CHECKS, Finding, Found, Lint
from gateway.mapping.lints.loading import finding_of
from gateway.mapping.lints.recorded import Schema
from gateway.mapping.lints.subject import CaseFacts, House, Subject
from gateway.mapping.lints.suppress import without_suppressed
from gateway.mapping.loader import LoadedFile, inspect, inspect_text
from gateway.mapping.nodes import Faults, Map, Mark, Node, Scalar, Seq
from gateway.mapping.reader import read_file
from gateway.mapping.shared import Shared, shown
from gateway.model.errors import Fault

__all__ = ["Options", "case_facts", "lint_folder", "lint_loaded", "lint_text"]


@dataclass(frozen=True, slots=True)
class Options:
    """``schema``: recorded tables, if known. ``select``: codes (or their beginnings) to look for; empty: all."""

    schema: Schema | None = None
    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    cases: bool = True

    def wants(self, lint: Lint) -> bool:
        """Whether findings of the lint are asked for."""
        chosen = not self.select or any(lint.code.startswith(each) for each in self.select)
        return chosen and not any(lint.code.startswith(each) for each in self.ignore)


@dataclass(slots=True)
class _Gathered:
    """Findings under way, with the text of each file for excerpts."""

    options: Options
    findings: list[Finding] = field(default_factory=list)
    texts: dict[str, Faults] = field(default_factory=dict)
    looked: dict[str, set[str]] = field(default_factory=dict)
    """The codes that were looked for, by file."""

    def add(self, lint: Lint, file: str, found: Found) -> None:
        name = found.file or file
        known = self.texts.get(name)
        excerpt = "" if known is None else known.excerpt(found.mark)
        place = (found.mark.line, found.mark.column)
        self.findings.append(Finding(lint, name, *place, found.what, found.mend or lint.mend, excerpt, found.fix))

    def sorted(self) -> tuple[Finding, ...]:
        texts = {name: faults.text for name, faults in self.texts.items() if faults.text}
        found = without_suppressed(dict.fromkeys(self.findings), texts, self.looked)
        kept = [each for each in found if self.options.wants(each.lint)]
        return tuple(sorted(kept, key=lambda each: (each.file, each.line, each.column, each.lint.code)))


def lint_folder(folder: Path, options: Options | None = None) -> tuple[Finding, ...]:
    """All findings of a mappings folder, in the order of files and places; file names are relative to it."""
    assert all_lints()
    files, shared = inspect(folder)
    options = options or Options()
    gathered = _Gathered(options)
    if not files:
        nothing = Fault(str(folder), 1, 1, "there is no mapping in this folder", "add <capability>/<name>.yaml")
        gathered.findings.append(finding_of(nothing))
    subjects = []
    for each in files:
        gathered.texts[each.faults.file] = each.faults
        gathered.findings += [finding_of(fault) for fault in each.sorted()]
        if each.mapping is not None:
            subjects.append(_subject(each, folder, options, gathered))
    for file in shared.files.values():
        gathered.texts[file.faults.file] = file.faults
    gathered.findings += [finding_of(fault) for fault in shared.found()]
    broken = len(subjects) < len(files) or any(file.broken for file in shared.files.values())
    for subject in subjects:
        _look_at(subject, gathered)
    _look_at_all(House(tuple(subjects), shared, options.schema, broken), gathered)
    return gathered.sorted()


def lint_text(text: str, folder: Path, name: str, options: Options | None = None) -> tuple[Finding, ...]:
    """The findings of one mapping given as text, as if it were the file ``name`` of the folder."""
    assert all_lints()
    loaded, shared = inspect_text(text, folder, name)
    return lint_loaded(loaded, shared, options)


def lint_loaded(loaded: LoadedFile, shared: Shared, options: Options | None = None) -> tuple[Finding, ...]:
    """The findings of one mapping that was read already; lints of the whole folder are left out."""
    assert all_lints()
    options = options or Options(cases=False)
    gathered = _Gathered(options, texts={loaded.faults.file: loaded.faults})
    faults = [*shared.found(), *loaded.sorted()]
    gathered.findings += [finding_of(fault) for fault in faults]
    if loaded.mapping is not None and not faults:
        _look_at(_subject(loaded, shared.folder, options, gathered), gathered)
    return gathered.sorted()


def _subject(loaded: LoadedFile, folder: Path, options: Options, gathered: _Gathered) -> Subject:
    cases = None
    if options.cases:
        path = loaded.path.with_name(f"{loaded.path.stem}_test.yaml")
        cases, faults = case_facts(path, folder)
        if faults is not None:
            gathered.texts[cases.file] = faults
            gathered.findings += [finding_of(fault) for fault in faults.sorted()]
    return Subject(loaded, options.schema, cases)


def _look_at(subject: Subject, gathered: _Gathered) -> None:
    files = (subject.file, *(() if subject.cases is None else (subject.cases.file,)))
    lacking = {"schema": subject.schema is None, "cases": subject.cases is None}
    for lint, check in CHECKS:
        if gathered.options.wants(lint):
            for file in files if not lacking.get(lint.needs) else ():
                gathered.looked.setdefault(file, set()).add(lint.code)
            for found in check(subject):
                gathered.add(lint, subject.file, found)


def _look_at_all(house: House, gathered: _Gathered) -> None:
    for lint, check in HOUSE_CHECKS:
        if gathered.options.wants(lint):
            for file in gathered.texts if not house.broken else ():
                gathered.looked.setdefault(file, set()).add(lint.code)
            for subject, found in check(house):
                gathered.add(lint, subject.file if subject is not None else "", found)


def case_facts(path: Path, folder: Path) -> tuple[CaseFacts, Faults | None]:
    """The events that a file of test cases expects: every `event:` in it. Without a file there are none."""
    name = shown(path, folder)
    if not path.is_file():
        return CaseFacts(name, {}), None
    root, faults = read_file(path, name)
    events: dict[str, Mark] = {}
    for key, value in _entries(root):
        named = (
            (value,) if key.text == "event" else value.items if key.text == "events" and isinstance(value, Seq) else ()
        )
        for word in named:
            if isinstance(word, Scalar):
                events.setdefault(word.text, word.mark)
    return CaseFacts(name, events), faults


def _entries(node: Node | None) -> Iterator[tuple[Scalar, Node]]:
    if isinstance(node, Map):
        for key, value in node.entries:
            yield key, value
            yield from _entries(value)
    elif isinstance(node, Seq):
        for item in node.items:
            yield from _entries(item)
