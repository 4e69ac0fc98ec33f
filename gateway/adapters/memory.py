"""A cluster in memory: producer, reader of logs and questions pass the same contract suite as the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gateway.adapters.memory_broker import MemoryBroker, MemoryTransaction
from gateway.model.errors import DependencyError
from gateway.model.record import Headers, RawRecord
from gateway.ports import Batch, Committed, InDoubt, Membership, MustAbort, Partition, TopicShape

__all__ = ["MemoryBroker", "MemoryCluster", "MemoryLog", "MemorySink"]


class MemorySink:
    """``TransactionalSink`` on a ``MemoryBroker``."""

    def __init__(self, broker: MemoryBroker, transactional_id: str) -> None:
        self._broker = broker
        self._id = transactional_id
        self._epoch = -1
        self._transaction: MemoryTransaction | None = None

    def reopen(self) -> None:
        """See ``TransactionalSink``."""
        self._epoch = self._broker.fence(self._id)
        self._broker.complete(self._id)
        self._transaction = None

    def _check(self) -> None:
        if self._broker.epochs.get(self._id) != self._epoch:
            raise InDoubt("another producer has this transactional id", where=self._id, fenced=True)

    def _open(self) -> MemoryTransaction:
        self._check()
        if self._transaction is None:
            raise InDoubt("no transaction is open", where=self._id)
        return self._transaction

    def begin(self) -> None:
        """See ``TransactionalSink``."""
        self._check()
        self._broker.complete(self._id)  # the coordinator takes nothing new while markers of the last one are under way
        self._transaction = self._broker.transactions[self._id] = MemoryTransaction(self._id)

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
        """See ``TransactionalSink``."""
        transaction = self._open()
        place = self._broker.partition_for(topic, key) if partition is None else Partition(topic, partition)
        offset = self._broker.append(place, key, value, headers, timestamp_ms or 0, transaction)
        if delivered is not None:
            delivered(offset)

    def stage(self, offsets: Mapping[Partition, Committed], membership: Membership | None) -> None:
        """The half of a commit that a crash can leave behind: offsets are in, the decision is not.

        MustAbort: the member is of another generation. A commit that names no member is not fenced, as on the real one.
        """
        transaction = self._open()
        group, member, generation = membership if isinstance(membership, tuple) else ("", "", -1)
        if member and self._broker.generations.get((group, member)) != generation:
            raise MustAbort("the member's generation is not the group's", where=group)
        transaction.offsets.update({(group, place): at for place, at in offsets.items()})

    def commit(
        self, offsets: Mapping[Partition, Committed], membership: Membership | None, deadline: float | None = None
    ) -> None:
        """See ``TransactionalSink``."""
        if offsets:
            self.stage(offsets, membership)
        self._broker.end(self._open(), "committed")
        self._transaction = None

    def abort(self) -> None:
        """See ``TransactionalSink``."""
        self._broker.end(self._open(), "aborted")
        self._transaction = None

    def close(self) -> None:
        """See ``TransactionalSink``."""
        if self._transaction is not None and self._broker.epochs.get(self._id) == self._epoch:
            self.abort()


class MemoryLog:
    """``LogReader`` on a ``MemoryBroker``."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._next: dict[Partition, int] = {}
        self._ended: dict[Partition, int] = {}

    def assign(self, starts: Mapping[Partition, int]) -> None:
        """See ``LogReader``."""
        self._next = {one: max(at, self._broker.low[one]) for one, at in starts.items()}
        self._ended = {}

    def take(self, limit: int = 2000, wait: float = 0.0) -> Batch:
        """See ``LogReader``."""
        records: list[RawRecord] = []
        ends: dict[Partition, int] = {}
        for one, start in self._next.items():
            found, self._next[one] = self._broker.readable(one, start, limit - len(records))
            records += found
            reached = self._next[one]
            if reached == self._broker.stable(one) and self._ended.get(one) != reached:
                ends[one] = self._ended[one] = reached
        return Batch(records, ends)

    def close(self) -> None:
        """See ``LogReader``."""
        self._next = {}


class MemoryCluster:
    """``Cluster`` on a ``MemoryBroker``."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._answers: dict[Partition, int] = {}

    def ask(self, partitions: Sequence[Partition]) -> None:
        """See ``Cluster``."""
        self._answers = {one: self.high_watermark(one) for one in partitions}

    @property
    def waiting(self) -> bool:
        """See ``Cluster``."""
        return bool(self._answers)

    def answers(self) -> Mapping[Partition, int]:
        """See ``Cluster``."""
        found, self._answers = self._answers, {}
        return found

    def high_watermark(self, partition: Partition) -> int:
        """See ``Cluster``."""
        if partition not in self._broker.logs:
            raise DependencyError(f"{partition} is unknown", where="memory")
        return len(self._broker.logs[partition])

    def low_watermark(self, partition: Partition) -> int:
        """See ``Cluster``."""
        return self._broker.low[partition]

    def shape(self, topic: str) -> TopicShape:
        """See ``Cluster``."""
        return self._broker.shape(topic)

    def close(self) -> None:
        """See ``Cluster``."""
