"""A unit with what one version of the mappings made of it, and the questions a comparison asks of both."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from gateway.mapping.compiled import Pattern, RowOp, Rule
from gateway.model.event import Interpretation, Outcome, OutcomeKind
from gateway.model.unit import Unit
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.split import Group, groups
from gateway.pipeline.translate import Translation

__all__ = ["NOT_READ", "ChangedSet", "Seen"]

NOT_READ = "no mapping reads it"


@dataclass(frozen=True, slots=True)
class ChangedSet:
    """One change set of a unit; ``read`` is None where it was parked behind a dead letter."""

    group: Group
    read: Interpretation | None

    @property
    def fired(self) -> Counter[str]:
        """How often each rule fired (noise rules: the units they took)."""
        if self.read is None:
            return Counter()
        return Counter(event.rule for event in self.read.events) + Counter(self.read.noise)


@dataclass(frozen=True)
class Seen:
    """``unit`` translated under one version, by ``book``."""

    unit: Unit
    translation: Translation
    book: Rulebook

    @cached_property
    def _places(self) -> dict[int, int]:
        return {entry.record.offset: place for place, entry in enumerate(self.unit.entries)}

    @cached_property
    def sets(self) -> dict[int, ChangedSet]:
        """The change sets by the offset of each of their records."""
        reads = iter(self.translation.interpretations)
        found: dict[int, ChangedSet] = {}
        for group in groups(self.unit):
            parked = self.translation.outcomes[group.places[0]].kind is OutcomeKind.PARKED
            each = ChangedSet(group, None if parked else next(reads))
            found.update((self.unit.entries[place].record.offset, each) for place in group.places)
        return found

    def outcome(self, offset: int) -> Outcome | None:
        """What became of the record at this offset; None if it is not in the unit."""
        place = self._places.get(offset)
        return None if place is None else self.translation.outcomes[place]

    def named(self, rule: str) -> str:
        """A rule's full name; '' for none."""
        return f"{self.book.mapping.name}/{rule}" if rule else ""

    def rule(self, name: str) -> Rule | None:
        """The rule of this name."""
        return next((rule for rule in self.book.mapping.rules if rule.name == name), None)

    def instead(self, offset: int, other: Seen | None, table: str, column: str | None = None) -> str:
        """What came of the record at ``offset``, said in terms of what ``other`` did not do.

        Rules that fired here and not there, those first that may take ``column`` (or the row) of the physical table.
        """
        outcome, own = self.outcome(offset), self.sets.get(offset)
        if outcome is None or own is None:
            return NOT_READ
        if own.read is None:
            return "parked behind a dead letter"
        if own.read.failure is not None:
            rule = own.read.failure.rule
            return f"dead letter ({own.read.failure.letter_class})" + (f": {self.named(rule)}" if rule else "")
        theirs = other.sets.get(offset) if other is not None else None
        more = own.fired - (theirs.fired if theirs is not None else Counter())
        takers = [name for name in more if self._may_take(name, table, column)] or list(more)
        if takers:
            return ", ".join(map(self._as_shown, takers))
        return "nothing" if outcome.kind is OutcomeKind.PUBLISHED else (outcome.reason or str(outcome.kind))

    def _as_shown(self, name: str) -> str:
        rule = self.rule(name)
        return f"noise {self.named(name)}" if rule is not None and rule.event is None else self.named(name)

    def _may_take(self, name: str, physical: str, column: str | None) -> bool:
        rule, table = self.rule(name), self.book.mapping.tables.get(physical)
        if rule is None or table is None:
            return False
        patterns = (*((rule.anchor,) if rule.anchor else ()), *rule.companions)
        return any(_takes(pattern, table.name, column) for pattern in patterns)


def _takes(pattern: Pattern, table: str, column: str | None) -> bool:
    if pattern.table != table or pattern.witness:
        return False
    return column in pattern.takes if column else bool(pattern.ops - {RowOp.UPDATE}) or bool(pattern.takes)
