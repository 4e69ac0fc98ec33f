"""Signals → running totals: what the live view and the health page show."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.telemetry import signals as s

__all__ = ["Fanout", "Totals", "TotalsTelemetry"]

_RECENT_DELAYS = 2000


@dataclass(slots=True)
class Totals:
    """Everything since the worker started. ``partitions``: place → running, stopped and why; ``paused``: who, why."""

    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    letters: Counter[tuple[str, str]] = field(default_factory=Counter)
    unexplained: Counter[tuple[str, str]] = field(default_factory=Counter)
    transactions: Counter[str] = field(default_factory=Counter)
    partitions: dict[tuple[str, int], str] = field(default_factory=dict)
    lag: dict[tuple[str, int], int] = field(default_factory=dict)
    parked: dict[tuple[str, int], int] = field(default_factory=dict)
    paused: dict[tuple[str, int], str] = field(default_factory=dict)
    away: dict[str, str] = field(default_factory=dict)
    findings: Counter[str] = field(default_factory=Counter)
    remedies: dict[str, str] = field(default_factory=dict)
    delays: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT_DELAYS))

    def add(self, other: Totals) -> None:
        """Add another worker's totals."""
        for mine, theirs in (
            (self.records, other.records),
            (self.events, other.events),
            (self.letters, other.letters),
            (self.unexplained, other.unexplained),
            (self.transactions, other.transactions),
            (self.findings, other.findings),
        ):
            mine.update(theirs)  # type: ignore[arg-type]
        self.partitions |= other.partitions
        self.lag |= other.lag
        self.parked |= other.parked
        self.paused |= other.paused
        self.away |= other.away
        self.remedies |= other.remedies
        self.delays.extend(other.delays)


class TotalsTelemetry:
    """Adds signals up."""

    def __init__(self) -> None:
        self.totals = Totals()

    def emit(self, signal: s.Signal) -> None:
        """See ``Telemetry``."""
        totals = self.totals
        match signal:
            case s.RecordsSettled():
                totals.records[(signal.outcome, signal.reason)] += signal.count
            case s.EventsPublished():
                totals.events[(signal.event, signal.version, signal.intent)] += signal.count
            case s.LettersWritten():
                totals.letters[(signal.letter_class, signal.rule)] += signal.count
            case s.UnexplainedSeen():
                totals.unexplained[(signal.table, signal.column)] += signal.count
            case s.FindingSeen():
                totals.findings[signal.finding] += signal.count
                totals.remedies[signal.finding] = signal.remedy
            case s.TransactionEnded():
                totals.transactions[signal.result] += 1
            case s.EndToEnd():
                totals.delays.extend(signal.seconds)
            case s.DependencyAway():
                totals.away[signal.dependency] = signal.error
            case s.DependencyBack():
                totals.away.pop(signal.dependency, None)
            case _:
                self._partition(signal)

    def _partition(self, signal: s.Signal) -> None:
        totals = self.totals
        match signal:
            case s.PartitionRunning():
                totals.partitions[(signal.topic, signal.partition)] = "running"
                totals.paused.pop((signal.topic, signal.partition), None)
                totals.parked[(signal.topic, signal.partition)] = signal.parked
            case s.PartitionPaused():
                totals.paused[(signal.topic, signal.partition)] = f"{signal.who}: {signal.why}"
            case s.PartitionResumed():
                totals.paused.pop((signal.topic, signal.partition), None)
            case s.PartitionStopped():
                totals.partitions[(signal.topic, signal.partition)] = signal.error
            case s.PartitionGivenUp():
                for known in (totals.partitions, totals.lag, totals.parked, totals.paused):
                    known.pop((signal.topic, signal.partition), None)
            case s.PartitionLag():
                totals.lag[(signal.topic, signal.partition)] = signal.records
            case s.PartitionParked():
                totals.parked[(signal.topic, signal.partition)] = signal.aggregates
            case _:
                pass


class Fanout:
    """Hands each signal to several takers."""

    def __init__(self, takers: Iterable[s.Telemetry]) -> None:
        self._takers = tuple(takers)

    def emit(self, signal: s.Signal) -> None:
        """See ``Telemetry``."""
        for taker in self._takers:
            taker.emit(signal)
