"""What the truth lets us expect: facts, parked aggregates, dead letters, unexplained units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from legacy_db.truth import TruthTransaction
from legacy_db.work import Aggregate, Fact

__all__ = ["Expectation", "ExpectedFact", "expect"]


@dataclass(frozen=True, slots=True)
class ExpectedFact:
    """A fact of a committed transaction, and its aggregate's ordinal there."""

    tx_id: int
    ordinal: int
    fact: Fact
    label: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must come out. `parked_from` is the ordinal of an aggregate's first untranslatable transaction."""

    facts: Sequence[ExpectedFact]
    parked_facts: Sequence[ExpectedFact]
    parked_from: Mapping[Aggregate, int]
    ordinals: Mapping[tuple[int, Aggregate], int]
    dead_letters: int
    parked_change_sets: int
    unexplained: int
    transactions: int
    mixed: int
    several_tables: int
    twins: int

    def is_parked(self, aggregate: Aggregate, tx_id: int) -> bool:
        """Whether this transaction's change to the aggregate is behind (or is) its first untranslatable one."""
        first = self.parked_from.get(aggregate)
        return first is not None and self.ordinals.get((tx_id, aggregate), first) >= first


def expect(truth: Iterable[TruthTransaction]) -> Expectation:
    """Reads the expectation out of the truth; only committed transactions count.

    Raises ValueError if a transaction's end is not on record: run `legacy_db.truth.settle` first.
    """
    attempts = list(truth)
    unclear = [each.tx for each in attempts if each.xid is not None and each.outcome is None]
    if unclear:
        raise ValueError(f"transactions {unclear[:5]} have no end on record: call legacy_db.truth.settle()")
    done = [each for each in attempts if each.committed]
    first = _parked_from(done)
    facts = [
        ExpectedFact(each.tx_id or 0, each.ordinals[fact.aggregate], fact, each.label)
        for each in done
        for fact in each.facts
    ]
    free = [each for each in facts if not _behind(first, each.fact.aggregate, each.ordinal)]
    parked = [each for each in facts if _behind(first, each.fact.aggregate, each.ordinal)]
    touched = [(aggregate, each.ordinals[aggregate]) for each in done for aggregate in each.touched]
    return Expectation(
        facts=free,
        parked_facts=parked,
        parked_from=first,
        ordinals={(each.tx_id or 0, aggregate): n for each in done for aggregate, n in each.ordinals.items()},
        dead_letters=len(first),
        parked_change_sets=sum(_behind(first, aggregate, n) for aggregate, n in touched) - len(first),
        unexplained=sum(
            units
            for each in done
            for aggregate, units in each.unexplained.items()
            if not _behind(first, aggregate, each.ordinals[aggregate])
        ),
        transactions=len(done),
        mixed=sum(each.mixed for each in done),
        several_tables=sum(len(each.tables) > 1 for each in done),
        twins=sum(any(fact.twin for fact in each.facts) for each in done),
    )


def _parked_from(done: Sequence[TruthTransaction]) -> dict[Aggregate, int]:
    first: dict[Aggregate, int] = {}
    for each in done:
        for aggregate in each.untranslatable:
            ordinal = each.ordinals[aggregate]
            first[aggregate] = min(first.get(aggregate, ordinal), ordinal)
    return first


def _behind(first: Mapping[Aggregate, int], aggregate: Aggregate, ordinal: int) -> bool:
    return aggregate in first and ordinal >= first[aggregate]


def count_by(facts: Iterable[ExpectedFact], by_intent: bool = False) -> Counter[str]:
    """Facts by event, or by intent."""
    return Counter(each.fact.intent if by_intent else each.fact.event for each in facts)
