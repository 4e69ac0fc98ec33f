"""A recording made longer: copies with other aggregates and later positions, transactions kept whole.

Copy 0 is the recording itself. Every further copy holds its streamed rows once more (a snapshot happens once), keys,
transaction ids and log positions shifted, in the same partitions and the same order: each copy reads like the next
stretch of the same source's life. Rows that the recording repeats are repeated; what is no row stands once, as it is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from gateway.model.record import RawRecord
from gateway.ports import Partition

__all__ = ["Amplifier", "Shift", "Span", "key_columns"]

TRANSACTION_TOPIC = ".transaction"
KEY_HEADERS = ("__debezium.newkey", "__debezium.oldkey")
MARGIN = 16

KeyColumns = Mapping[str, frozenset[str]]
"""By physical table the legacy columns that hold the aggregate's key."""


@dataclass(frozen=True, slots=True)
class Span:
    """How far the recording reaches: log positions, transaction ids and integer keys, both ends included."""

    first_lsn: int
    last_lsn: int
    first_tx: int
    last_tx: int
    last_key: int

    def shift(self, copy: int) -> Shift:
        """By how much copy number ``copy`` (from 0) is moved: no two copies overlap in any of the three."""
        keys = 10 ** len(str(self.last_key))
        return Shift(
            copy * keys,
            copy * (self.last_lsn - self.first_lsn + 2 * MARGIN),
            copy * (self.last_tx - self.first_tx + 1),
            # Before the first transaction of a new connector there is none: in a copy the one of the copy before it.
            self.first_lsn - 1,
        )


@dataclass(frozen=True, slots=True)
class Shift:
    """What is added to keys, log positions and transaction ids; ``first_commit`` stands for an unknown commit LSN."""

    key: int
    lsn: int
    tx: int
    first_commit: int

    def envelope(self, envelope: dict[str, Any], columns: frozenset[str]) -> None:
        """Move one streamed change, in place. ``columns``: the legacy columns of its table that hold the key."""
        source = envelope["source"]
        commit = json.loads(source.get("sequence") or "[null,null]")[0]
        source["lsn"] += self.lsn
        source["txId"] += self.tx
        moved = self.lsn + (self.first_commit if commit is None else int(commit))
        source["sequence"] = json.dumps([str(moved), str(source["lsn"])], separators=(",", ":"))
        if envelope.get("transaction"):
            envelope["transaction"]["id"] = self.transaction(envelope["transaction"]["id"])
        for side in ("before", "after"):
            if envelope.get(side):
                self.columns(envelope[side], columns)

    def columns(self, row: dict[str, Any], columns: frozenset[str]) -> None:
        """Move the key columns of a row image, or of a decoded key, in place."""
        for name in columns & row.keys():
            if isinstance(row[name], int):
                row[name] += self.key

    def transaction(self, name: str) -> str:
        """Move a transaction's name, ``<txId>:<LSN>``."""
        number, _, lsn = name.partition(":")
        return f"{int(number) + self.tx}:{int(lsn) + self.lsn}" if lsn else str(int(number) + self.tx)


