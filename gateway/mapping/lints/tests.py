"""Test cases: events that no case expects, cases that expect what is never published."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.mapping.lints.declare import Found, Lint, Severity, lint
from gateway.mapping.lints.subject import Subject
from gateway.mapping.nodes import did_you_mean

__all__: list[str] = []


@lint(
    Lint(
        "GW701",
        "event-without-case",
        Severity.WARNING,
        "no test case expects the event: whether its rules are right, nobody has ever seen",
        "add a case to <mapping>_test.yaml: `gateway recording cases` makes one from real records",
        "event: CustomerMerged   # and customer_test.yaml has no `event: CustomerMerged`",
        needs="cases",
    )
)
def events_without_case(subject: Subject) -> Iterator[Found]:
    """Events whose name no case mentions, told at their first rule."""
    told = set()
    for compiled in subject.rules:
        event = compiled.section.scalar("event")
        if subject.cases is None or event is None or event.text in told or event.text in subject.cases.events:
            continue
        told.add(event.text)
        yield Found(event.mark, f"no case of {subject.cases.file} expects {event.text}")


@lint(
    Lint(
        "GW702",
        "case-of-unknown-event",
        Severity.ERROR,
        "a test case expects an event that no rule publishes, so it can never pass",
        "spell the event as the rule does, or write its rule",
        "events: [{event: CustomerMovd}]",
        needs="cases",
    )
)
def cases_of_unknown_events(subject: Subject) -> Iterator[Found]:
    """Expected events that the mapping does not fill."""
    known = {compiled.rule.event for compiled in subject.rules if compiled.rule.event}
    for name, mark in subject.cases.events.items() if subject.cases is not None else ():
        if name not in known:
            what = f"no rule publishes `{name}`"
            yield Found(mark, what, file=subject.cases.file if subject.cases else "", mend=did_you_mean(name, known))
