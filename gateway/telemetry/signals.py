"""What happens, as small typed signals; metrics and logs derive from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = [
    "BarrierGivenUp",
    "CaptureRestarted",
    "DependencyAway",
    "DependencyBack",
    "EndToEnd",
    "EventsPublished",
    "FindingSeen",
    "LettersWritten",
    "PartitionGivenUp",
    "PartitionLag",
    "PartitionParked",
    "PartitionPaused",
    "PartitionResumed",
    "PartitionRunning",
    "PartitionStopped",
    "RecordsSettled",
    "RulesChanged",
    "Signal",
    "StormSeen",
    "Telemetry",
    "TransactionEnded",
    "UnexplainedSeen",
    "UnitsAccounted",
    "WorkerEnded",
    "WorkerRestarted",
    "WorkerStarted",
    "WorkerStopped",
]


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that happened in a worker."""


@dataclass(frozen=True, slots=True)
class WorkerStarted(Signal):
    """A worker has joined its group. ``digests``: rules digest by mapping."""

    transactional_id: str
    topics: tuple[str, ...]
    digests: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class WorkerStopped(Signal):
    """A worker has left its group."""

    reason: str


@dataclass(frozen=True, slots=True)
class PartitionRunning(Signal):
    """Assignment is done: records are read from ``offset`` on; ``parked`` aggregates are known."""

    topic: str
    partition: int
    offset: int
    parked: int


@dataclass(frozen=True, slots=True)
class PartitionGivenUp(Signal):
    """The partition belongs to another member now. ``lost``: it was taken, not handed over."""

    topic: str
    partition: int
    lost: bool


@dataclass(frozen=True, slots=True)
class PartitionStopped(Signal):
    """The partition stands still until a person acts; others go on."""

    topic: str
    partition: int
    error: str


@dataclass(frozen=True, slots=True)
class PartitionPaused(Signal):
    """A command of ``who`` stopped the partition for a while: nothing of it is settled until it is resumed."""

    topic: str
    partition: int
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class PartitionResumed(Signal):
    """It is read on, by a command."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class StormSeen(Signal):
    """So much of the partition goes wrong that it is paused until a person resumes it."""

    topic: str
    partition: int
    told: str


@dataclass(frozen=True, slots=True)
class RulesChanged(Signal):
    """The partition is past a barrier: from here on it has the rules with this digest."""

    topic: str
    partition: int
    digest: str
    barrier: str


@dataclass(frozen=True, slots=True)
class BarrierGivenUp(Signal):
    """This worker cancels a barrier that nobody decided."""

    barrier: str
    why: str


@dataclass(frozen=True, slots=True)
class PartitionLag(Signal):
    """``records`` below the high watermark are unsettled; ``held`` were read and wait, the oldest ``held_seconds``."""

    topic: str
    partition: int
    records: int
    held: int
    held_seconds: float


@dataclass(frozen=True, slots=True)
class PartitionParked(Signal):
    """Aggregates parked in the partition now."""

    topic: str
    partition: int
    aggregates: int


@dataclass(frozen=True, slots=True)
class TransactionEnded(Signal):
    """A Kafka transaction's end, its age, and what was in it. ``reason`` where it was not committed."""

    result: Literal["committed", "aborted", "in_doubt"]
    seconds: float
    records: int = 0
    events: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RecordsSettled(Signal):
    """Raw records with their one outcome, committed."""

    topic: str
    outcome: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class EventsPublished(Signal):
    """Domain events, committed."""

    event: str
    version: int
    intent: str
    rule: str
    count: int


@dataclass(frozen=True, slots=True)
class LettersWritten(Signal):
    """Dead letters, committed."""

    topic: str
    letter_class: str
    rule: str
    count: int


@dataclass(frozen=True, slots=True)
class UnitsAccounted(Signal):
    """Changed units by who took them: event, noise, bookkeeping, unexplained, format_only, undeclared or undone."""

    mapping: str
    taken_by: str
    count: int


@dataclass(frozen=True, slots=True)
class UnexplainedSeen(Signal):
    """Changes that no rule took. ``column`` is empty where the unit is the row."""

    table: str
    op: str
    column: str
    count: int


@dataclass(frozen=True, slots=True)
class FindingSeen(Signal):
    """Something about the data that a person should know: drift, an undeclared column, an unknown table.

    ``kind``: the first words of ``finding``, '' for one that is no kind of its own. ``mapping``: its file; ``remedy``:
    what it means and what mends it.
    """

    finding: str
    count: int
    kind: str = ""
    mapping: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class EndToEnd(Signal):
    """Seconds from the legacy commit to the Kafka commit, one figure a database transaction that gave events."""

    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CaptureRestarted(Signal):
    """``total_order`` went back inside a transaction: rows may be missing upstream; reconcile its aggregates."""

    topic: str
    partition: int
    tx_id: int


@dataclass(frozen=True, slots=True)
class DependencyAway(Signal):
    """Something outside does not answer: the worker waits and tries again."""

    dependency: str
    error: str


@dataclass(frozen=True, slots=True)
class DependencyBack(Signal):
    """It answers again, after so many seconds."""

    dependency: str
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkerEnded(Signal):
    """A worker process has ended without being asked to. ``status``: exit status, negative for a signal."""

    worker: int
    pid: int
    status: int
    error: str


@dataclass(frozen=True, slots=True)
class WorkerRestarted(Signal):
    """Its slot has a new process."""

    worker: int
    pid: int


class Telemetry(Protocol):
    """Takes signals. Never raises, never waits."""

    def emit(self, signal: Signal) -> None:
        """One more thing happened."""
        ...
