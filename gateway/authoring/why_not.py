"""Why an event was not said: the rules that give it, nearest miss first, with the tests that failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from gateway.authoring.explain import explain_settled
from gateway.authoring.settled import Settled, Stretch
from gateway.authoring.told import ChangeSetTold, CheckTold, EventTold, FailureTold, RuleTold, UnitTold
from gateway.mapping.compiled import CompiledMapping
from gateway.model.change import ChangeEvent
from gateway.model.errors import ConfigError

__all__ = ["Miss", "Silence", "givers", "why_not"]

_FAR = {"op": 8, "changed": 4, "count": 2, "taken": 1}


class Miss(Struct, frozen=True):
    """A rule that gives the event and did not fire. ``failed``: its tests that are not true, with their values.

    ``distance``: 0 = it fired, and its change set failed; the smaller, the nearer. ``first``: rules that fired before
    it and took what it asks for, with their own tests.
    """

    rule: RuleTold
    distance: int
    failed: list[CheckTold]
    first: list[RuleTold]


class Silence(Struct, frozen=True):
    """A change set of the aggregate that did not give the event, and why.

    ``instead``: rules that fired. ``behind``: the failure that it was parked behind, with its record. ``absent``: rules
    that give the event and have no row of their tables here. ``then``: the rules that gave it under the mappings it is
    held against, ``lost`` those of them that the mapping does not have any more.
    """

    record: str
    records: list[str]
    unit: UnitTold
    said: str
    tables: list[str]
    misses: list[Miss]
    instead: list[RuleTold]
    absent: list[str]
    unexplained: list[str]
    failure: FailureTold | None
    behind: FailureTold | None
    behind_record: str
    then: list[RuleTold] = []
    lost: list[str] = []


def givers(event: str, mappings: Sequence[CompiledMapping]) -> list[CompiledMapping]:
    """The mappings that declare an event. ConfigError: none does."""
    found = [mapping for mapping in mappings if event in mapping.events]
    if not found:
        known = ", ".join(sorted(name for mapping in mappings for name in mapping.events))
        raise ConfigError(f"no mapping has an event {event}", hint=f"known: {known}")
    return found


def why_not(
    stretch: Stretch,
    event: str,
    topic: str,
    aggregate: str,
    since_ms: int = 0,
    until_ms: int = 1 << 62,
    against: Stretch | None = None,
) -> Iterator[Silence | EventTold]:
    """Each change set of the aggregate in that time: the event where it was said, else why not. Snapshots excepted.

    ``against``: the same records under other mappings, which are asked what gave the event there. A rule that gave it
    there and does not here is asked about, even where another one gives the event.
    """
    then = _said_then(against, event, topic, aggregate) if against is not None else {}
    heads: dict[int, tuple[str, FailureTold]] = {}
    for settled in stretch.of_aggregate(topic, aggregate):
        entry = settled.unit.entries[0]
        told = explain_settled(settled, entry.record, stretch.registered).change_set
        if told is None or settled.group.snapshot:
            continue
        if told.failure is not None:
            heads[entry.record.offset] = entry.record.place, told.failure
        at = entry.source.ts_ms if isinstance(entry, ChangeEvent) else entry.record.timestamp_ms
        if not since_ms <= at <= until_ms:
            continue
        events = [one for one in told.events if one.event == event]
        yield from events
        rules = then.get(entry.record.place, [])
        fires = {rule.rule for rule in told.rules if rule.fired}
        if not events or any(rule.rule not in fires for rule in rules):
            silence = _silence(settled, told, event, heads)
            names = {rule.name for rule in settled.book.mapping.rules}
            lost = [rule.rule for rule in rules if rule.rule not in names]
            yield replace(silence, then=rules, lost=list(dict.fromkeys(lost)))


def _said_then(against: Stretch, event: str, topic: str, aggregate: str) -> dict[str, list[RuleTold]]:
    """The rules that gave the event there, by the first record of the change set."""
    found: dict[str, list[RuleTold]] = {}
    for settled in against.of_aggregate(topic, aggregate):
        record = settled.unit.entries[0].record
        told = explain_settled(settled, record, against.registered).change_set
        if told is not None and told.failure is None:
            found[record.place] = [rule for rule in told.rules if rule.fired and rule.event == event]
    return found


def _silence(settled: Settled, told: ChangeSetTold, event: str, heads: dict[int, tuple[str, FailureTold]]) -> Silence:
    explanation = explain_settled(settled, settled.unit.entries[0].record)
    assert explanation.unit is not None
    giving = [rule for rule in told.rules if rule.event == event and (told.failure is not None or not rule.fired)]
    fired = [rule for rule in told.rules if rule.fired]
    misses = sorted((_miss(rule, fired) for rule in giving), key=lambda miss: miss.distance)
    behind = ("", None) if told.parked is None else heads.get(told.parked.head, ("", None))
    names = {rule.name for rule in settled.book.mapping.rules if rule.event == event}
    return Silence(
        explanation.record,
        [record.place for record in explanation.records],
        explanation.unit,
        _said(told, misses, event, behind[1], names),
        list(dict.fromkeys(row.name for row in told.rows)),
        misses,
        [] if told.parked is not None else fired,
        sorted(names & set(told.untried)),
        told.unexplained,
        told.failure,
        behind[1],
        behind[0],
    )


def _miss(rule: RuleTold, fired: Sequence[RuleTold]) -> Miss:
    failed = [check for check in rule.checks if check.truth != "true"]
    takers = {name for check in failed for name in check.takers}
    first = [one for one in fired if one.rule in takers]
    return Miss(rule, sum(map(_distance, failed)), failed, first)


def _distance(check: CheckTold) -> int:
    """How far a test is from being true. What another rule took first was nearly there."""
    if check.takers:
        return 1
    if check.kind == "count" and check.parts:
        return 1
    return _FAR.get(check.kind, 1)


def _said(told: ChangeSetTold, misses: Sequence[Miss], event: str, behind: FailureTold | None, names: set[str]) -> str:
    if told.parked is not None:
        why = f": {behind.what}" if behind is not None else ""
        return f"the aggregate is parked behind an earlier failure{why}"
    if told.failure is not None:
        rule = f" (rule {told.failure.rule})" if told.failure.rule else ""
        return f"its change set failed{rule}: {told.failure.what}"
    if not misses:
        return f"no rule that gives {event} has a row of its tables here" if names else f"no rule gives {event}"
    nearest = misses[0]
    test = nearest.failed[0] if nearest.failed else None
    why = f"{test.text}" + (f": {test.why}" if test.why else f" is {test.truth}") if test else "it fired"
    return f"nearest: {nearest.rule.rule}, stopped at {why}"
