"""A broker in memory with transactions, markers and groups: passes the same contract suite as the real one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from gateway.model.errors import ConfigError, DependencyError
from gateway.model.record import Headers, RawRecord
from gateway.ports import Batch, Committed, InDoubt, Membership, MustAbort, Partition, TopicShape

__all__ = ["MemoryBroker", "MemoryCluster", "MemoryLog", "MemorySink"]


@dataclass(slots=True)
class _Transaction:
    owner: str
    state: str = "open"
    offsets: dict[tuple[str, Partition], Committed] = field(default_factory=dict)
    touched: set[Partition] = field(default_factory=set)


@dataclass(slots=True)
class _Slot:
    record: RawRecord | None  # None: a marker
    transaction: _Transaction | None


class MemoryBroker:
    """Logs, committed offsets and producer epochs of one cluster."""

    def __init__(self) -> None:
        self.logs: dict[Partition, list[_Slot]] = {}
        self.low: dict[Partition, int] = {}
        self.committed: dict[tuple[str, Partition], Committed] = {}
        self.epochs: dict[str, int] = {}
        self.transactions: dict[str, _Transaction] = {}
        self.generations: dict[tuple[str, str], int] = {}
        self._topic_ids: dict[str, str] = {}
        self._serial = itertools.count(1)

    def create(self, topic: str, partitions: int) -> None:
        """A new topic."""
        self._topic_ids[topic] = f"memory-{next(self._serial)}"
        for number in range(partitions):
            self.logs[Partition(topic, number)] = []
            self.low[Partition(topic, number)] = 0

    def shape(self, topic: str) -> TopicShape:
        """Id and partition count of ``topic``. ConfigError if there is none."""
        if topic not in self._topic_ids:
            raise ConfigError(f"topic {topic} does not exist", where="memory")
        return TopicShape(self._topic_ids[topic], sum(one.topic == topic for one in self.logs))

    def append(
        self,
        place: Partition,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        timestamp_ms: int = 0,
        transaction: _Transaction | None = None,
    ) -> int:
        """Append one record; gives its offset."""
        log = self.logs[place]
        offset = len(log)
        log.append(_Slot(RawRecord(*place, offset, timestamp_ms, key, value, headers), transaction))
        return offset

    def partition_for(self, topic: str, key: bytes | None) -> Partition:
        """Where a record with this key goes."""
        return Partition(topic, crc32(key or b"") % self.shape(topic).partitions)

    def stable(self, place: Partition) -> int:
        """The last stable offset."""
        for offset, slot in enumerate(self.logs[place]):
            if slot.record is not None and slot.transaction is not None and slot.transaction.state == "open":
                return offset
        return len(self.logs[place])

    def readable(self, place: Partition, start: int, limit: int) -> tuple[list[RawRecord], int]:
        """Records a read_committed reader gets from ``start``, and the offset it has reached."""
        found: list[RawRecord] = []
        stable = self.stable(place)
        for offset in range(start, stable):
            if len(found) == limit:
                return found, offset
            slot = self.logs[place][offset]
            if slot.record is not None and (slot.transaction is None or slot.transaction.state == "committed"):
                found.append(slot.record)
        return found, stable

    def end(self, transaction: _Transaction, state: str) -> None:
        """Commit or abort: markers in every touched partition, offsets of the group if committed."""
        transaction.state = state
        for place in sorted(transaction.touched):
            self.logs[place].append(_Slot(None, transaction))
        if state == "committed":
            self.committed.update(transaction.offsets)

    def undecided(self, group: str, place: Partition) -> bool:
        """Whether an open transaction holds an offset of this group and partition."""
        return any((group, place) in one.offsets and one.state == "open" for one in self.transactions.values())


class MemorySink:
    """``TransactionalSink`` on a ``MemoryBroker``."""

    def __init__(self, broker: MemoryBroker, transactional_id: str) -> None:
        self._broker = broker
        self._id = transactional_id
        self._epoch = -1
        self._transaction: _Transaction | None = None

    def reopen(self) -> None:
        """See ``TransactionalSink``."""
        old = self._broker.transactions.get(self._id)
        if old is not None and old.state == "open":
            self._broker.end(old, "aborted")
        self._epoch = self._broker.epochs[self._id] = self._broker.epochs.get(self._id, 0) + 1
        self._transaction = None

    def _check(self) -> None:
        if self._broker.epochs.get(self._id) != self._epoch:
            raise InDoubt("another producer has this transactional id", where=self._id, fenced=True)

    def _open(self) -> _Transaction:
        self._check()
        if self._transaction is None:
            raise InDoubt("no transaction is open", where=self._id)
        return self._transaction

    def begin(self) -> None:
        """See ``TransactionalSink``."""
        self._check()
        self._transaction = self._broker.transactions[self._id] = _Transaction(self._id)

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
        transaction.touched.add(place)
        offset = self._broker.append(place, key, value, headers, timestamp_ms or 0, transaction)
        if delivered is not None:
            delivered(offset)

    def stage(self, offsets: Mapping[Partition, Committed], membership: Membership | None) -> None:
        """The half of a commit that a crash can leave behind: offsets are in, the decision is not.

        MustAbort: the member is of another generation.
        """
        transaction = self._open()
        group, member, generation = membership if isinstance(membership, tuple) else ("", "", -1)
        if self._broker.generations.get((group, member), -2) != generation:
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
