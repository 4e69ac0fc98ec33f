"""Published events against the truth: as multisets, then field by field, then in order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from legacy_db.facts import EVENTS, INTENTS
from legacy_db.oracle.expectation import Expectation, ExpectedFact, count_by, expect
from legacy_db.oracle.values import canonical
from legacy_db.truth import TruthTransaction
from legacy_db.work import Aggregate

__all__ = ["Comparison", "WrongField", "compare", "shortfalls"]

PublishedEvent = Mapping[str, Any]
"""{event, intent, aggregateType, aggregateId, txId, data}"""
_Key = tuple[int, str, int, str]


@dataclass(frozen=True, slots=True)
class WrongField:
    """One field (or the intent) of one event that differs from the truth."""

    tx_id: int
    aggregate: Aggregate
    event: str
    field: str
    expected: Any
    published: Any
    label: str


@dataclass(slots=True)
class Comparison:
    """The verdict. `right` are events equal to a fact in intent and every field that the truth knows."""

    expectation: Expectation
    published: int = 0
    states: int = 0
    right: int = 0
    missing: list[ExpectedFact] = field(default_factory=list)
    extra: list[PublishedEvent] = field(default_factory=list)
    wrong: list[WrongField] = field(default_factory=list)
    reordered: int = 0
    published_though_parked: int = 0
    by_event: Counter[str] = field(default_factory=Counter)
    by_intent: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        """Right events of all published business events."""
        return self.right / self.published if self.published else 1.0

    @property
    def recall(self) -> float:
        """Right events of all facts that are not parked."""
        return self.right / len(self.expectation.facts) if self.expectation.facts else 1.0

    @property
    def undetermined(self) -> int:
        """Events published as undetermined."""
        return self.by_intent["undetermined"]

    @property
    def parked(self) -> int:
        """Facts of parked aggregates, which count on neither side."""
        return len(self.expectation.parked_facts)

    @property
    def perfect(self) -> bool:
        """Nothing missing, extra, wrong or out of order."""
        return not (self.missing or self.extra or self.wrong or self.reordered or self.published_though_parked)


def compare(truth: Iterable[TruthTransaction], published: Iterable[PublishedEvent]) -> Comparison:
    """Judges events given in topic order: plain dicts with event, intent, aggregateType, aggregateId, txId, data.

    State events are counted and left out. Raises ValueError if the truth has transactions without an end on record.
    """
    result = Comparison(expect(truth))
    groups: dict[_Key, list[PublishedEvent]] = defaultdict(list)
    last: dict[Aggregate, int] = {}
    for event in published:
        if event["intent"] == "state":
            result.states += 1
            continue
        aggregate = (str(event["aggregateType"]), int(event["aggregateId"]))
        tx_id = int(event["txId"])
        if result.expectation.is_parked(aggregate, tx_id):
            result.published_though_parked += 1
            continue
        result.published += 1
        result.by_event[event["event"]] += 1
        result.by_intent[event["intent"]] += 1
        groups[tx_id, *aggregate, event["event"]].append(event)
        ordinal = result.expectation.ordinals.get((tx_id, aggregate))
        if ordinal is not None:
            result.reordered += ordinal < last.get(aggregate, 0)
            last[aggregate] = max(ordinal, last.get(aggregate, 0))
    _match(result, groups)
    return result


def _match(result: Comparison, groups: dict[_Key, list[PublishedEvent]]) -> None:
    wanted: dict[_Key, list[ExpectedFact]] = defaultdict(list)
    for each in result.expectation.facts:
        wanted[each.tx_id, *each.fact.aggregate, each.fact.event].append(each)
    for key, events in groups.items():
        if key not in wanted:
            result.extra.extend(events)
    for key, facts in wanted.items():
        _match_group(result, facts, list(groups.get(key, ())))


def _match_group(result: Comparison, facts: Sequence[ExpectedFact], events: list[PublishedEvent]) -> None:
    left = []
    for fact in facts:
        equal = next((event for event in events if not _differences(fact, event)), None)
        if equal is None:
            left.append(fact)
            continue
        events.remove(equal)
        result.right += 1
    for fact in left:
        if not events:
            result.missing.append(fact)
            continue
        nearest = min(events, key=lambda event, fact=fact: len(_differences(fact, event)))  # type: ignore[misc]
        events.remove(nearest)
        result.wrong.extend(_differences(fact, nearest))
    result.extra.extend(events)


def _differences(expected: ExpectedFact, event: PublishedEvent) -> list[WrongField]:
    fact, data = expected.fact, event["data"]
    pairs = [("intent", fact.intent, event["intent"])]
    for name, kind in EVENTS[fact.event].fields.items():
        pairs.append((name, canonical(fact.data.get(name), kind), canonical(data.get(name), kind)))
    return [
        WrongField(expected.tx_id, fact.aggregate, fact.event, name, want, got, expected.label)
        for name, want, got in pairs
        if want != got
    ]


def shortfalls(expectation: Expectation, from_transactions: int = 3_000) -> list[str]:
    """What a run lacks to be worth judging by, as sentences; empty if all is there or the run is a short one."""
    if expectation.transactions < from_transactions:
        return []
    events, intents = count_by(expectation.facts), count_by(expectation.facts, by_intent=True)
    found = [f"{name} occurs {events[name]} times, not 20" for name in EVENTS if events[name] < 20]
    found += [f"intent {name} occurs {intents[name]} times, not 30" for name in INTENTS if intents[name] < 30]
    if expectation.mixed < 100:
        found.append(f"{expectation.mixed} updates mix fact and noise, not 100")
    if expectation.several_tables < 300:
        found.append(f"{expectation.several_tables} transactions write several tables, not 300")
    if expectation.twins * 25 < expectation.transactions:
        found.append(f"{expectation.twins} of {expectation.transactions} transactions are twins, not 4 %")
    if not expectation.dead_letters or not expectation.unexplained:
        found.append("nothing is untranslatable, or nothing unexplained")
    return found
