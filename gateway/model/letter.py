"""Dead letters, and the entries that say which aggregates are parked behind one (protocol.md 9)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from msgspec import Struct

from gateway.model.errors import LetterClass
from gateway.model.record import Headers, RawRecord

__all__ = ["DeadLetter", "ParkChange", "ParkEntry"]


class DeadLetter(Struct, frozen=True):
    """One raw record on its way to ``<raw>.dlq``, same partition number, original key, value and timestamp.

    ``headers`` are the original ones and then ours. ``aggregate_id`` is empty where the key cannot be read.
    """

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int
    letter_class: LetterClass
    aggregate_id: str
    rule: str
    record: RawRecord


@dataclass(frozen=True, slots=True)
class ParkEntry:
    """A parked aggregate. ``head``/``last``: raw offsets of the first letter to redrive and of the last one behind it.

    ``letters`` counts both and all between; ``dlq_from``: the first letter's offset in ``<raw>.dlq``, None until the
    worker has written it.
    """

    head: int
    last: int
    letters: int
    attempt: int
    letter_class: LetterClass
    dlq_from: int | None = None

    def behind(self, last: int, letters: int) -> ParkEntry:
        """The entry with ``letters`` more behind it, the last of them at raw offset ``last``."""
        return replace(self, last=last, letters=self.letters + letters)


@dataclass(frozen=True, slots=True)
class ParkChange:
    """The new state of one parked aggregate after a unit."""

    aggregate_id: str
    entry: ParkEntry
