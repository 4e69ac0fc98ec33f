"""Runs test cases: each is one transaction, taken through the worker's own stages, and compared with what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from gateway.authoring.case_files import OPERATIONS, Case, ExpectedEvent, GivenRow
from gateway.authoring.forge import Forge, Position
from gateway.authoring.offline import Replayed, assemble, replay
from gateway.authoring.shown import plain
from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import ConfigError
from gateway.model.event import DomainEvent
from gateway.model.record import RawRecord
from gateway.pipeline.rulebook import Rulebook

__all__ = ["CaseResult", "run_case"]

_TX, _COMMIT, _LSN, _TIME_MS = 749, 1000, 1010, 1_767_225_600_000


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a case gave. ``differences``: one line each, empty if it passes; ``fired``: rules and noise rules."""

    case: Case
    differences: tuple[str, ...]
    fired: frozenset[str]


def run_case(case: Case, mapping: CompiledMapping, book: Rulebook) -> CaseResult:
    """Run one case under a mapping (``book`` is its rulebook). ConfigError: its rows lack the aggregate's key."""
    records = [_record(row, number, mapping, case) for number, row in enumerate(case.given)]
    result = replay(assemble(records, [mapping]), [mapping], {mapping.name: book})
    events = [encoded.event for encoded in result.events]
    fired = {event.rule for event in events}.union(*(read.noise for read in result.interpretations))
    return CaseResult(case, tuple(_differences(case, events, result, mapping)), frozenset(fired))


def _record(row: GivenRow, number: int, mapping: CompiledMapping, case: Case) -> RawRecord:
    table = mapping.tables.get(row.table)
    image = row.before if row.after is None else row.after
    raws = {name: table.columns[name].raw if table else name for name in mapping.key}
    key = {name: (image or {}).get(raw) for name, raw in raws.items()}
    if None in key.values():
        missing = ", ".join(raws[name] for name, value in key.items() if value is None)
        where = f"{mapping.file} case `{case.name}`"
        raise ConfigError(f"row {number + 1} ({row.table}) lacks its aggregate's key: {missing}", where=where)
    other = None if row.other is None else {raws.get(name, name): value for name, value in row.other.items()}
    position = Position(_TX, _COMMIT, _LSN + number, _TIME_MS, number + 1)
    forge = Forge(mapping.topics[0])
    return forge.change((0, number), key, row.table, OPERATIONS[row.op], row.before, row.after, position, other)


def _differences(
    case: Case, events: Sequence[DomainEvent], result: Replayed, mapping: CompiledMapping
) -> Iterator[str]:
    failures = [read.failure for read in result.interpretations if read.failure is not None]
    classes = sorted({str(failure.letter_class) for failure in failures})
    if case.letter is None:
        yield from (f"dead letter {failure.letter_class}: {failure}" for failure in failures)
    elif classes != [case.letter]:
        yield f"expected a dead letter {case.letter}, got {', '.join(classes) or 'none'}"
    for index, expected in enumerate(case.events):
        if index < len(events):
            yield from _event_differences(index + 1, expected, events[index])
        else:
            yield f"event {index + 1}: expected {expected.event}, got nothing"
    for index, event in enumerate(events[len(case.events) :], len(case.events) + 1):
        yield f"event {index}: not expected: {event.name} ({event.intent}) by rule {event.rule} {plain(event.data)}"
    names = {table.physical: table.name for table in mapping.tables.values()}
    units = [unit for read in result.interpretations for unit in read.unexplained]
    left = sorted(names[unit.table] + (f".{unit.column}" if unit.column else "") for unit in units)
    if left != sorted(case.unexplained):
        yield f"unexplained: expected {sorted(case.unexplained)}, got {left}"
    outcomes = tuple(outcome.reason or str(outcome.kind) for _, outcome in sorted(result.outcomes.items()))
    if case.outcomes is not None and case.outcomes != outcomes:
        yield f"outcomes: expected {list(case.outcomes)}, got {list(outcomes)}"


def _event_differences(number: int, expected: ExpectedEvent, event: DomainEvent) -> Iterator[str]:
    if expected.event != event.name:
        yield f"event {number}: expected {expected.event}, got {event.name} by rule {event.rule} {plain(event.data)}"
        return
    if expected.intent is not None and expected.intent != str(event.intent):
        yield f"event {number} ({event.name}): expected intent {expected.intent}, got {event.intent}"
    yield from _data_differences(f"event {number} ({event.name})", expected.data, plain(event.data))


def _data_differences(path: str, expected: object, actual: object) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name, value in expected.items():
            if name in actual:
                yield from _data_differences(f"{path}.{name}", value, actual[name])
            else:
                yield f"{path}.{name}: there is no such field"
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{path}: expected {len(expected)} items, got {len(actual)}: {actual}"
        for index, (wanted, got) in enumerate(zip(expected, actual, strict=False)):
            yield from _data_differences(f"{path}[{index}]", wanted, got)
    elif not _equal(expected, actual):
        yield f"{path}: expected {expected!r}, got {actual!r}"


def _equal(expected: object, actual: object) -> bool:
    """Equal as text, or as numbers where both sides are written as such (12.5 is 12.50)."""
    if expected is None or actual is None or isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if str(expected) == str(actual):
        return True
    try:
        return Decimal(str(expected)) == Decimal(str(actual)) and "." in f"{expected}{actual}"
    except InvalidOperation:
        return False
