"""What a step gave against what it should: events paired, payloads compared field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from gateway.authoring.case_nouns import ExpectedEvent, Then
from gateway.authoring.shown import plain
from gateway.model.event import EncodedEvent

__all__ = ["ABSENT", "Absent", "Difference", "FieldDifference", "compare_events", "field_differences", "pairs"]


class Absent:
    """The value of a field that is not there."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field: ``at`` is (``intent``,), (``key``,), or begins with ``data``. JSON values, or ``ABSENT``."""

    at: tuple[str | int, ...]
    expected: object
    actual: object

    @property
    def path(self) -> str:
        """Where it stands, like ``data.addresses[0].city``."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.at)[1:]

    def __str__(self) -> str:
        if self.actual is ABSENT:
            return f"{self.path}: there is no such field"
        if self.expected is ABSENT:
            return f"{self.path}: not expected: {self.actual!r}"
        return f"{self.path}: expected {self.expected!r}, got {self.actual!r}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be.

    ``what`` is one of event, missing, unexpected, order, letter, unexplained, outcomes.

    ``number``/``came``: the expected event's and the actual event's place (from 0), None where there is none.
    ``fields``: what differs, of ``missing`` against the nearest event that came.
    """

    what: str
    text: str
    number: int | None = None
    came: int | None = None
    fields: tuple[FieldDifference, ...] = ()

    def lines(self) -> Iterator[str]:
        """The difference in plain text."""
        if self.what == "event":
            yield from (f"{self.text}.{each}" for each in self.fields)
        else:
            yield self.text


def compare_events(then: Then, events: Sequence[EncodedEvent]) -> Iterator[Difference]:
    """The differences between the events of a step and those that are expected, in the order of the expectations."""
    paired = pairs(then, events)
    by_number = dict(paired)
    left = [came for came in range(len(events)) if came not in by_number.values()]
    for number, expected in enumerate(then.events):
        name = f"event {number + 1} ({expected.event})"
        if number in by_number:
            came = by_number[number]
            fields = tuple(field_differences(expected, events[came]))
            if fields:
                yield Difference("event", name, number, came, fields)
            continue
        same = next((came for came in left if not _mismatch(expected, events[came])), None)
        if same is not None:
            left.remove(same)
            yield Difference("order", f"{name}: came in another place, as number {same + 1}", number, same)
        else:
            yield _missing(number, expected, events, left)
    for came in left:
        event = events[came].event
        text = f"event {came + 1}: not expected: {event.name} ({event.intent}) by rule {event.rule} {plain(event.data)}"
        yield Difference("unexpected", text, None, came)


def _missing(number: int, expected: ExpectedEvent, events: Sequence[EncodedEvent], left: list[int]) -> Difference:
    text = f"event {number + 1}: expected {expected.event}, got nothing"
    if not left:
        return Difference("missing", text, number)
    near = min(left, key=lambda came: len(tuple(field_differences(expected, events[came]))))
    event = events[near].event
    text = f"event {number + 1}: expected {expected.event}, nearest is {event.name} by rule {event.rule}"
    return Difference("missing", text, number, near, tuple(field_differences(expected, events[near])))


# -- pairing ----

_SKIP = 1000
_NEVER = 1_000_000


def pairs(then: Then, events: Sequence[EncodedEvent]) -> list[tuple[int, int]]:
    """Which expected event is which actual one (places from 0); events of another name are never paired."""
    costs = [[_cost(expected, event) for event in events] for expected in then.events]
    return _in_order(costs, len(events)) if then.ordered else _in_any_order(costs)


def _cost(expected: ExpectedEvent, event: EncodedEvent) -> int:
    if expected.event != event.event.name:
        return _NEVER
    return min(len(tuple(field_differences(expected, event))), _SKIP)


def _mismatch(expected: ExpectedEvent, event: EncodedEvent) -> bool:
    return _cost(expected, event) > 0


def _in_any_order(costs: list[list[int]]) -> list[tuple[int, int]]:
    """The cheapest pairs first."""
    offers = sorted((cost, i, j) for i, row in enumerate(costs) for j, cost in enumerate(row) if cost < _NEVER)
    chosen: dict[int, int] = {}
    for _, i, j in offers:
        if i not in chosen and j not in chosen.values():
            chosen[i] = j
    return sorted(chosen.items())


def _in_order(costs: list[list[int]], width: int) -> list[tuple[int, int]]:
    """The alignment of both lists with the least differences (edit distance)."""
    best = [[_SKIP * (len(costs) - i + width - j) for j in range(width + 1)] for i in range(len(costs) + 1)]
    for i in range(len(costs) - 1, -1, -1):
        for j in range(width - 1, -1, -1):
            best[i][j] = min(costs[i][j] + best[i + 1][j + 1], _SKIP + best[i + 1][j], _SKIP + best[i][j + 1])
    found, i, j = [], 0, 0
    while i < len(costs) and j < width:
        if best[i][j] == costs[i][j] + best[i + 1][j + 1]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == _SKIP + best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


# -- fields ----


def field_differences(expected: ExpectedEvent, actual: EncodedEvent) -> Iterator[FieldDifference]:
    """Where an event differs from what is expected of it."""
    event = actual.event
    if expected.event != event.name:
        yield FieldDifference(("event",), expected.event, event.name)
    if expected.intent is not None and expected.intent != str(event.intent):
        yield FieldDifference(("intent",), expected.intent, str(event.intent))
    if expected.key is not None and expected.key != actual.key.decode():
        yield FieldDifference(("key",), expected.key, actual.key.decode())
    yield from _data_differences(("data",), expected.data, plain(event.data), expected.exact)


def _data_differences(
    at: tuple[str | int, ...], expected: object, actual: object, exact: bool
) -> Iterator[FieldDifference]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name, value in expected.items():
            if name in actual:
                yield from _data_differences((*at, name), value, actual[name], exact)
            else:
                yield FieldDifference((*at, name), value, ABSENT)
        for name in (name for name in actual if exact and name not in expected):
            yield FieldDifference((*at, name), ABSENT, actual[name])
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (wanted, got) in enumerate(zip(expected, actual, strict=True)):
            yield from _data_differences((*at, index), wanted, got, exact)
    elif not _equal(expected, actual):
        yield FieldDifference(at, expected, actual)


def _equal(expected: object, actual: object) -> bool:
    """Equal as text, or as numbers where both sides are written as such (12.5 is 12.50)."""
    if expected is None or actual is None or isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, list | Mapping) or isinstance(actual, list | Mapping):
        return expected == actual
    if str(expected) == str(actual):
        return True
    try:
        return Decimal(str(expected)) == Decimal(str(actual)) and "." in f"{expected}{actual}"
    except InvalidOperation:
        return False
