"""Rules tried, tests, events and failures as an explanation shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.authoring.packed import shown
from gateway.authoring.shown import plain
from gateway.authoring.told import CheckTold, EventTold, FailureTold, ParkedTold, RuleTold
from gateway.mapping.compatibility import subject_name
from gateway.mapping.compiled import CompiledMapping, Rule
from gateway.model.errors import RecordError
from gateway.model.event import Check, EncodedEvent, Tried
from gateway.model.letter import ParkEntry
from gateway.model.values import Unavailable

__all__ = ["check_told", "event_told", "failure_told", "parked_told", "rules_told", "untried"]

_HEAD = 24
"""Bytes of an event's value that are shown."""


def rules_told(trace: Sequence[Tried], rules: Iterable[Rule]) -> list[RuleTold]:
    """The trace, each line with its rule's event and place in the file."""
    by_name = {rule.name: rule for rule in rules}
    return [_rule(tried, by_name[tried.rule]) for tried in trace]


def _rule(tried: Tried, rule: Rule) -> RuleTold:
    return RuleTold(
        rule.name,
        rule.event or "",
        str(rule.intent) if rule.event else "noise",
        rule.line,
        tried.row,
        tried.fired,
        tried.stopped_at if tried.fired or not (failed := first_failed(tried.checks)) else failed,
        [check_told(check) for check in tried.checks],
        [[took.row, took.column] for took in tried.took],
        tried.event,
    )


def first_failed(checks: Sequence[Check]) -> str:
    """The first test that is not true, with what it saw; empty where all are."""
    for check in checks:
        if check.truth is not True:
            return f"{check.text}: {check.why}" if check.why else f"{check.text} is {truth_told(check.truth)}"
    return ""


def check_told(check: Check) -> CheckTold:
    """One test, with its parts."""
    return CheckTold(
        check.kind,
        check.text,
        truth_told(check.truth),
        {name: shown(value) for name, value in check.saw},
        check.why,
        check.pattern,
        list(check.takers),
        [check_told(part) for part in check.parts],
    )


def truth_told(truth: bool | Unavailable | None) -> str:
    """A truth in a word or two."""
    if truth is None:
        return "not asked"
    if isinstance(truth, Unavailable):
        return f"unknown ({truth.value})"
    return "true" if truth else "false"


def untried(trace: Sequence[Tried], mapping: CompiledMapping) -> list[str]:
    """Rules that found no row to be tried on."""
    seen = {tried.rule for tried in trace}
    return [rule.name for rule in mapping.rules if rule.name not in seen]


def event_told(encoded: EncodedEvent, mapping: CompiledMapping, *, registered: bool) -> EventTold:
    """An event with its identity and encoding."""
    event = encoded.event
    headers = {name: (value or b"").decode() for name, value in encoded.headers}
    kind = mapping.events[event.name]
    return EventTold(
        event.name,
        event.version,
        str(event.intent),
        event.rule,
        encoded.key.decode(),
        plain(event.data),
        headers.get("ce_id", ""),
        headers.get("ce_sequence", ""),
        headers.get("ce_time", ""),
        encoded.topic,
        subject_name(encoded.topic, headers.get("ce_type") or kind.full_name),
        int.from_bytes(encoded.value[1:5], "big") if registered else None,
        len(encoded.value),
        encoded.value[:_HEAD].hex(" "),
        headers,
        encoded.source.place,
    )


def failure_told(error: RecordError) -> FailureTold:
    """Why a change set failed."""
    return FailureTold(str(error.letter_class), error.what, error.where, error.hint, error.rule, error.stage)


def parked_told(entry: ParkEntry) -> ParkedTold:
    """What an aggregate is parked behind."""
    return ParkedTold(entry.head, entry.last, entry.letters, entry.attempt, str(entry.letter_class))
