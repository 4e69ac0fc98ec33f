"""A source that also writes large transactions, over many things or many times over one."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .source import RawSource

__all__ = ["LargeTransactions"]


class LargeTransactions(RawSource):
    """One database with things and their parts, whose transactions may be as large as one likes."""

    def write_large(self, things: Sequence[int], batch: int = 400) -> None:
        """One database transaction over all these things, each changed as often as it is named."""
        self.tx_id += 1
        self.ts_ms += 10
        records = self._net(things)
        self.lsn += 40
        self._commit = self.lsn
        end = {"status": "END", "id": f"{self.tx_id}:{self.lsn}", "ts_ms": self.ts_ms, "event_count": len(records)}
        records.append((f"{self.prefix}legacy.transaction", b"{}", json.dumps(end).encode()))
        for start in range(0, len(records), batch):
            self._send(records[start : start + batch])

    def _net(self, things: Sequence[int]) -> list[tuple[str, bytes | None, bytes | None]]:
        """Changes of these things, of which one fact comes out each, or, once one of them is poisoned, letters."""
        before = {thing: (len(self.facts[thing]), self.letters[thing]) for thing in things}
        count = dict.fromkeys(things, 0)
        records = []
        for thing in things:
            changes = self._changes(thing)
            count[thing] += len(changes)
            records += changes
        for thing, (facts, letters) in before.items():
            new = self.facts[thing][facts:]
            self.facts[thing][facts:] = [(new[0][0], new[-1][1])] if new else []
            if thing in self._poisoned:
                self.facts[thing][facts:] = []
                self.letters[thing] = letters + count[thing]
        return records
