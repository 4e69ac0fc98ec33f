"""The open transaction of a partition: its rows so far, and what proves that they are all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.model.change import ChangeEvent
from gateway.model.unit import Entry, Taken
from gateway.pipeline.spool import Entries, Spool

__all__ = ["Opened", "Ticket"]


class Ticket(NamedTuple):
    """The open transaction that evidence says is complete; closing it needs the fence asked after (protocol.md R2)."""

    incarnation: int
    tx_id: int
    first_offset: int


class Opened:
    """The open transaction, or one whose ``c`` is not known yet (``commit`` None)."""

    __slots__ = (
        "before",
        "commit",
        "entries",
        "first_offset",
        "incarnation",
        "order",
        "restarted",
        "since_ms",
        "source_name",
        "ts_ms",
        "tx_id",
    )

    def __init__(
        self, change: ChangeEvent, incarnation: int, commit: int | None, before: Taken | None, entries: Entries
    ) -> None:
        self.source_name = change.source.name
        self.tx_id = change.source.tx_id or 0
        self.incarnation = incarnation
        self.commit = commit
        self.first_offset = change.record.offset
        self.since_ms = change.record.timestamp_ms
        self.ts_ms = change.source.ts_ms
        self.before = before
        self.entries = entries
        self.order = 0
        self.restarted = False

    def sealed(self) -> Sequence[Entry]:
        """Its entries, now that it is complete."""
        return self.entries.sealed() if isinstance(self.entries, Spool) else tuple(self.entries)

    def is_of(self, change: ChangeEvent, incarnation: int) -> bool:
        """Whether a row belongs to it."""
        return self.tx_id == change.source.tx_id and self.incarnation == incarnation

    @property
    def ticket(self) -> Ticket:
        """Names it."""
        return Ticket(self.incarnation, self.tx_id, self.first_offset)
