"""What a partition is cut into: decoded records, and units that are settled together (protocol.md 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from gateway.model.change import ChangeEvent, SourceRef
from gateway.model.errors import RecordError
from gateway.model.record import RawRecord

__all__ = ["Broken", "Decoded", "Duplicate", "Entry", "Mark", "MarkKind", "Taken", "Unit"]


class MarkKind(StrEnum):
    """Records that change no row."""

    TOMBSTONE = "tombstone"
    HEARTBEAT = "heartbeat"
    TRANSACTION = "transaction"
    TRUNCATE = "truncate"
    MESSAGE = "message"
    """A logical message outside any transaction; one inside a transaction is a row of table ``message``."""


class Mark(Struct, frozen=True):
    """A record that changes no row; it belongs to no aggregate. ``table`` is ``schema.table`` of a truncate."""

    record: RawRecord
    kind: MarkKind
    table: str = ""
    source: SourceRef | None = None


class Broken(Struct, frozen=True):
    """A record that cannot be decoded. ``key`` is kept where it can be read, so that its aggregate can be parked."""

    record: RawRecord
    error: RecordError
    key: Mapping[str, object] | None = None
    aggregate_id: str = ""


class Duplicate(Struct, frozen=True):
    """A row that was taken before: dropped by its position (protocol.md 3.1)."""

    record: RawRecord


Decoded = ChangeEvent | Mark | Broken
"""What ``decode`` makes of a raw record."""
Entry = ChangeEvent | Mark | Broken | Duplicate
"""One record of a unit. A change event is a row of the unit's transaction, or a snapshot row (``source.snapshot``)."""


class Taken(NamedTuple):
    """``hi``: where the last row taken in a partition stands, and its transaction."""

    incarnation: int
    commit: int
    lsn: int
    tx_id: int


class Unit(Struct, frozen=True):
    """A stretch of a partition that is settled together: one DB transaction with what stands between, or one record.

    ``entries`` are in offset order; ``next_offset`` is where the next unit begins. ``tx_id``, ``incarnation`` and
    ``commit`` (the resolved ``c``) are None/0 where there is no transaction. ``before``/``hi`` is the last row taken
    before/after it, ``ts`` the greatest commit time (ms) after it. ``restarted``: capture restarted inside it and its
    rows may be incomplete upstream (``capture_restarted_in_transaction``).
    """

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    entries: Sequence[Entry]
    tx_id: int | None
    incarnation: int
    commit: int
    before: Taken | None
    hi: Taken | None
    ts: int
    restarted: bool = False
    size_bytes: int = 0
