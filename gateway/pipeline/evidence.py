"""What a worker knows of how far a connector is: ENDs, and the ``c`` of rows in any partition (protocol.md 2, P2a)."""

from __future__ import annotations

from gateway.pipeline.admit import Incarnations, incarnation_of

__all__ = ["Evidence"]

_REMEMBERED_ENDS = 4096


class Evidence:
    """W by source and incarnation (a maximum, so order and repeats do not matter), and the last ENDs by transaction."""

    def __init__(self, incarnations: Incarnations = ()) -> None:
        self._incarnations = incarnations
        self._greatest: dict[tuple[str, int], int] = {}
        self._ends: dict[tuple[str, int, int], int] = {}
        self._gone: set[tuple[str, int]] = set()

    def end(self, source: str, tx_id: int, lsn: int, ts_ms: int) -> None:
        """An END of ``source``'s transaction topic was read."""
        incarnation = incarnation_of(ts_ms, self._incarnations)
        self.row(source, incarnation, lsn)
        self._ends[(source, incarnation, tx_id)] = lsn
        if len(self._ends) > _REMEMBERED_ENDS:
            del self._ends[next(iter(self._ends))]

    def no_end(self, source: str, tx_id: int) -> None:
        """The whole transaction topic was read after a later row was seen: this transaction's END is not there."""
        self._gone.add((source, tx_id))

    def has_no_end(self, source: str, tx_id: int) -> bool:
        """Whether it is known that no END of this transaction will be read."""
        return (source, tx_id) in self._gone

    def row(self, source: str, incarnation: int, commit: int) -> None:
        """A row with this ``c`` was seen, in whatever partition."""
        if commit > self._greatest.get((source, incarnation), -1):
            self._greatest[(source, incarnation)] = commit

    def end_of(self, source: str, incarnation: int, tx_id: int) -> int | None:
        """The LSN in this transaction's END, None if it was not read."""
        return self._ends.get((source, incarnation, tx_id))

    def past(self, source: str, incarnation: int, commit: int) -> bool:
        """Whether the connector is known to be past the transaction with this ``c``: ``W > c``."""
        return self._greatest.get((source, incarnation), -1) > commit
