"""A broker in memory: logs, transactions whose markers may reach partitions one by one, offsets, producer epochs."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from zlib import crc32

from gateway.model.errors import ConfigError
from gateway.model.record import Headers, RawRecord
from gateway.ports import Committed, Partition, TopicShape

__all__ = ["MemoryBroker", "MemoryTransaction"]


@dataclass(slots=True, eq=False)
class MemoryTransaction:
    """One Kafka transaction. ``unmarked``: partitions it wrote to that have no marker of its end yet.

    ``pending``: its offsets are not yet the group's, or not yet given up: their marker is under way, too.
    """

    owner: str
    state: str = "open"
    offsets: dict[tuple[str, Partition], Committed] = field(default_factory=dict)
    records: list[RawRecord] = field(default_factory=list)
    unmarked: dict[Partition, int] = field(default_factory=dict)
    pending: bool = False


@dataclass(slots=True)
class _Slot:
    record: RawRecord | None  # None: a marker
    transaction: MemoryTransaction | None


class MemoryBroker:
    """Logs, committed offsets and producer epochs of one cluster.

    ``holds_markers``: ends of transactions reach partitions, and the offsets, only by ``deliver`` or ``complete``.
    ``decided``: transactions in the order in which the coordinator decided on them.
    """

    def __init__(self) -> None:
        self.logs: dict[Partition, list[_Slot]] = {}
        self.low: dict[Partition, int] = {}
        self.committed: dict[tuple[str, Partition], Committed] = {}
        self.epochs: dict[str, int] = {}
        self.transactions: dict[str, MemoryTransaction] = {}
        self.generations: dict[tuple[str, str], int] = {}
        self.holds_markers = False
        self.decided: list[MemoryTransaction] = []
        self.under_way: list[tuple[MemoryTransaction, Partition | None]] = []
        self._unmarked: defaultdict[Partition, dict[MemoryTransaction, int]] = defaultdict(dict)
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
        transaction: MemoryTransaction | None = None,
    ) -> int:
        """Append one record; gives its offset."""
        log = self.logs[place]
        offset = len(log)
        record = RawRecord(*place, offset, timestamp_ms, key, value, headers)
        log.append(_Slot(record, transaction))
        if transaction is not None:
            transaction.records.append(record)
            transaction.unmarked.setdefault(place, offset)
            self._unmarked[place].setdefault(transaction, offset)
        return offset

    def partition_for(self, topic: str, key: bytes | None) -> Partition:
        """Where a record with this key goes."""
        return Partition(topic, crc32(key or b"") % self.shape(topic).partitions)

    def stable(self, place: Partition) -> int:
        """The last stable offset."""
        return min(self._unmarked[place].values(), default=len(self.logs[place]))

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

    # -- ends of transactions -----------------------------------------------------------------------------------------

    def end(self, transaction: MemoryTransaction, state: str) -> None:
        """The coordinator decides: ``committed`` or ``aborted``. Readers see it where the marker has arrived."""
        transaction.state = state
        transaction.pending = bool(transaction.offsets)
        self.decided.append(transaction)
        self.under_way += [(transaction, place) for place in sorted(transaction.unmarked)]
        if transaction.pending:
            self.under_way.append((transaction, None))
        while self.under_way and not self.holds_markers:
            self.deliver(0)

    def deliver(self, number: int) -> None:
        """One marker arrives: the end of a transaction shows in one partition, or in the group's offsets."""
        transaction, place = self.under_way.pop(number)
        if place is None:
            transaction.pending = False
            if transaction.state == "committed":
                self.committed.update(transaction.offsets)
            return
        del transaction.unmarked[place]
        del self._unmarked[place][transaction]
        self.logs[place].append(_Slot(None, transaction))

    def complete(self, transactional_id: str) -> None:
        """All markers of this producer's ended transactions arrive: before that nothing new of it begins."""
        for number in reversed(range(len(self.under_way))):
            if self.under_way[number][0].owner == transactional_id:
                self.deliver(number)

    def fence(self, transactional_id: str) -> int:
        """What is open under this id is aborted, whoever had it may do nothing more; gives the new epoch."""
        old = self.transactions.get(transactional_id)
        if old is not None and old.state == "open":
            self.end(old, "aborted")
        self.epochs[transactional_id] = self.epochs.get(transactional_id, 0) + 1
        return self.epochs[transactional_id]

    def undecided(self, group: str, place: Partition) -> bool:
        """Whether a transaction that has not ended, or whose end has not arrived, holds an offset of this partition."""
        pending = (one for one, target in self.under_way if target is None)
        opened = (one for one in self.transactions.values() if one.state == "open")
        return any((group, place) in one.offsets for one in itertools.chain(opened, pending))
