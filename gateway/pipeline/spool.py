"""Where the entries of an open unit wait: in memory while they are few, else as raw bytes in a file with an index.

The file is no state: after a crash the raw topic is read again (protocol.md 6).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec
import xxhash

from gateway.model.change import ChangeEvent
from gateway.model.record import Headers, RawRecord
from gateway.model.unit import Broken, Decoded, Duplicate, Entry

__all__ = [
    "ALONE",
    "ROW",
    "SNAPSHOT",
    "Budget",
    "Entries",
    "SpillFile",
    "Spool",
    "View",
    "kind_of",
    "record_at",
    "size_at",
]

ROW, SNAPSHOT, ALONE = 0, 1, 2
"""Kinds of entries: of an aggregate's group, snapshot rows, and those that belong to nobody."""
_DUPLICATE = 3


class SpillFile(Protocol):
    """A file that only grows, and is gone when nobody holds it any more."""

    def append(self, content: bytes) -> int:
        """Write at its end; where that is. SpillFull: there is no room, and nothing was written."""
        ...

    def read(self, place: int, size: int) -> bytes:
        """So many bytes from there."""
        ...

    def close(self) -> None:
        """Give the room back."""
        ...


class Entries(Protocol):
    """What a tail needs of the entries of an open unit; a list will do."""

    def append(self, entry: Entry, /) -> None:
        """One more, behind the others. SpillFull."""
        ...

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Entry]: ...
    def __getitem__(self, place: int, /) -> Entry: ...


class Budget:
    """Bytes of keys and values that all open units of a worker may hold in memory together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0


def kind_of(entry: Entry) -> tuple[int, int]:
    """An entry's kind and, of a row or of a broken record whose key can be read, the hash of its aggregate's id."""
    if type(entry) is ChangeEvent:
        return (SNAPSHOT, 0) if entry.source.snapshot else (ROW, _hash(entry.aggregate_id))
    if type(entry) is Broken and entry.key is not None:
        return ROW, _hash(entry.aggregate_id)
    return (_DUPLICATE if type(entry) is Duplicate else ALONE), 0


def _hash(aggregate_id: str) -> int:
    return xxhash.xxh3_64_intdigest(aggregate_id.encode())


class Spool(Sequence[Entry]):
    """``Entries`` that go to a file once ``budget`` is used up; about 30 bytes each stay in memory then.

    ``place``: topic and partition of all of them; ``decode`` makes the same entry of the same record again.
    """

    __slots__ = (
        "_budget", "_bytes", "_decode", "_file", "_held", "_open", "_place", "at", "hashes", "kinds", "sizes", "stored",
    )  # fmt: skip

    def __init__(
        self,
        place: tuple[str, int],
        decode: Callable[[RawRecord], Decoded],
        budget: Budget,
        spill: Callable[[], SpillFile],
    ) -> None:
        self._place = place
        self._decode = decode
        self._budget = budget
        self._open = spill
        self._held: list[Entry] | None = []
        self._bytes = 0

    def append(self, entry: Entry) -> None:
        """See ``Entries``."""
        if self._held is None:
            self._store(entry)
            return
        size = _size(entry.record)
        self._held.append(entry)
        self._bytes += size
        self._budget.used += size
        if self._budget.used > self._budget.limit:
            self._spill()

    def _spill(self) -> None:
        held, self._held = self._held or [], None
        self._release()
        self._file = self._open()
        self.at, self.stored = array("Q"), array("I")
        self.kinds, self.hashes, self.sizes = array("B"), array("Q"), array("I")
        for entry in held:
            self._store(entry)

    def _release(self) -> None:
        self._budget.used -= self._bytes
        self._bytes = 0

    def _store(self, entry: Entry) -> None:
        record = entry.record
        content = _encode((record.offset, record.timestamp_ms, record.key, record.value, record.headers))
        kind, aggregate = kind_of(entry)
        self.at.append(self._file.append(content))
        self.stored.append(len(content))
        self.kinds.append(kind)
        self.hashes.append(aggregate)
        self.sizes.append(_size(record))

    @property
    def spilled(self) -> bool:
        """Whether they are in the file."""
        return self._held is None

    def sealed(self) -> Sequence[Entry]:
        """The entries of the unit, now that it is complete."""
        if self._held is None:
            return self
        self._release()
        return tuple(self._held)

    def record(self, place: int) -> RawRecord:
        """The raw record of an entry that is in the file."""
        offset, timestamp, key, value, headers = _decode(self._file.read(self.at[place], self.stored[place]))
        return RawRecord(*self._place, offset, timestamp, key, value, headers)

    def __len__(self) -> int:
        return len(self.at) if self._held is None else len(self._held)

    def __iter__(self) -> Iterator[Entry]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # numbers only: nobody asks for slices
        if self._held is not None:
            return self._held[place]
        place = place if place >= 0 else len(self.at) + place
        record = self.record(place)
        return Duplicate(record) if self.kinds[place] == _DUPLICATE else self._decode(record)

    def close(self) -> None:
        """Give room and memory back."""
        self._release()
        if self._held is None:
            self._held = []
            self._file.close()

    def __del__(self) -> None:
        self.close()


class Spooling:
    """Makes the spools of one raw topic."""

    def __init__(self, decode: Callable[[RawRecord], Decoded], budget: Budget, spill: Callable[[], SpillFile]) -> None:
        self._decode, self._budget, self._spill = decode, budget, spill

    def __call__(self, place: tuple[str, int]) -> Spool:
        """A spool for one transaction of this partition."""
        return Spool(place, self._decode, self._budget, self._spill)


_Stored = tuple[int, int, bytes | None, bytes | None, Headers]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode


def _size(record: RawRecord) -> int:
    return len(record.key or b"") + len(record.value or b"")


class View(Sequence[Entry]):
    """Entries at some places of a unit, each read when it is asked for."""

    def __init__(self, entries: Sequence[Entry], places: Sequence[int]) -> None:
        self.entries = entries
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # numbers only: nobody asks for slices
        return self.entries[self.places[place]]


def record_at(entries: Sequence[Entry], place: int) -> RawRecord:
    """The raw record of an entry, without decoding it where it is in a file."""
    if isinstance(entries, View):
        return record_at(entries.entries, entries.places[place])
    return entries.record(place) if isinstance(entries, Spool) else entries[place].record


def size_at(entries: Sequence[Entry], place: int) -> int:
    """Bytes of an entry's key and value."""
    if isinstance(entries, View):
        return size_at(entries.entries, entries.places[place])
    return entries.sizes[place] if isinstance(entries, Spool) else _size(entries[place].record)
