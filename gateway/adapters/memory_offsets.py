"""A consumer group's offsets in memory, seen from outside the group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.adapters.memory_source import MemoryGroup
from gateway.model.errors import ConfigError, DependencyError
from gateway.ports import Committed, Partition

__all__ = ["MemoryOffsets"]


class MemoryOffsets:
    """``GroupOffsets`` on a ``MemoryGroup``."""

    def __init__(self, group: MemoryGroup) -> None:
        self._group = group

    def members(self) -> Sequence[str]:
        """See ``GroupOffsets``."""
        return [one.member_id for one in self._group.members]

    def committed(self, partitions: Sequence[Partition]) -> Mapping[Partition, Committed]:
        """See ``GroupOffsets``."""
        broker, name = self._group.broker, self._group.name
        if any(broker.undecided(name, one) for one in partitions):
            raise DependencyError("a transaction over it is undecided", where=name)
        return {one: broker.committed[name, one] for one in partitions if (name, one) in broker.committed}

    def commit(self, offsets: Mapping[Partition, Committed]) -> None:
        """See ``GroupOffsets``."""
        if self._group.members:
            raise ConfigError("the group has members", where=self._group.name)
        for one, at in offsets.items():
            self._group.broker.committed[self._group.name, one] = at
