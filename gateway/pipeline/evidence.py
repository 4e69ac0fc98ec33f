"""What a worker knows of how far a connector is: ENDs, and the ``c`` of rows in any partition (protocol.md 2, P2a)."""

from __future__ import annotations

from gateway.pipeline.admit import Incarnations, incarnation_of

__all__ = ["Evidence"]

_REMEMBERED_ENDS = 4096
_LATE_MS = 1_000
"""What proves that a transaction is over is hardly older than its rows: commits that overlap may be, by a moment.

What is older by more belongs to a timeline that a restore ended, where positions and transaction ids were the same.
"""


class Evidence:
    """W by source and incarnation (a maximum, so order and repeats do not matter), and the last ENDs by transaction."""

    def __init__(self, incarnations: Incarnations = ()) -> None:
        self._incarnations = incarnations
        self._greatest: dict[tuple[str, int], tuple[int, int]] = {}
        self._ends: dict[tuple[str, int, int], tuple[int, int]] = {}
        self._gone: set[tuple[str, int]] = set()

    def end(self, source: str, tx_id: int, lsn: int, ts_ms: int) -> None:
        """An END of ``source``'s transaction topic was read."""
        incarnation = incarnation_of(ts_ms, self._incarnations)
        self.row(source, incarnation, lsn, ts_ms)
        self._ends[(source, incarnation, tx_id)] = lsn, ts_ms
        if len(self._ends) > _REMEMBERED_ENDS:
            del self._ends[next(iter(self._ends))]

    def no_end(self, source: str, tx_id: int) -> None:
        """The whole transaction topic was read after a later row was seen: this transaction's END is not there."""
        self._gone.add((source, tx_id))

    def has_no_end(self, source: str, tx_id: int) -> bool:
        """Whether it is known that no END of this transaction will be read."""
        return (source, tx_id) in self._gone

    def row(self, source: str, incarnation: int, commit: int, ts_ms: int) -> None:
        """A row with this ``c`` and commit time was seen, in whatever partition."""
        known = self._greatest.get((source, incarnation))
        if known is None or commit > known[0]:
            self._greatest[(source, incarnation)] = commit, ts_ms

    def end_of(self, source: str, incarnation: int, tx_id: int, since_ms: int = 0) -> int | None:
        """The LSN in this transaction's END, None if it was not read. ``since_ms``: commit time of its rows."""
        lsn, ts_ms = self._ends.get((source, incarnation, tx_id), (None, 0))
        return lsn if ts_ms + _LATE_MS >= since_ms else None

    def past(self, source: str, incarnation: int, commit: int, since_ms: int = 0) -> bool:
        """Whether the connector is known to be past the transaction with this ``c``: ``W > c``."""
        greatest, ts_ms = self._greatest.get((source, incarnation), (-1, 0))
        return greatest > commit and ts_ms + _LATE_MS >= since_ms
