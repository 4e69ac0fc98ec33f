"""A database and its connector: what they write, in which Kafka transactions, and how often."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.adapters.memory import MemoryBroker, MemorySink
from gateway.ports import Partition

__all__ = ["BREAKABLE", "RAW", "TRANSACTIONS", "Connector", "Row", "Transaction"]

RAW, TRANSACTIONS = "s.box.raw", "s.legacy.transaction"
BREAKABLE = frozenset({2, 5})
"""Boxes that may have rows which cannot be read; only the others have snapshot rows."""
_START_MS = 1_790_000_000_000


@dataclass(eq=False)
class Transaction:
    """A database transaction. ``commit``: the LSN of the one before; ``blind``: which the connector does not know."""

    number: int
    commit: int
    end: int
    ts_ms: int
    blind: bool = False
    rows: list[Row] = field(default_factory=list)

    def marker(self) -> bytes:
        """Its END."""
        told = {"status": "END", "id": f"{self.number}:{self.end}", "ts_ms": self.ts_ms, "event_count": len(self.rows)}
        return json.dumps(told).encode()


@dataclass(eq=False)
class Row:
    """One raw record. ``kind``: row, poison (a code that nobody knows), broken (no JSON), snapshot, tombstone.

    ``amount`` is unique: it says which state of which item an event speaks of. ``shipped``: it was in the log before.
    """

    kind: str
    box: int
    item: int
    before: int | None
    amount: int
    lsn: int
    transaction: Transaction | None
    order: int = 0
    shipped: bool = False

    def value(self, ts_ms: int) -> bytes | None:
        """The record's value, as Debezium and Connect write it."""
        if self.kind == "tombstone":
            return None
        if self.kind == "broken":
            return b"no json"
        snapshot = self.transaction is None
        number, commit = (0, None) if self.transaction is None else (self.transaction.number, self.transaction.commit)
        blind = self.transaction is None or self.transaction.blind
        source = {
            "version": "3.7.0.Final", "connector": "postgresql", "name": "s.legacy", "db": "legacy", "schema": "shop",
            "table": "item", "ts_ms": ts_ms, "snapshot": "true" if snapshot else "false", "txId": number,
            "lsn": self.lsn, "sequence": json.dumps([None if blind else str(commit), str(self.lsn)]),
        }  # fmt: skip
        told = {
            "before": None if self.before is None else self._image(self.before, "A"),
            "after": self._image(self.amount, "Z" if self.kind == "poison" else "A"),
            "source": source,
            "op": "r" if snapshot else "c" if self.before is None else "u",
            "ts_ms": ts_ms,
            "transaction": None if snapshot else {"id": f"{number}:{self.lsn}", "total_order": self.order},
        }
        return json.dumps(told).encode()

    def _image(self, amount: int, code: str) -> dict[str, object]:
        return {"item_id": self.box * 10 + self.item, "box_id": self.box, "val": amount, "cod": code}


class Connector:
    """Ships its history in order, cut into Kafka transactions anywhere, from further back as often as it is told."""

    def __init__(self, broker: MemoryBroker, partitions: int, shipped: Callable[[Partition, int, Row], None]) -> None:
        self._broker, self._partitions, self._shipped = broker, partitions, shipped
        self._sink = MemorySink(broker, "connect")
        self._sink.reopen()
        self.history: list[Row | Transaction] = []
        self.cursor = 0
        self._amounts: dict[tuple[int, int], int] = {}
        self._serial = self._transactions = 0
        self._lsn = 1_000
        self._ts_ms = _START_MS
        self._open: list[tuple[Partition, int, Row]] | None = None
        self._back_to = 0

    # -- what the applications do -------------------------------------------------------------------------------------

    def write(self, changes: Sequence[tuple[int, int, str]], page: bool, blind: bool) -> Transaction:
        """One transaction. ``changes``: box, item, kind; ``page``: all rows share one LSN, as those of a COPY do."""
        self._transactions += 1
        done = Transaction(700 + (self._transactions ^ 21), self._lsn, 0, self._ts_ms, blind)
        lsn = self._lsn - 7 if self._lsn > 1_000 else self._lsn + 1  # written before the one that committed before it
        opened: set[int] = set()
        for order, (box, item, kind) in enumerate(changes, 1):
            lsn += 0 if page and order > 1 else 3
            kind = self._possible(box, item, kind, opened)
            opened.add(box % self._partitions)
            before, self._serial = self._amounts.get((box, item)), self._serial + 1
            if kind != "broken":
                self._amounts[box, item] = self._serial
            done.rows.append(Row(kind, box, item, before, self._serial, lsn, done, order))
        self._lsn = done.end = max(lsn, self._lsn) + 5
        self._ts_ms += 2
        self.history += [*done.rows, done]
        return done

    def _possible(self, box: int, item: int, kind: str, opened: set[int]) -> str:
        """A broken record stands behind a row of its transaction, else it is not told which one it belongs to."""
        if box not in BREAKABLE or (kind == "broken" and box % self._partitions not in opened):
            return "row"
        return "row" if kind == "poison" and (box, item) not in self._amounts else kind

    # -- what the connector does --------------------------------------------------------------------------------------

    def begin(self, count: int) -> None:
        """Put the next ``count`` entries of the history into a Kafka transaction, whose end is not decided yet."""
        self.decide(True)
        self._sink.begin()
        self._open, self._back_to = [], self.cursor
        for entry in self.history[self.cursor : self.cursor + count]:
            if isinstance(entry, Transaction):
                self._sink.send(TRANSACTIONS, b"{}", entry.marker(), partition=0, timestamp_ms=entry.ts_ms)
            else:
                self._put(entry, entry.transaction.ts_ms if entry.transaction else self._ts_ms)
            self.cursor += 1

    def decide(self, commit: bool) -> None:
        """End what is open. Aborted: a new producer ships the same again."""
        if self._open is None:
            return
        opened, self._open = self._open, None
        if not commit:
            self._sink.reopen()
            self.cursor = self._back_to
            return
        self._sink.commit({}, None)
        for place, offset, row in opened:
            self._shipped(place, offset, row)

    def ship(self, count: int) -> None:
        """The next ``count`` entries in a Kafka transaction that is decided at once; its markers are under way."""
        self.begin(count)
        self.decide(True)

    def between(self, kind: str, box: int, item: int) -> None:
        """A record that is complete by itself, wherever the log stands: a snapshot row or a tombstone."""
        self.decide(True)
        self._serial += 1
        self._sink.begin()
        self._open, self._back_to = [], self.cursor
        self._put(Row(kind, box, item, None, self._serial, self._lsn + 1_000_000 * self._serial, None), self._ts_ms)
        self.decide(True)

    def rewind(self, entries: int) -> None:
        """Its offsets are set back: so many entries of the history are shipped again."""
        self.decide(True)
        self.cursor = max(0, self.cursor - entries)

    def _put(self, row: Row, ts_ms: int) -> None:
        place = Partition(RAW, row.box % self._partitions)
        told: list[int] = []
        key = b'{"boxId": %d}' % row.box
        self._sink.send(RAW, key, row.value(ts_ms), (), place.partition, ts_ms, told.append)
        assert self._open is not None
        self._open.append((place, told[0], row))
