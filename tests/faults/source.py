"""A stand-in for the connector: writes raw records as Debezium and Connect do, and knows what they mean.

It shares nothing with the gateway: what it expects, it expects because it made it up.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass, field

from confluent_kafka import Producer

__all__ = ["Fact", "RawSource"]

Fact = tuple[str, int]
"""Event name and amount."""


@dataclass
class RawSource:
    """One database with things and their parts, and its connector."""

    bootstrap: str
    prefix: str
    seed: int
    things: int = 300
    poison: frozenset[int] = frozenset()
    facts: dict[int, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    letters: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    rows: int = 0
    lsn: int = 1_000_000
    tx_id: int = 700
    ts_ms: int = 1_790_000_000_000

    def reconnect(self) -> None:
        """A new producer, as a restarted connector has; the database is the same."""
        self._producer = self._open_producer()

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._amounts: dict[int, int] = {}
        self._parts: dict[int, int] = {}
        self._commit: int | None = 900_000
        self._poisoned: set[int] = set()
        self._producer = self._open_producer()

    def _open_producer(self) -> Producer:
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "transactional.id": f"{self.prefix}connect-{self._random.getrandbits(32)}",
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "message.max.bytes": 32 * 1024 * 1024,
                "compression.type": "lz4",
                "log_level": 0,
            }
        )
        producer.init_transactions(30)
        return producer

    def write(self, rows: int, batch: int = 400) -> None:
        """At least so many more rows, cut into Kafka transactions of about ``batch`` rows, wherever that falls."""
        until = self.rows + rows
        pending: list[tuple[str, bytes | None, bytes | None]] = []
        while self.rows < until:
            pending += self.transaction()
            while len(pending) >= batch:
                self._send(pending[:batch])
                pending = pending[batch:]
        self._send(pending)

    def snapshot(self, batch: int = 400) -> None:
        """One snapshot row for each thing that exists, and for its part: what a connector's first start writes."""
        records = []
        for thing in range(1, self.things + 1):
            self._amounts[thing] = self._random.randint(1, 50)
            row = {"thing_id": thing, "val": self._amounts[thing], "cod": "A", "upd_pgm": "SEED"}
            records.append(self._record("thing", thing, None, row, snapshot="true"))
            records.append(self._record("part", thing, None, self._part_row(thing, 0), snapshot="true"))
            self.facts[thing].append(("ThingStated", self._amounts[thing]))
        for start in range(0, len(records), batch):
            self._send(records[start : start + batch])

    def restore(self, outage_ms: int = 60_000) -> int:
        """The database comes back from a backup: positions and transaction ids begin lower, time does not.

        Its new connector does not know what stands before its first transaction. Gives a time (ms) amid the outage.
        """
        self.lsn, self._commit, self.tx_id = 500_000, None, 700
        amid = self.ts_ms + outage_ms // 2
        self.ts_ms += outage_ms
        return amid

    def emit_again(self, records: list[tuple[str, bytes | None, bytes | None]]) -> None:
        """Write raw records once more, as a connector does whose offsets were set back."""
        self.rows += sum(1 for topic, _, _ in records if topic.endswith(".raw"))
        self._send(records)

    def _send(self, records: list[tuple[str, bytes | None, bytes | None]]) -> None:
        self._producer.begin_transaction()
        for topic, key, value in records:
            while True:
                try:
                    self._producer.produce(topic, value, key)
                    break
                except BufferError:
                    self._producer.poll(0.05)
        self._producer.commit_transaction(30)

    def transaction(self) -> list[tuple[str, bytes | None, bytes | None]]:
        """One database transaction over up to four things: raw records, then its END."""
        self.tx_id += self._random.randint(1, 3)
        self.ts_ms += self._random.randint(1, 20)
        chosen = self._random.sample(range(1, self.things + 1), self._random.choice([1, 1, 1, 2, 4]))
        records = [record for thing in chosen for record in self._changes(thing)]
        self.lsn += 40
        end = {"status": "END", "id": f"{self.tx_id}:{self.lsn}", "ts_ms": self.ts_ms, "event_count": len(records)}
        self._commit = self.lsn
        key = json.dumps({"id": f"{self.tx_id}:{self.lsn}"}).encode()
        return [*records, (f"{self.prefix}legacy.transaction", key, json.dumps(end).encode())]

    def _changes(self, thing: int) -> list[tuple[str, bytes | None, bytes | None]]:
        before = self._amounts.get(thing)
        after = (before or 0) + self._random.randint(1, 5)
        self._amounts[thing] = after
        code = "Z" if thing in self.poison and before is not None and thing not in self._poisoned else "A"
        if code == "Z":
            self._poisoned.add(thing)
        row = {"thing_id": thing, "val": after, "cod": code, "upd_pgm": "TEST"}
        old = None if before is None else {**row, "val": before, "cod": "A"}
        records = [self._record("thing", thing, old, row)]
        if before is not None and code == "A" and self._random.random() < 0.2:  # changed twice: net, one event
            again = {**row, "val": after + 1}
            self._amounts[thing] = after + 1
            records.append(self._record("thing", thing, row, again))
        if self._random.random() < 0.3:
            records.append(self._part(thing))
        if thing in self._poisoned:
            self.letters[thing] += len(records)
        else:
            self.facts[thing].append(("ThingCreated" if before is None else "ThingChanged", self._amounts[thing]))
        return records

    def _part(self, thing: int) -> tuple[str, bytes | None, bytes | None]:
        number = self._parts.get(thing, 0)
        self._parts[thing] = number + 1
        return self._record("part", thing, self._part_row(thing, number), self._part_row(thing, number + 1))

    @staticmethod
    def _part_row(thing: int, number: int) -> dict[str, object]:
        return {"part_id": thing, "thing_id": thing, "note": f"note {number} " + "x" * 100}

    def _record(
        self,
        table: str,
        thing: int,
        before: dict[str, object] | None,
        after: dict[str, object],
        snapshot: str = "false",
    ) -> tuple[str, bytes | None, bytes | None]:
        self.lsn += 8
        self.rows += 1
        before_it = None if self._commit is None else str(self._commit)
        source = {
            "version": "3.7.0.Final", "connector": "postgresql", "name": f"{self.prefix}legacy", "ts_ms": self.ts_ms,
            "snapshot": snapshot, "db": "legacy", "sequence": json.dumps([before_it, str(self.lsn)]),
            "schema": "shop", "table": table, "txId": self.tx_id, "lsn": self.lsn, "xmin": None,
        }  # fmt: skip
        value = {
            "before": before,
            "after": after,
            "source": source,
            "transaction": None
            if snapshot == "true"
            else {"id": f"{self.tx_id}:{self.lsn}", "total_order": 1, "data_collection_order": 1},
            "op": "r" if snapshot == "true" else "c" if before is None else "u",
            "ts_ms": self.ts_ms,
        }
        return f"{self.prefix}thing.raw", json.dumps({"thingId": thing}).encode(), json.dumps(value).encode()
