"""Tries a mutant over a recording: does anything that the truth can see change?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from demo.audience import plain

from gateway.authoring.offline import Replayed, assemble, replay
from gateway.mapping.compiled import CompiledMapping
from gateway.model.change import ChangeEvent
from gateway.model.event import Intent
from gateway.model.record import RawRecord
from gateway.model.unit import Unit
from legacy_db.oracle import compare, project
from legacy_db.truth import TruthTransaction
from tests.e2e.mutants import Mutant

__all__ = ["Trial", "Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The figures that a mutant may change. ``rows``: what a consumer's projection holds."""

    missing: int
    extra: int
    wrong: int
    unexplained: int
    rows: Mapping[str, Mapping[tuple[Any, ...], Any]]


class Trial:
    """One mapping's part of a recording and of the truth, assembled once."""

    def __init__(
        self, mapping: CompiledMapping, records: Sequence[RawRecord], truth: Sequence[TruthTransaction]
    ) -> None:
        self.mapping = mapping
        units = assemble(records, (mapping,))
        self._snapshot = [unit for unit in units if _is_snapshot(unit)]
        self._live = [unit for unit in units if not _is_snapshot(unit)]
        self._truth = [_about(each, mapping.aggregate) for each in truth]
        self._states = self._published(replay(self._snapshot, (mapping,)))
        self._facts = self._published(replay(self._live, (mapping,)))
        self.baseline = self._verdict(self._states, self._facts, self._unexplained(mapping))

    def caught(self, mutant: Mutant) -> bool:
        """Whether the mutant changes missing, extra, a field, unexplained, or a consumer's rows."""
        if mutant.snapshot:
            states = self._published(replay(self._snapshot, (mutant.mapping,)))
            return states != self._states and project([*states, *self._facts]) != self.baseline.rows
        replayed = replay(self._live, (mutant.mapping,))
        facts = self._published(replayed)
        unexplained = replayed.counters.unexplained
        if facts == self._facts and unexplained == self.baseline.unexplained:
            return False
        return self._verdict(self._states, facts, unexplained) != self.baseline

    def _unexplained(self, mapping: CompiledMapping) -> int:
        return replay(self._live, (mapping,)).counters.unexplained

    def _published(self, replayed: Replayed) -> list[dict[str, Any]]:
        return [
            {
                "event": one.event.name,
                "intent": str(one.event.intent),
                "aggregateType": self.mapping.aggregate,
                "aggregateId": one.key.decode(),
                "txId": None if one.event.intent is Intent.STATE else one.event.row.tx_id,
                "data": plain(one.event.data),
            }
            for one in replayed.events
        ]

    def _verdict(
        self, states: Sequence[Mapping[str, Any]], facts: Sequence[Mapping[str, Any]], unexplained: int
    ) -> Verdict:
        found = compare(self._truth, facts)
        extra = len(found.extra) + found.published_though_parked
        return Verdict(len(found.missing), extra, len(found.wrong), unexplained, project([*states, *facts]))


def _about(transaction: TruthTransaction, aggregate: str) -> TruthTransaction:
    return replace(transaction, facts=[fact for fact in transaction.facts if fact.aggregate[0] == aggregate])


def _is_snapshot(unit: Unit) -> bool:
    return all(isinstance(entry, ChangeEvent) and entry.source.snapshot for entry in unit.entries)
