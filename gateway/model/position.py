"""Where in the source's log a change stands (protocol.md 1)."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SourcePosition"]


class SourcePosition(NamedTuple):
    """``(inc, c, l)``: incarnation of the source, commit LSN of the transaction before, LSN of the row.

    Only this triple is monotone in a partition. PostgreSQL: ``c`` is the first number of ``source.sequence`` and is
    None on the first transaction of a new connector (it sorts below all others once resolved; see protocol.md 3.3).
    """

    incarnation: int
    commit: int
    lsn: int
