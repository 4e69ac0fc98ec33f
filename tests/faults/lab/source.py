"""The laboratory's source: transactions over several things and their parts, and what each of them meant."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..source import RawSource

__all__ = ["LabSource", "Raw"]

Raw = tuple[str, bytes | None, bytes | None]
"""Topic, key, value."""
UNSENT = "__debezium_unavailable_value"
STRANGERS = 1_000_000
"""Numbers from here on belong to things of which nothing but unreadable records is told."""
CROWD = 2_000_000
"""And from here on to things of large transactions."""


@dataclass
class LabSource(RawSource):
    """``told``: by thing the facts of each transaction, in their order: event, part (0: none), amount.

    ``sent``: the last raw rows, for writing them again. Wishes for the next transactions, taken as they come by:
    ``state_next`` snapshot rows amid them, ``break_next`` an unreadable record amid one, ``big_next`` bytes in a row.
    """

    told: dict[int, list[tuple[int, tuple[tuple[str, int, int], ...]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    sent: list[Raw] = field(default_factory=list)
    keep: int = 4_000
    state_next: int = 0
    break_next: bool = False
    big_next: int = 0
    unsent: bool = False
    unsent_rows: int = 0
    strangers: int = 0
    crowd: int = 0

    def __post_init__(self) -> None:
        self._alone = threading.RLock()  # load runs on a thread, faults on another
        super().__post_init__()

    def _send(self, records: list[Raw]) -> None:
        with self._alone:
            super()._send(records)
        self.sent = (self.sent + [one for one in records if one[0].endswith(".raw")])[-self.keep :]

    def repeat(self, rows: int) -> int:
        """Write the last ``rows`` rows again, as a connector does whose offsets were set back; gives how many."""
        again = self.sent[-rows:]
        self.rows += len(again)
        super()._send(again)
        return len(again)

    def go_back(self) -> None:
        """The database was restored from a backup: its log begins lower, its clock goes on."""
        self.lsn -= 3_000
        self._commit = self.lsn - 40
        self.ts_ms += 60_000

    def large(self, things: int, batch: int = 2_000) -> None:
        """One transaction over so many things that nobody changes again."""
        with self._alone:
            self.tx_id += 1
            records: list[Raw] = []
            for _ in range(things):
                self.crowd += 1
                records += self._changes(CROWD + self.crowd)
            records.append(self._end(len(records)))
            for start in range(0, len(records), batch):
                self._send(records[start : start + batch])

    def halved(self) -> Callable[[], None]:
        """One transaction whose first half and END can be read, while its second half waits for its commit marker.

        What is given ends the wait. On a cluster this is a marker that reaches one partition later than another.
        """
        thing = self._random.randint(1, self.things)
        self.tx_id += 1
        records = self._changes(thing)
        while len(records) < 2:
            self._send([*records, self._end(len(records))])
            self.tx_id += 1
            records = self._changes(thing)
        end = self._end(len(records))
        late = self._open_producer()
        late.begin_transaction()
        self._send(records[:1])
        for topic, key, value in records[1:]:
            late.produce(topic, value, key)
        late.flush(30)
        self._send([end])
        return lambda: late.commit_transaction(30)

    def mutate(self, count: int) -> None:
        """Unreadable values of strangers, some of them without a key, and a few tombstones."""
        with self._alone:
            self._mutate(count)

    def _mutate(self, count: int) -> None:
        records: list[Raw] = []
        topic = f"{self.prefix}thing.raw"
        for _ in range(count):
            self.strangers += 1
            thing = STRANGERS + self.strangers
            row = {"thing_id": thing, "val": 1, "cod": "A", "upd_pgm": "X"}
            _, key, value = self._record("thing", thing, None, row)
            assert value is not None
            kind = self._random.random()
            if kind < 0.05:
                records.append((topic, key, None))
                continue
            keyless = kind < 0.15
            records.append((topic, None if keyless else key, self._damaged(value)))
            self.letters[0 if keyless else thing] += 1
        self._send(records)

    def _damaged(self, value: bytes) -> bytes:
        """One that no JSON reader takes."""
        while True:
            at = self._random.randrange(len(value))
            kind = self._random.randrange(5)
            if kind == 0:
                damaged = value[:at]
            elif kind == 1:
                damaged = value[:at] + bytes([self._random.randrange(128, 256)]) + value[at:]
            elif kind == 2:
                damaged = b"\0\0\0\0\7" + value
            elif kind == 3:
                damaged = self._random.randbytes(self._random.randint(1, 200))
            else:
                damaged = value[:at] + value[at + self._random.randint(1, 30) :]
            try:
                json.loads(damaged.decode())
            except ValueError:
                return damaged

    # -- one transaction ----------------------------------------------------------------------------------------------

    def transaction(self) -> list[Raw]:
        """One database transaction over up to four things: raw records, then its END."""
        with self._alone:
            return self._transaction()

    def _transaction(self) -> list[Raw]:
        self.tx_id += self._random.randint(1, 3)
        self.ts_ms += self._random.randint(1, 20)
        chosen = self._random.sample(range(1, self.things + 1), self._random.choice([1, 1, 1, 2, 4]))
        if self.break_next:
            chosen = self._random.sample(range(1, self.things + 1), 3)
        records = [record for thing in chosen for record in self._changes(thing)]
        if self.break_next:
            self.break_next = False
            self._break(records, chosen)
        if self.state_next:
            self.state_next -= 1
            self._state(records, chosen)
        return [*records, self._end(len(records))]

    def _end(self, count: int) -> Raw:
        self.lsn += 40
        end = {"status": "END", "id": f"{self.tx_id}:{self.lsn}", "ts_ms": self.ts_ms, "event_count": count}
        self._commit = self.lsn
        key = json.dumps({"id": f"{self.tx_id}:{self.lsn}"}).encode()
        return f"{self.prefix}legacy.transaction", key, json.dumps(end).encode()

    def _break(self, records: list[Raw], chosen: list[int]) -> None:
        """An unreadable record of the first thing amid its rows, or of a stranger: what it belongs to is held back."""
        thing = chosen[0]
        if self._random.random() < 0.5 or thing in self._poisoned:
            self.strangers += 1
            thing = STRANGERS + self.strangers
        else:
            rows = sum(1 for _, key, _ in records if key == json.dumps({"thingId": thing}).encode())
            if self.told[thing] and self.told[thing][-1][0] == self.tx_id:
                self.told[thing].pop()
            self.letters[thing] += rows
            self._poisoned.add(thing)
        self.rows += 1
        self.letters[thing] += 1
        records.insert(1, (f"{self.prefix}thing.raw", json.dumps({"thingId": thing}).encode(), b'{"before": nul'))

    def _state(self, records: list[Raw], chosen: list[int]) -> None:
        """A snapshot's row of a thing that this transaction leaves alone: an incremental snapshot reads amid it."""
        known = [thing for thing in self._amounts if thing not in chosen and thing not in self._poisoned]
        if not known:
            return
        thing = self._random.choice(known)
        row = {"thing_id": thing, "val": self._amounts[thing], "cod": "A", "upd_pgm": "SEED"}
        self.told[thing].append((0, (("ThingStated", 0, self._amounts[thing]),)))
        records.insert(self._random.randint(0, len(records)), self._record("thing", thing, None, row, snapshot="true"))

    def _changes(self, thing: int) -> list[Raw]:
        before = self._amounts.get(thing)
        after = (before or 0) + self._random.randint(1, 5)
        code = "Z" if thing in self.poison and before is not None and thing not in self._poisoned else "A"
        if code == "Z":
            self._poisoned.add(thing)
        row = {"thing_id": thing, "val": after, "cod": code, "upd_pgm": "TEST"}
        old = None if before is None else {**row, "val": before, "cod": "A"}
        records = [self._record("thing", thing, old, row)]
        if before is not None and code == "A" and self._random.random() < 0.2:  # changed twice: net, one event
            after += 1
            records.append(self._record("thing", thing, row, {**row, "val": after}))
        self._amounts[thing] = after
        facts = [("ThingCreated" if before is None else "ThingChanged", 0, after)]
        added, counted = self._with_parts(thing, records)
        if thing in self._poisoned:
            self.letters[thing] += len(records)
        else:
            self.told[thing].append((self.tx_id, (*facts, *added, *counted)))
        return records

    def _with_parts(
        self, thing: int, records: list[Raw]
    ) -> tuple[list[tuple[str, int, int]], list[tuple[str, int, int]]]:
        """Up to three parts of the thing, each new, counted anew, or only noted."""
        added, counted = [], []
        for number in self._random.sample(range(1, 6), self._random.choice([0, 0, 1, 2, 3])):
            part = thing * 10 + number
            had = self._parts.get(part)
            self._parts[part] = count = (had or 0) + self._random.choice([0, 1, 2])
            if had is None:
                records.append(self._record("part", thing, None, self._part_of(thing, part, count)))
                added.append(("PartAdded", part, count))
            else:
                old, new = self._part_of(thing, part, had), self._part_of(thing, part, count)
                if self.unsent:
                    new["note"] = UNSENT
                    self.unsent_rows += 1
                records.append(self._record("part", thing, old, new))
                if count != had:
                    counted.append(("PartCounted", part, count))
        return added, counted

    def _part_of(self, thing: int, part: int, count: int) -> dict[str, Any]:
        size, self.big_next = self.big_next or 80, 0
        return {"part_id": part, "thing_id": thing, "qty": count, "note": f"{self.lsn} " + "x" * size}
