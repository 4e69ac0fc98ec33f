"""A consumer group in memory: eager rebalances, range assignment, generations."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from gateway.adapters.memory import MemoryBroker
from gateway.model.errors import DependencyError
from gateway.model.record import RawRecord
from gateway.ports import Batch, Committed, Membership, Partition, RebalanceListener

__all__ = ["MemoryGroup", "MemorySource"]


class MemoryGroup:
    """One consumer group: who is in it, and which generation it is in."""

    def __init__(self, broker: MemoryBroker, name: str) -> None:
        self.broker = broker
        self.name = name
        self.members: list[MemorySource] = []
        self.generation = 0
        self._serial = itertools.count(1)
        self.rebalancing = False
        self.given_up: set[str] = set()

    def join(self, member: MemorySource) -> str:
        """A new member; all others are asked to give up what they have."""
        self.members.append(member)
        self.rebalance()
        return f"{self.name}-{next(self._serial)}"

    def leave(self, member: MemorySource) -> None:
        """Departed (or dead): its generation is worth nothing from now on."""
        if member in self.members:
            self.members.remove(member)
            self.broker.generations.pop((self.name, member.member_id), None)
            self.rebalance()

    def rebalance(self) -> None:
        """Ask all members to give up and join again."""
        self.rebalancing = True
        self.given_up = set()

    def gave_up(self, member: MemorySource) -> None:
        """One more is ready; when all are, the next generation begins."""
        self.given_up.add(member.member_id)
        if self.given_up >= {one.member_id for one in self.members}:
            self.rebalancing = False
            self.generation += 1
            for one, places in zip(self.members, self._ranges(), strict=True):
                one.granted = places
                one.generation = self.broker.generations[(self.name, one.member_id)] = self.generation

    def _ranges(self) -> list[list[Partition]]:
        shares: list[list[Partition]] = [[] for _ in self.members]
        for topic in sorted({topic for one in self.members for topic in one.topics}):
            places = sorted(one for one in self.broker.logs if one.topic == topic)
            size, more = divmod(len(places), len(shares))
            start = 0
            for number, share in enumerate(shares):
                end = start + size + (1 if number < more else 0)
                share += places[start:end]
                start = end
        return shares


class MemorySource:
    """``EventSource`` on a ``MemoryGroup``."""

    def __init__(self, group: MemoryGroup) -> None:
        self._group = group
        self._broker = group.broker
        self.topics: tuple[str, ...] = ()
        self.member_id = ""
        self.generation = -1
        self.granted: list[Partition] | None = None
        self._listener: RebalanceListener | None = None
        self._next: dict[Partition, int] = {}
        self._running: set[Partition] = set()
        self._ended: dict[Partition, int] = {}
        self._gave_up_for = -1

    def subscribe(self, topics: Sequence[str], listener: RebalanceListener) -> None:
        """See ``EventSource``."""
        self.topics = tuple(topics)
        self._listener = listener
        self.member_id = self._group.join(self)

    def take(self, limit: int, wait: float) -> Batch:
        """See ``EventSource``."""
        self._serve_rebalance()
        records: list[RawRecord] = []
        ends: dict[Partition, int] = {}
        lost: set[Partition] = set()
        for one in sorted(self._running):
            if self._next[one] < self._broker.low[one]:
                lost.add(one)
                self._running.discard(one)
                continue
            found, self._next[one] = self._broker.readable(one, self._next[one], limit - len(records))
            records += found
            reached = self._next[one]
            if reached == self._broker.stable(one) and self._ended.get(one) != reached:
                ends[one] = self._ended[one] = reached
        return Batch(records, ends, frozenset(lost))

    def _serve_rebalance(self) -> None:
        if self._listener is None:
            return
        if self not in self._group.members:
            self._lose()
        if self._group.rebalancing and self.member_id not in self._group.given_up:
            self._give_up()
            self._group.gave_up(self)
        if self.granted is not None:
            granted, self.granted = self.granted, None
            self._next = dict.fromkeys(granted, 0)
            self._listener.assigned(granted)

    def _give_up(self) -> None:
        if self._next and self._listener is not None:
            self._listener.revoked(sorted(self._next))
        self._next, self._running, self._ended = {}, set(), {}
        self.granted = None  # of a generation that is over

    def expel(self, heard: bool = True) -> None:
        """What a session timeout does: the group goes on without this member, who is told within its next ``take``.

        ``heard``: its client knows by then that it is no member any more; otherwise it still believes to be one.
        """
        self._group.leave(self)
        if heard:
            self.member_id, self.generation = "", -1

    def _lose(self) -> None:
        lost, self._running, self._ended = sorted(self._next), set(), {}
        self.granted = None
        try:
            if lost and self._listener is not None:
                self._listener.lost(lost)
        finally:
            self._next = {}
        self.member_id = self._group.join(self)

    def committed(self, partition: Partition) -> Committed | None:
        """See ``EventSource``."""
        if self._broker.undecided(self._group.name, partition):
            raise DependencyError("a transaction over it is undecided", where=str(partition))
        return self._broker.committed.get((self._group.name, partition))

    def start(self, partition: Partition, offset: int) -> None:
        """See ``EventSource``."""
        self._next[partition] = offset
        self._ended.pop(partition, None)
        self._running.add(partition)

    def pause(self, partition: Partition) -> None:
        """See ``EventSource``."""
        self._running.discard(partition)

    def resume(self, partition: Partition) -> None:
        """See ``EventSource``."""
        if partition in self._next:
            self._running.add(partition)

    def membership(self) -> Membership | None:
        """See ``EventSource``."""
        if not self._next or not self.member_id:
            return None
        return (self._group.name, self.member_id, self.generation)

    def close(self) -> None:
        """See ``EventSource``."""
        self._give_up()
        self._group.leave(self)
        self._listener = None
