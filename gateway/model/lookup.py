"""Reference data as rules see it: entries of compacted topics by key, and what an event took of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

__all__ = ["LookupUse", "ReferenceEntry", "ReferenceTables"]


class ReferenceEntry(Struct, frozen=True):
    """One record of a reference topic. ``values`` by column, each as text or null; None: the record is unreadable."""

    values: Mapping[str, str | None] | None
    topic: str
    partition: int
    offset: int
    timestamp_ms: int = 0


class LookupUse(Struct, frozen=True):
    """A value that an event's data took from reference data, and the record it stands in."""

    lookup: str
    key: str
    column: str
    value: str | None
    topic: str
    partition: int
    offset: int


class ReferenceTables(Protocol):
    """The lookups of one mapping, by the names it gives them; an argument of the pure rooms."""

    def find(self, lookup: str, key: str) -> ReferenceEntry | None:
        """The entry under a key; None where there is none."""
        ...

    def as_of(self, timestamp_ms: int) -> ReferenceTables:
        """The tables for a change set whose last record is of that time; live ones are what they are."""
        ...

    def awaits(self, lookup: str, key: str) -> bool:
        """Whether a missing key is still waited for: then nothing is settled yet."""
        ...
