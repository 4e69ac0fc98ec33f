"""A reference translation: what the raw topic says, read again by other means than the gateway's.

Single-threaded, one pass over each partition, nothing imported of the gateway. What a thing is and what its rows mean
is written down here a second time: a new row of ``thing`` is a ThingCreated, another ``val`` a ThingChanged, a
snapshot's row a ThingStated; a new row of ``part`` a PartAdded, another ``qty`` a PartCounted. A code other than A or D
cannot be told: its transaction's rows of that thing, and all later ones, are letters. A row was told before if this
very row (transaction, log position, table, key) was met before; no position is compared with another.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["Expected", "Fact", "Stored", "translate"]

Fact = tuple[str, int, int]
"""Event name, part (0: none), amount."""
Place = tuple[int, int]
"""Raw partition and offset."""


class Stored(Protocol):
    """A raw record as it was read back."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


@dataclass
class Expected:
    """What must come out. ``sets``: by thing, in order, its transactions (id, facts); ``letters``: raw places."""

    sets: dict[int, list[tuple[int, tuple[Fact, ...]]]] = field(default_factory=lambda: defaultdict(list))
    letters: list[Place] = field(default_factory=list)
    records: int = 0
    duplicates: int = 0
    parked: set[int] = field(default_factory=set)


@dataclass
class _Set:
    """The rows of one transaction in one partition that are about one thing."""

    places: list[Place] = field(default_factory=list)
    first: dict[tuple[str, int], dict[str, Any] | None] = field(default_factory=dict)
    last: dict[tuple[str, int], dict[str, Any] | None] = field(default_factory=dict)
    broken: bool = False

    def row(self, place: Place, value: dict[str, Any]) -> None:
        table, after = value["source"]["table"], value["after"]
        key = (table, (after or value["before"])[f"{table}_id"])
        self.places.append(place)
        self.first.setdefault(key, value["before"])
        self.last[key] = after
        self.broken |= table == "thing" and (after or {}).get("cod", "A") not in ("A", "D")

    def facts(self) -> tuple[Fact, ...]:
        found: dict[str, list[Fact]] = {"ThingCreated": [], "ThingChanged": [], "PartAdded": [], "PartCounted": []}
        for (table, number), before in self.first.items():
            after = self.last[table, number]
            assert after is not None, "this source deletes nothing"
            if table == "thing":
                column, new, changed = "val", "ThingCreated", "ThingChanged"
            else:
                column, new, changed = "qty", "PartAdded", "PartCounted"
            if before is None or before[column] != after[column]:
                name = new if before is None else changed
                found[name].append((name, 0 if table == "thing" else number, after[column]))
        return tuple(fact for facts in found.values() for fact in facts)


class _Partition:
    """One partition, read from its first record to its last. ``open``: the transaction whose rows are being met."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self._met: set[Any] = set()
        self._transaction: int | None = None
        self._open: dict[int, _Set] = {}
        self._loose: list[tuple[int, Place]] = []
        self._said: list[tuple[int, Place, dict[str, Any]]] = []

    def read(self, record: Stored) -> None:
        place, thing = (record.partition, record.offset), _thing(record.key)
        if record.value is None:
            return  # a tombstone says nothing
        try:
            value = json.loads(record.value)
            row = _identity(value)
        except (ValueError, LookupError, TypeError):
            self._unreadable(place, thing)
            return
        if thing is None:
            self._expected.letters.append(place)
        elif value["source"].get("snapshot") not in (None, False, "false"):
            self._said.append((thing, place, value))
            if not self._open:
                self._state()
        elif row in self._met:
            self._expected.duplicates += 1
        else:
            self._met.add(row)
            if row[0] != self._transaction:
                self.settle()
                self._transaction = row[0]
            self._state()  # what is said amid a transaction is older than what the transaction did
            self._open.setdefault(thing, _Set()).row(place, value)

    def _unreadable(self, place: Place, thing: int | None) -> None:
        """It may be a row of the transaction it stands in; of no thing, it can hold nobody back."""
        if thing is None:
            self._expected.letters.append(place)
        else:
            self._loose.append((thing, place))

    def _state(self) -> None:
        """Rows of a snapshot: each a statement, unless its thing is held back. Those of parts say nothing."""
        for thing, place, value in self._said:
            if value["source"]["table"] != "thing":
                continue
            if thing in self._expected.parked:
                self._expected.letters.append(place)
            else:
                self._expected.sets[thing].append((0, (("ThingStated", 0, value["after"]["val"]),)))
        self._said = []

    def settle(self) -> None:
        """The transaction is over: each thing's rows are one set, and go out whole or become letters whole."""
        for thing, place in self._loose:
            rows = self._open.setdefault(thing, _Set())
            rows.places.append(place)
            rows.broken = True
        for thing, rows in self._open.items():
            if rows.broken or thing in self._expected.parked:
                self._expected.parked.add(thing)
                self._expected.letters += rows.places
            elif facts := rows.facts():
                self._expected.sets[thing].append((self._transaction or 0, facts))
        self._open, self._loose = {}, []
        self._state()


def _identity(value: dict[str, Any]) -> tuple[Any, ...]:
    source, row = value["source"], value["after"] or value["before"]
    return source["txId"], source["lsn"], source["ts_ms"], source["table"], row[f"{source['table']}_id"]


def _thing(key: bytes | None) -> int | None:
    try:
        return int(json.loads(key or b"")["thingId"])
    except (ValueError, LookupError, TypeError):
        return None


def translate(records: Iterable[Stored]) -> Expected:
    """What the raw records (all partitions, each in offset order) must become."""
    expected = Expected()
    partitions: dict[int, _Partition] = {}
    for record in records:
        partitions.setdefault(record.partition, _Partition(expected)).read(record)
        expected.records += 1
    for one in partitions.values():
        one.settle()
    return expected
