"""What part of recorded changes the rules explain: by rule, table, operation, column, turn of a code; and by branch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.authoring.explain_rows import net_rows
from gateway.authoring.offline import mapping_of_topic, translations
from gateway.mapping.branches import Branch, Branches, BranchKind
from gateway.mapping.compiled import Column, CompiledMapping, RowOp
from gateway.model.event import Check, Interpretation, OutcomeKind, Tried
from gateway.model.unit import Unit
from gateway.model.values import Unavailable, Value
from gateway.pipeline.interpret import interpret
from gateway.pipeline.rows import NetRow
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.split import Group, change_set, groups
from gateway.pipeline.translate import Translation

__all__ = ["BOOKKEEPING", "NOBODY", "Coverage", "MappingCover", "RuleCover", "cover"]

NOBODY, BOOKKEEPING = "", "(bookkeeping)"
"""Takers that are no rules: a change nobody took; a change of a bookkeeping column alone."""
_TESTS = frozenset({"where", "when", "part", "count", "same"})


@dataclass(slots=True)
class RuleCover:
    """One rule. ``fired``: firings; ``units``: changes taken; ``stops``: where it stopped, in words, how often.

    ``tests``: by pattern ('' for the anchor), kind and text, how often each truth was seen.
    """

    fired: int = 0
    units: int = 0
    stops: Counter[str] = field(default_factory=Counter)
    tests: dict[tuple[str, str, str], Counter[bool]] = field(default_factory=dict)


@dataclass(slots=True)
class MappingCover:
    """One mapping over the records. Units are counted as in the rules' accounting: changed columns, or whole rows.

    ``units``: by table, operation, column ('' for a row) and taker, a rule's name or one of NOBODY, BOOKKEEPING.
    ``branches``: of data and columns, where the mapping was loaded to have them watched.
    ``turns``: by table, column, value before and after and taker. ``values``: seen of columns with codes.
    """

    mapping: CompiledMapping
    records: int = 0
    sets: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    parked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    units: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    turns: Counter[tuple[str, str, Value, Value, str]] = field(default_factory=Counter)
    values: dict[tuple[str, str], set[Value]] = field(default_factory=dict)
    rules: dict[str, RuleCover] = field(default_factory=dict)
    branches: tuple[Branch, ...] = ()


@dataclass(slots=True)
class Coverage:
    """All mappings, in their order."""

    mappings: dict[str, MappingCover]


def cover(
    units: Sequence[Unit],
    mappings: Sequence[CompiledMapping],
    books: Mapping[str, Rulebook],
    progress: Callable[[int], None] = lambda _: None,
    branches: Branches | None = None,
) -> Coverage:
    """Interpret every change set again, watching. ``progress`` hears how many records more are done.

    Snapshot rows count for the rules that state them; they change nothing, so they are no units. ``branches``: those
    that the mappings were loaded with, for this alone: each set is interpreted twice, and they look at the first.
    """
    watched = Branches() if branches is None else branches
    found = Coverage({one.name: _empty(one, watched) for one in mappings})
    for unit, translation in translations(units, mappings, books):
        mapping = mapping_of_topic(unit.topic, mappings)
        assert mapping is not None, "assemble() passes over topics that no mapping reads"
        with watched.resting():
            _Watch(found.mappings[mapping.name], books[mapping.name]).unit(unit, translation)
        progress(len(unit.entries))
    return found


def _empty(mapping: CompiledMapping, watched: Branches) -> MappingCover:
    mine = [branch for branch in watched.found if branch.owner.file == mapping.file]
    mine.sort(key=lambda branch: (branch.mark.line, branch.mark.column, branch.kind is not BranchKind.WHEN))
    return MappingCover(mapping, rules={rule.name: RuleCover() for rule in mapping.rules}, branches=tuple(mine))


class _Watch:
    """Adds what one unit shows."""

    def __init__(self, into: MappingCover, book: Rulebook) -> None:
        self._into, self._book = into, book

    def unit(self, unit: Unit, translation: Translation) -> None:
        into = self._into
        into.records += len(unit.entries)
        for outcome in translation.outcomes:
            into.outcomes[outcome.reason if outcome.kind is OutcomeKind.IGNORED else str(outcome.kind)] += 1
        reads = iter(translation.interpretations)
        for group in groups(unit):
            if translation.outcomes[group.places[0]].kind is OutcomeKind.PARKED:
                into.parked += 1
                continue
            self._group(unit, group, next(reads))

    def _group(self, unit: Unit, group: Group, read: Interpretation) -> None:
        if group.snapshot:
            for event in read.events:
                self._into.rules[event.rule].fired += 1
            return
        self._into.sets += 1
        if read.failure is not None:
            self._into.failed[str(read.failure.letter_class)] += 1
        if group.broken or not group.rows:
            return
        changes = change_set(group, unit, self._into.mapping.name, self._book.incarnations)
        traced = interpret(changes, self._book.plan, trace=True, lookups=self._book.plan.lookups)
        for tried in traced.trace:
            self._tried(tried)
        if traced.failure is None:
            rows = [row for _, row in net_rows(changes, self._book.plan) if row is not None]
            takers = {(took.row, took.column): tried.rule for tried in traced.trace for took in tried.took}
            for number, row in enumerate(rows):
                self._row(row, number, takers)

    def _tried(self, tried: Tried) -> None:
        rule = self._into.rules[tried.rule]
        if tried.fired:
            rule.fired += 1
            rule.units += len(tried.took)
        elif (at := _stopped_at(tried)) is not None:
            rule.stops[at] += 1
        for check in tried.checks:
            self._check(rule, check)

    def _check(self, rule: RuleCover, check: Check) -> None:
        if check.kind in _TESTS and "count: any" not in check.text and isinstance(check.truth, bool):
            seen = rule.tests.setdefault((check.pattern, check.kind, check.text), Counter())
            seen[check.truth] += 1
        for part in check.parts:
            self._check(rule, part)

    def _row(self, row: NetRow, number: int, takers: Mapping[tuple[int, str | None], str]) -> None:
        into, table = self._into, row.plan.table
        for name in _coded(row):
            into.values.setdefault((table.name, name), set()).update(_known(row, name))
        if row.op is not RowOp.UPDATE:
            into.units[table.name, str(row.op), "", takers.get((number, None), NOBODY)] += 1
            return
        for name in row.changed:
            column = table.columns[name]
            taker = takers.get((number, name), BOOKKEEPING if column.bookkeeping else NOBODY)
            into.units[table.name, "update", name, taker] += 1
            if _is_coded(column) and row.before is not None and row.after is not None:
                into.turns[table.name, name, row.before[name], row.after[name], taker] += 1


def _stopped_at(tried: Tried) -> str | None:
    """The test at which a rule stopped, as the mapping says it; None where the row was none of its operations."""
    for check in tried.checks:
        if check.truth is not True and check.truth is not None:
            prefixed = check.text.startswith(f"{check.pattern}:")
            told = check.text if prefixed or not check.pattern else f"{check.pattern}: {check.text}"
            return None if check.kind == "op" else told
    return tried.stopped_at or None


def _is_coded(column: Column) -> bool:
    """Whether it has few values that a mapping can list: codes and flags."""
    return column.symbols is not None or column.type == "bool"


def _coded(row: NetRow) -> Iterable[str]:
    return (name for name, column in row.plan.table.columns.items() if _is_coded(column))


def _known(row: NetRow, name: str) -> set[Value]:
    images = (row.before, row.after)
    return {image[name] for image in images if image is not None and not isinstance(image[name], Unavailable)}
