"""A disk in memory that can be full: what it gives out passes the same contract suite as the real one."""

from __future__ import annotations

from gateway.model.errors import SpillFull

__all__ = ["MemoryDisk", "MemorySpill"]


class MemoryDisk:
    """So many bytes of room, shared by all files on it."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.used = 0

    def file(self) -> MemorySpill:
        """A new file."""
        return MemorySpill(self)


class MemorySpill:
    """``SpillFile`` on a ``MemoryDisk``."""

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk
        self._content = bytearray()

    def append(self, content: bytes) -> int:
        """See ``SpillFile``. SpillFull."""
        if self._disk.used + len(content) > self._disk.room:
            raise SpillFull("no room for a large transaction", where="memory")
        place = len(self._content)
        self._content += content
        self._disk.used += len(content)
        return place

    def read(self, place: int, size: int) -> bytes:
        """See ``SpillFile``."""
        return bytes(self._content[place : place + size])

    def close(self) -> None:
        """See ``SpillFile``."""
        self._disk.used -= len(self._content)
        self._content = bytearray()
