"""Runs test cases: each step is a transaction, taken through the worker's own stages and compared with its meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.authoring.case_compare import Difference, compare_events
from gateway.authoring.case_grammar import OPERATIONS
from gateway.authoring.case_nouns import Case, GivenRow, Image, Step
from gateway.authoring.case_rows import Standing
from gateway.authoring.forge import Forge, Position
from gateway.authoring.lookups import given
from gateway.authoring.offline import assemble, translations
from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import ConfigError, RecordError
from gateway.model.event import EncodedEvent
from gateway.model.letter import DeadLetter
from gateway.model.record import RawRecord
from gateway.model.unit import Unit
from gateway.pipeline.messages import MESSAGE_TABLE
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.translate import Translation

__all__ = ["CaseResult", "StepResult", "run_case"]

_TX, _COMMIT, _TIME_MS = 749, 1000, 1_767_225_600_000
_APART = 1_000_000
"""Log positions between two steps."""
_MINUTE_MS = 60_000


@dataclass(slots=True)
class StepResult:
    """What a step gave: ``events`` in their order, ``unexplained`` as a case writes it, ``units`` for a second look.

    ``older``: events of older versions (``also``), published beside the newest.
    """

    step: Step
    events: list[EncodedEvent] = field(default_factory=list)
    older: list[EncodedEvent] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    failures: list[RecordError] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    differences: tuple[Difference, ...] = ()

    @property
    def classes(self) -> list[str]:
        """The classes of its dead letters."""
        return sorted({str(letter.letter_class) for letter in self.letters})


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a case gave. ``differences``: one line each, empty if it passes; ``fired``: rules and noise rules."""

    case: Case
    steps: tuple[StepResult, ...]
    fired: frozenset[str]

    @property
    def differences(self) -> tuple[str, ...]:
        """What is not as it should be, in lines of plain text."""
        told = []
        for number, step in enumerate(self.steps, 1):
            head = f"step {number}: " if len(self.steps) > 1 else ""
            told += [head + line for each in step.differences for line in each.lines()]
        return tuple(told)

    @property
    def events(self) -> tuple[EncodedEvent, ...]:
        """The events of all steps, those of older versions left out."""
        return tuple(event for step in self.steps for event in step.events)


def run_case(case: Case, mapping: CompiledMapping, book: Rulebook) -> CaseResult:
    """Run one case under a mapping (``book`` is its rulebook).

    ConfigError: its rows cannot be made into records, or it gives lookups that the mapping has not.
    """
    results = [StepResult(step) for step in case.steps]
    records, owner = _records(case, mapping, results)
    fired: set[str] = set()
    lookups = {mapping.name: given(mapping, case.lookups)} if mapping.lookups or case.lookups else None
    for unit, translation in translations(assemble(records, [mapping]), [mapping], {mapping.name: book}, lookups):
        result = results[owner[unit.first_offset]]
        fired.update(encoded.event.rule for encoded in translation.events)
        fired.update(*(read.noise for read in translation.interpretations))
        _gather(result, unit, translation, mapping)
    for result in results:
        result.unexplained.sort()
        result.differences = tuple(_differences(result))
    return CaseResult(case, tuple(results), frozenset(fired))


def _records(
    case: Case, mapping: CompiledMapping, results: Sequence[StepResult]
) -> tuple[list[RawRecord], dict[int, int]]:
    """The raw records of all steps, and the step of each offset."""
    standing = Standing(case, mapping)
    records: list[RawRecord] = []
    owner: dict[int, int] = {}
    time = _TIME_MS - _MINUTE_MS
    for number, result in enumerate(results):
        time = time + _MINUTE_MS if result.step.at_ms is None else result.step.at_ms
        for place, row in enumerate(result.step.given):
            offset = len(records)
            owner[offset] = number
            commit = _COMMIT + number * _APART
            position = Position(_TX + number, commit, commit + 10 + place, time, place + 1)
            records.append(_record(row, place, offset, standing, mapping, position))
    return records, owner


def _record(
    row: GivenRow, place: int, offset: int, standing: Standing, mapping: CompiledMapping, position: Position
) -> RawRecord:
    before, after = standing.whole(row)
    table = mapping.tables.get(row.table)
    raws = {name: table.columns[name].raw if table else name for name in mapping.key}
    key = _key(row, place, (before if after is None else after) or {}, raws)
    other = None if row.other is None else {raws.get(name, name): value for name, value in row.other.items()}
    forge = Forge(mapping.topics[0])
    if row.table == MESSAGE_TABLE:
        content = {name: value for name, value in (after or {}).items() if name not in key}
        return forge.message((0, offset), key, content, position)
    return forge.change((0, offset), key, row.table, OPERATIONS[row.op], before, after, position, other)


def _key(row: GivenRow, place: int, image: Image, raws: dict[str, str]) -> dict[str, object]:
    key = {name: image.get(raw) for name, raw in raws.items()}
    if None in key.values():
        missing = ", ".join(raws[name] for name, value in key.items() if value is None)
        what = f"row {place + 1} ({row.table}) lacks its aggregate's key: {missing}"
        fault = row.place.fault(what, "name it in the row, or give the row under `rows`")
        raise ConfigError("a case cannot be run", where=row.place.file, faults=(fault,))
    return key


def _gather(result: StepResult, unit: Unit, translation: Translation, mapping: CompiledMapping) -> None:
    asked = {(event.event, event.version) for event in result.step.then.events if event.version is not None}
    for encoded in translation.events:
        event = encoded.event
        newest = event.version == mapping.events[event.name].version
        (result.events if newest or (event.name, event.version) in asked else result.older).append(encoded)
    result.letters.extend(translation.letters)
    reads = translation.interpretations
    result.failures.extend(read.failure for read in reads if read.failure is not None)
    result.outcomes.extend(outcome.reason or str(outcome.kind) for outcome in translation.outcomes)
    names = {table.physical: table.name for table in mapping.tables.values()}
    left = [left for read in reads for left in read.unexplained]
    result.unexplained.extend(names[one.table] + (f".{one.column}" if one.column else "") for one in left)
    result.findings.extend(translation.findings)
    result.units.append(unit)


def _differences(result: StepResult) -> Iterator[Difference]:
    then = result.step.then
    if not then.letters:
        told = {str(failure): f"dead letter {failure.letter_class}: {failure}" for failure in result.failures}
        yield from (Difference("letter", text) for text in told.values())
        if not told and result.classes:
            yield Difference("letter", f"dead letter {', '.join(result.classes)}")
    elif result.classes != list(then.letters):
        wanted, got = ", ".join(then.letters), ", ".join(result.classes) or "none"
        yield Difference("letter", f"expected a dead letter {wanted}, got {got}")
    yield from compare_events(then, result.events)
    if sorted(then.unexplained) != result.unexplained:
        text = f"unexplained: expected {sorted(then.unexplained)}, got {result.unexplained}"
        yield Difference("unexplained", text)
    if then.outcomes is not None and list(then.outcomes) != result.outcomes:
        yield Difference("outcomes", f"outcomes: expected {list(then.outcomes)}, got {result.outcomes}")
