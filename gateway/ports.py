"""The outside world as the gateway needs it: one Protocol a technology, each method with its guarantee (protocol.md).

Adapters for Kafka and for memory pass one contract suite (tests/contract). Every method may raise ``DependencyError``
(the other side is away: wait and try again) unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from gateway.model.errors import GatewayError
from gateway.model.record import Headers, RawRecord

__all__ = [
    "Batch",
    "Clock",
    "Cluster",
    "Committed",
    "EventSource",
    "GroupOffsets",
    "InDoubt",
    "LogReader",
    "MarkerReader",
    "Membership",
    "MustAbort",
    "Partition",
    "RebalanceListener",
    "SchemaRegistry",
    "StateReader",
    "TopicShape",
    "TransactionalSink",
]


class Partition(NamedTuple):
    """One partition of one topic (full name, with the installation's prefix)."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"


class Committed(NamedTuple):
    """A group's committed offset and the metadata string that was committed with it."""

    offset: int
    metadata: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one look at a source gave.

    ``records`` in offset order for each partition; ``ends``: partitions whose end was reached, with the offset of the
    end, trailing commit markers counted (every record below it was delivered before); ``lost``: partitions whose next
    offset is no longer in the log.
    """

    records: Sequence[RawRecord] = ()
    ends: Mapping[Partition, int] = field(default_factory=dict)
    lost: frozenset[Partition] = frozenset()


Membership = object
"""A consumer's group metadata, opaque: only a sink of the same technology understands it."""


class RebalanceListener(Protocol):
    """Hears of ownership, always on the thread that calls ``EventSource.take``."""

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """These are owned from now on, fetching nothing until ``start``. Must not wait."""
        ...

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """These go to another member when this returns; the generation is still valid: a last commit is allowed."""
        ...

    def lost(self, partitions: Sequence[Partition]) -> None:
        """These are already another member's: nothing may be committed for them."""
        ...


class EventSource(Protocol):
    """A member of a consumer group over raw topics, read_committed, that never commits by itself."""

    def subscribe(self, topics: Sequence[str], listener: RebalanceListener) -> None:
        """Join the group. ``listener`` is called from within ``take`` and ``close`` only."""
        ...

    def take(self, limit: int, wait: float) -> Batch:
        """Up to ``limit`` records at once; only if there are none, wait up to ``wait`` seconds for the first.

        May still give records of partitions that were just revoked: the caller drops what it does not own.
        """
        ...

    def committed(self, partition: Partition) -> Committed | None:
        """The *stable* committed offset; None if there is none.

        DependencyError while a predecessor's transaction over it is undecided, or within a short time without answer.
        """
        ...

    def start(self, partition: Partition, offset: int) -> None:
        """Deliver ``partition`` from ``offset`` on, whatever was fetched before."""
        ...

    def pause(self, partition: Partition) -> None:
        """Deliver nothing of ``partition`` any more, but keep it (no effect on one not owned)."""
        ...

    def resume(self, partition: Partition) -> None:
        """Undo ``pause``."""
        ...

    def membership(self) -> Membership | None:
        """The group metadata of this moment, for ``TransactionalSink.commit``; None if nothing is assigned."""
        ...

    def close(self) -> None:
        """Leave the group (``listener.revoked`` is heard first). Never raises."""
        ...


class GroupOffsets(Protocol):
    """A consumer group's offsets, seen from outside the group."""

    def members(self) -> Sequence[str]:
        """Who is in the group now, each as a person would find it; empty for a group that nobody has heard of."""
        ...

    def committed(self, partitions: Sequence[Partition]) -> Mapping[Partition, Committed]:
        """The *stable* committed offsets; partitions without one are left out.

        DependencyError while a transaction over one of them is undecided.
        """
        ...

    def commit(self, offsets: Mapping[Partition, Committed]) -> None:
        """Write these, with their metadata. ConfigError: the group has members, or the broker refuses."""
        ...


class MustAbort(GatewayError):  # noqa: N818 - names what the caller must do
    """The transaction can only be aborted (a rebalance, a record too large): abort, rebuild from the log, go on."""


class InDoubt(GatewayError):  # noqa: N818 - names a state
    """Nobody knows what became of the transaction, or the producer is dead: ``reopen``, rebuild from the log.

    ``fenced``: another producer with the same transactional id is alive, or the broker timed the transaction out.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "", fenced: bool = False) -> None:
        super().__init__(what, where=where, hint=hint)
        self.fenced = fenced


class TransactionalSink(Protocol):
    """A transactional producer: events, letters, state and offsets become visible together or never."""

    def reopen(self) -> None:
        """A fresh producer under the same transactional id; ends whatever transaction that id had open.

        DependencyError: not yet possible, call again. ConfigError: the id may not be used.
        """
        ...

    def begin(self) -> None:
        """Open a transaction. InDoubt if the producer is dead."""
        ...

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
        delivered: Callable[[int], None] | None = None,
    ) -> None:
        """Add one record to the open transaction; never drops it (waits while the queue is full).

        Without ``partition`` the key decides (murmur2). ``delivered`` hears the record's offset. MustAbort, InDoubt.
        """
        ...

    def commit(
        self, offsets: Mapping[Partition, Committed], membership: Membership | None, deadline: float | None = None
    ) -> None:
        """Flush, add ``offsets`` under ``membership`` and commit, within ``deadline`` seconds if given.

        Returns only when committed. MustAbort: not committed. InDoubt: unknown, ``committed()`` after ``reopen`` tells.
        """
        ...

    def abort(self) -> None:
        """Undo the open transaction. InDoubt if that cannot be done on this producer."""
        ...

    def close(self) -> None:
        """Forget the producer; an open transaction is aborted if it can be. Never raises."""
        ...


class LogReader(Protocol):
    """A read_committed reader of partitions given by number; it belongs to no group and commits nothing."""

    def assign(self, starts: Mapping[Partition, int]) -> None:
        """Read exactly these from now on, each from its offset (one below the log's start: from its start)."""
        ...

    def take(self, limit: int = 2000, wait: float = 0.0) -> Batch:
        """Up to ``limit`` records; if there are none, wait up to ``wait`` seconds for the first."""
        ...

    def close(self) -> None:
        """Let go of the connection. Never raises."""
        ...


class StateReader(Protocol):
    """Reads the compacted state topic, read_committed, up to a high watermark asked by the caller."""

    def start(self, partition: int, until: int) -> None:
        """Begin to read one state partition from its start up to offset ``until``."""
        ...

    def poll(self) -> Mapping[int, Mapping[bytes, bytes]]:
        """Finished partitions with their last value for each key (deleted keys left out). Does not wait."""
        ...

    def close(self) -> None:
        """Let go of the connection. Never raises."""
        ...


class MarkerReader(Protocol):
    """Reads the transaction topic, read_committed, from shortly before its end."""

    def poll(self) -> Sequence[bytes]:
        """Values that arrived since the last call, oldest first. Does not wait.

        Nothing while the topic does not exist yet. ConfigError if it has more than one partition.
        """
        ...

    @property
    def at_end(self) -> bool:
        """Whether everything that was in the topic at the last look was given."""
        ...

    def again(self) -> None:
        """Read again what lies shortly before the end: a caller learnt only now what it looks for."""
        ...

    def earlier(self) -> bool:
        """Read again from further back; false if the topic's start was reached already."""
        ...

    def close(self) -> None:
        """Let go of the connection. Never raises."""
        ...


class TopicShape(NamedTuple):
    """What must not change under a worker's feet: the topic's id and its partition count."""

    topic_id: str
    partitions: int


class Cluster(Protocol):
    """Asks the broker about its logs on a connection of its own, where no question waits behind a fetch."""

    def ask(self, partitions: Sequence[Partition]) -> None:
        """Ask the high watermarks (READ_UNCOMMITTED) of all these in one question."""
        ...

    @property
    def waiting(self) -> bool:
        """Whether a question is unanswered."""
        ...

    def answers(self) -> Mapping[Partition, int]:
        """Answers that came since the last call; a failed question gives nothing. Does not wait."""
        ...

    def high_watermark(self, partition: Partition) -> int:
        """The high watermark (READ_UNCOMMITTED) now. Waits a few seconds at most."""
        ...

    def low_watermark(self, partition: Partition) -> int:
        """The first offset still in the log. Waits a few seconds at most."""
        ...

    def shape(self, topic: str) -> TopicShape:
        """Id and partition count of ``topic``. ConfigError if there is no such topic."""
        ...

    def close(self) -> None:
        """Let go of the connection. Never raises."""
        ...


class SchemaRegistry(Protocol):
    """Schemas are looked up, never registered, at run time."""

    def schema_id(self, subject: str, schema: Mapping[str, object]) -> int:
        """The id under which exactly ``schema`` is registered for ``subject``.

        ConfigError: the subject is missing, or holds no such schema. DependencyError: the registry is away.
        """
        ...

    def schema(self, schema_id: int) -> Mapping[str, object]:
        """The parsed schema with this id (kept for good once read). ConfigError: there is none."""
        ...


class Clock(Protocol):
    """Time as an argument, so that tests own it."""

    def now(self) -> float:
        """Wall clock, seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...