class Amplifier:
    """A recording (raw records, in offset order for each partition), ready to be repeated.

    ``columns`` tells which columns to move with the key; markers of the transaction topic are moved, too, and made up
    from the rows where the recording has none.
    """

    def __init__(self, records: Sequence[RawRecord], columns: KeyColumns) -> None:
        self._columns = columns
        self._rows: dict[Partition, list[RawRecord]] = defaultdict(list)
        self._markers: list[RawRecord] = []
        for record in records:
            if record.topic.endswith(TRANSACTION_TOPIC):
                self._markers.append(record)
            else:
                self._rows[Partition(record.topic, record.partition)].append(record)
        self._parsed = {place: [_parse(one) for one in rows] for place, rows in self._rows.items()}
        rows = [one for parsed in self._parsed.values() for one in parsed if one is not None]
        self.span = _span(rows, [int(json.loads(one.value)["id"].split(":")[1]) for one in self._markers if one.value])

    @property
    def source_name(self) -> str:
        """Debezium's ``topic.prefix``, as the rows carry it."""
        return next(one.source for parsed in self._parsed.values() for one in parsed if one is not None)

    @property
    def transaction_topic(self) -> str:
        """Where the markers stand."""
        return self.source_name + TRANSACTION_TOPIC

    @property
    def partitions(self) -> tuple[Partition, ...]:
        """The raw partitions that hold records, in order."""
        return tuple(sorted(self._rows))

    def copies(self, wanted: int) -> int:
        """How many copies give at least ``wanted`` records (1: the recording alone)."""
        first, each = self.count(1), self.count(2) - self.count(1)
        return 1 if each == 0 else max(1, 1 + -(-(wanted - first) // each))

    def count(self, copies: int) -> int:
        """How many raw records so many copies have."""
        rows = [one for parsed in self._parsed.values() for one in parsed]
        return len(rows) + (copies - 1) * sum(map(_is_streamed, rows))

    def records(self, place: Partition, copies: int) -> Iterator[RawRecord]:
        """All records of one partition, offsets counted from 0."""
        offset = 0
        for copy in range(copies):
            shift = self.span.shift(copy)
            for record, parsed in zip(self._rows[place], self._parsed[place], strict=True):
                if copy and not _is_streamed(parsed):
                    continue
                yield replace(self._moved(record, shift) if copy else record, offset=offset)
                offset += 1

    def _moved(self, record: RawRecord, shift: Shift) -> RawRecord:
        envelope = json.loads(record.value or b"")
        table = f"{envelope['source']['schema']}.{envelope['source']['table']}"
        columns = self._columns.get(table, frozenset())
        shift.envelope(envelope, columns)
        headers = tuple(
            (name, _moved_key(value, shift) if name in KEY_HEADERS and value else value)
            for name, value in record.headers
        )
        return replace(record, key=_moved_key(record.key, shift), value=_compact(envelope), headers=headers)

    def markers(self, copies: int) -> Iterator[bytes]:
        """Values of the transaction topic: an END for each transaction at least, in commit order, copy after copy."""
        own = [json.loads(one.value) for one in self._markers if one.value] or list(self._made_up())
        for copy in range(copies):
            shift = self.span.shift(copy)
            for marker in own:
                yield _compact({**marker, "id": shift.transaction(marker["id"])})

    def marker_records(self, copies: int) -> Iterator[RawRecord]:
        """The same as records of the transaction topic, for an offline run."""
        for offset, value in enumerate(self.markers(copies)):
            yield RawRecord(self.transaction_topic, 0, offset, 0, None, value)

    def _made_up(self) -> Iterator[dict[str, Any]]:
        """ENDs from the rows: a commit LSN is the next transaction's ``c``; the last one's lies behind its rows."""
        seen: dict[int, _Transaction] = {}
        for row in (one for parsed in self._parsed.values() for one in parsed if one and not one.snapshot):
            known = seen.setdefault(row.tx, _Transaction(row.tx, row.commit or 0, row.ts_ms))
            known.rows, known.last_lsn = known.rows + 1, max(known.last_lsn, row.lsn)
        ordered = sorted(seen.values(), key=lambda one: one.commit)
        for this, following in zip(ordered, [*ordered[1:], None], strict=True):
            end = following.commit if following else max(this.last_lsn, this.commit) + MARGIN
            yield {"status": "END", "id": f"{this.tx}:{end}", "event_count": this.rows, "ts_ms": this.ts_ms}


@dataclass(frozen=True, slots=True)
class _Row:
    """What the amplifier reads of a record; ``keys`` are the integers of its key."""

    source: str
    snapshot: bool
    tx: int
    commit: int | None
    lsn: int
    ts_ms: int
    keys: tuple[int, ...]


@dataclass(slots=True)
class _Transaction:
    tx: int
    commit: int
    ts_ms: int
    rows: int = 0
    last_lsn: int = 0


def _is_streamed(row: _Row | None) -> bool:
    return row is not None and not row.snapshot


def _parse(record: RawRecord) -> _Row | None:
    """None for what is no row of a table (undecodable, a tombstone, a null key): it is not repeated."""
    try:
        envelope, key = json.loads(record.value or b""), json.loads(record.key or b"")
        source = envelope["source"]
        commit = json.loads(source.get("sequence") or "[null]")[0]
        return _Row(
            source["name"],
            envelope["op"] == "r" or source.get("snapshot") not in (None, False, "false"),
            source["txId"],
            None if commit is None else int(commit),
            source["lsn"],
            source["ts_ms"],
            tuple(one for one in key.values() if isinstance(one, int)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _span(rows: Sequence[_Row], marked: Sequence[int]) -> Span:
    streamed = [one for one in rows if not one.snapshot]
    if not streamed:
        raise SystemExit("the recording holds no streamed changes: nothing to amplify")
    positions = [*marked, *(place for one in streamed for place in (one.lsn, one.commit) if place is not None)]
    numbers = [one.tx for one in streamed]
    keys = max((key for one in rows for key in one.keys), default=0)
    return Span(min(positions), max(positions), min(numbers), max(numbers), keys)


def _moved_key(key: bytes | None, shift: Shift) -> bytes | None:
    fields = json.loads(key or b"null")
    if not isinstance(fields, dict):
        return key
    shift.columns(fields, frozenset(fields))
    return _compact(fields)


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def key_columns(mappings: Sequence[Any]) -> dict[str, frozenset[str]]:
    """The legacy columns that hold the aggregate's key, by physical table, as the compiled mappings say."""
    found: dict[str, frozenset[str]] = {}
    for mapping in mappings:
        for physical, table in mapping.tables.items():
            raw = frozenset(one.raw for one in table.columns.values() if one.name in mapping.key)
            found[physical] = found.get(physical, frozenset()) | raw
    return found
