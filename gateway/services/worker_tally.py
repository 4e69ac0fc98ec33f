"""Counts of what the open transaction would settle; they become signals when it is committed, and vanish otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from operator import add, attrgetter

from gateway.model.change import ChangeEvent
from gateway.model.event import OutcomeKind
from gateway.model.finding import Finding, FindingKind
from gateway.model.unit import Unit
from gateway.pipeline.translate import Translation
from gateway.telemetry import signals as s

__all__ = ["Tally"]

_TAKERS = ("event", "noise", "bookkeeping", "unexplained", "format_only", "undeclared", "undone")
_NONE = (0,) * len(_TAKERS)
_taken = attrgetter("by_event", "by_noise", "bookkeeping", "unexplained", "format_only", "undeclared", "undone")


class Tally:
    """Adds translations up. ``commit_times``: legacy commit times (seconds) of units that gave events."""

    def __init__(self) -> None:
        self.records = 0
        self.events = 0
        self._settled: Counter[tuple[str, OutcomeKind, str]] = Counter()
        self._events: Counter[tuple[str, int, str, str]] = Counter()
        self._letters: Counter[tuple[str, str, str]] = Counter()
        self._units: dict[str, tuple[int, ...]] = {}
        self._unexplained: Counter[tuple[str, str, str]] = Counter()
        self._findings: Counter[tuple[str, Finding]] = Counter()
        self._commit_times: list[float] = []
        self._restarts: list[s.CaptureRestarted] = []

    def add(self, unit: Unit, mapping: str, done: Translation, file: str = "", seen: Iterable[Finding] = ()) -> None:
        """One more unit is in the transaction. ``file``: the mapping's; ``seen``: findings beside the translation's."""
        self.records += len(unit.entries)
        self.events += len(done.events)
        for outcome in done.outcomes:
            self._settled[(unit.topic, outcome.kind, outcome.reason)] += 1
        for encoded in done.events:
            event = encoded.event
            self._events[(event.name, event.version, event.intent.value, event.rule)] += 1
        for letter in done.letters:
            self._letters[(unit.topic, letter.letter_class.value, letter.rule)] += 1
        self._account(mapping, done)
        for finding in (*done.findings, *seen):
            self._findings[file, finding] += 1
        if done.events and unit.tx_id is not None:
            self._commit_times.append(_commit_time(unit))
        if unit.restarted and unit.tx_id is not None:
            self._restarts.append(s.CaptureRestarted(unit.topic, unit.partition, unit.tx_id))

    def _account(self, mapping: str, done: Translation) -> None:
        units = self._units.get(mapping, _NONE)
        for interpretation in done.interpretations:
            units = tuple(map(add, units, _taken(interpretation.accounting)))
            for one in interpretation.unexplained:
                self._unexplained[(one.table, one.op, one.column or "")] += 1
        self._units[mapping] = units

    def signals(self, now: float) -> Iterator[s.Signal]:
        """What the committed transaction amounts to; ``now`` is its commit's wall clock, in seconds."""
        for (topic, kind, reason), count in self._settled.items():
            yield s.RecordsSettled(topic, kind.value, reason, count)
        for published, count in self._events.items():
            yield s.EventsPublished(*published, count)
        for written, count in self._letters.items():
            yield s.LettersWritten(*written, count)
        for mapping, units in self._units.items():
            for taker, count in zip(_TAKERS, units, strict=True):
                if count:
                    yield s.UnitsAccounted(mapping, taker, count)
        for left_over, count in self._unexplained.items():
            yield s.UnexplainedSeen(*left_over, count)
        for (file, finding), count in self._findings.items():
            yield _finding_seen(file, finding, count)
        yield from self._restarts
        if self._commit_times:
            yield s.EndToEnd(tuple(max(0.0, now - committed) for committed in self._commit_times))


def _finding_seen(file: str, finding: Finding, count: int) -> s.FindingSeen:
    kind = "" if finding.kind is FindingKind.CAPTURE_RESTARTED else finding.kind.value
    return s.FindingSeen(str(finding), count, kind, file, finding.advice(file))


def _commit_time(unit: Unit) -> float:
    for entry in unit.entries:
        if type(entry) is ChangeEvent and not entry.source.snapshot:
            return entry.source.ts_ms / 1000
    return unit.ts / 1000
