"""What must come out, worked out from what was written and nothing else: it imports nothing of the pipeline."""

from __future__ import annotations

import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import fastavro
import xxhash

from gateway.adapters.memory import MemoryBroker
from gateway.adapters.memory_broker import MemoryTransaction
from gateway.model.record import RawRecord
from gateway.ports import Committed, Partition

from .connector import RAW, Row, Transaction

__all__ = ["EVENTS", "LETTERS", "Found", "Oracle"]

EVENTS, LETTERS = "s.box.events", f"{RAW}.dlq"
_ORIGIN = "__connect.errors."
_FOLDER = Path(__file__).parent / "mappings" / "box" / "events"
_SCHEMA = fastavro.parse_schema(json.loads((_FOLDER / "ItemPut.v1.avsc").read_text()))
Fact = tuple[str, int, int, int]
"""Name of an event, box, item, amount."""


class Found(AssertionError):  # noqa: N818 - names what happened
    """An oracle has found something. ``oracle``: its name."""

    def __init__(self, oracle: str, what: str) -> None:
        super().__init__(f"{oracle}: {what}")
        self.oracle = oracle


@dataclass(eq=False)
class _ChangeSet:
    """What one transaction did to one box. ``rows``: how many of its records are settled."""

    transaction: Transaction
    box: int
    facts: dict[Fact, Row]
    letters: bool
    rows: int = 0
    size: int = 0
    read: set[Fact] = field(default_factory=set)


@dataclass
class _Settled:
    """How far a raw partition is settled, and the counts that this makes: those of the committed metadata."""

    offset: int = 0
    entry: int = 0
    counts: Counter[str] = field(default_factory=Counter)


class Oracle:
    """Judges each transaction when it is decided, and the public topics as a read_committed reader sees them grow."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._sets: dict[int, list[_ChangeSet]] = defaultdict(list)
        self._set_of: dict[tuple[Transaction, int], _ChangeSet] = {}
        self._states: dict[int, list[Row]] = defaultdict(list)
        self._whose: dict[Fact, _ChangeSet | None] = {}
        self._broken: set[int] = set()
        self._ledger: dict[Partition, list[tuple[int, Row, bool]]] = defaultdict(list)
        self._settled: dict[Partition, _Settled] = defaultdict(_Settled)
        self._decided = 0
        self._published: set[Fact] = set()
        self._read_to: Counter[Partition] = Counter()
        self._next: Counter[int] = Counter()
        self._next_state: Counter[int] = Counter()
        self._sequence: dict[int, str] = {}
        self._ids: set[str] = set()

    # -- what was written ---------------------------------------------------------------------------------------------

    def wrote(self, transaction: Transaction) -> None:
        """A database transaction: one change set for each box it touches."""
        for box in dict.fromkeys(row.box for row in transaction.rows):
            rows = [row for row in transaction.rows if row.box == box]
            last = {row.item: row for row in rows}
            if any(row.kind == "broken" or (row.kind == "poison" and last[row.item] is row) for row in rows):
                self._broken.add(box)
            one = _ChangeSet(transaction, box, _net(rows), box in self._broken, size=len(rows))
            self._set_of[transaction, box] = one
            if not one.letters:
                self._sets[box].append(one)
                for row in rows:
                    self._whose |= dict.fromkeys((_fact(row, first) for first in (True, False)), one)

    def shipped(self, place: Partition, offset: int, row: Row) -> None:
        """The row stands in a raw partition, in a Kafka transaction that is committed."""
        first = not row.shipped
        if row.kind == "snapshot":
            self._states[row.box].append(row)
            self._whose[_fact(row, True)] = None
        row.shipped = True
        self._ledger[place].append((offset, row, first))

    @property
    def all_settled(self) -> bool:
        """Whether every record in the raw log is below a committed offset."""
        return all(self._settled[place].entry == len(entries) for place, entries in self._ledger.items())

    # -- what was decided ---------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Judge all that is new. Found names the oracle that has found something."""
        while self._decided < len(self._broker.decided):
            one = self._broker.decided[self._decided]
            self._decided += 1
            if one.state == "committed" and one.owner != "connect":
                self._judge(one)
        for place in self._broker.logs:
            if place.topic == EVENTS:
                self._read(place)

    def _judge(self, one: MemoryTransaction) -> None:
        """R1: what a transaction adds is what the records below its offsets ask for, no more and no less."""
        facts = Counter(fact for record in one.records if record.topic == EVENTS for fact in [_told(record)[0]])
        again = [fact for fact in facts if facts[fact] > 1 or fact in self._published]
        if again:
            raise Found("extra", f"published again: {again}")
        for fact in facts:
            whose = self._whose.get(fact, self)
            if whose is self:
                raise Found("extra", f"nobody wrote {fact}")
            if isinstance(whose, _ChangeSet) and fact not in whose.facts:
                raise Found("torn", f"{fact} is a state amid {whose.transaction.number}: it was read in part only")
        self._published |= facts.keys()
        asked: Counter[Fact] = Counter()
        letters: dict[tuple[int, int], Row] = {}
        for (_, place), at in one.offsets.items():
            for offset, row, fact in self._settle(place, at):
                if fact is None:
                    letters[place.partition, offset] = row
                else:
                    asked[fact] += 1
        if facts != asked:
            raise Found("missing" if asked - facts else "extra", f"lacking {asked - facts}, beside it {facts - asked}")
        self._letters([record for record in one.records if record.topic == LETTERS], letters)

    def _settle(self, place: Partition, at: Committed) -> Iterator[tuple[int, Row, Fact | None]]:
        """Facts (None: a letter) that are asked for by the records between the last offset and this one."""
        settled, entries = self._settled[place], self._ledger[place]
        if at.offset < settled.offset:
            raise Found("prefix", f"the offset of {place} went back from {settled.offset} to {at.offset}")
        touched: dict[_ChangeSet, None] = {}
        while settled.entry < len(entries) and entries[settled.entry][0] < at.offset:
            offset, row, first = entries[settled.entry]
            fresh = first or row.kind == "broken"  # such a one cannot be told from the one before
            settled.entry += 1
            settled.counts["consumed"] += 1
            one = self._set_of[row.transaction, row.box] if row.transaction is not None else None
            if one is not None and fresh:
                one.rows += first
                touched[one] = None
            if (one is not None and one.letters and fresh) or row.kind == "broken":
                settled.counts["letters"] += 1
                yield offset, row, None
            elif row.kind == "snapshot":
                settled.counts += Counter(published=1, events=1)
                yield offset, row, _fact(row, True)
            else:
                settled.counts["published" if one is not None and fresh else "ignored"] += 1
        for one in touched:
            if one.rows != one.size:
                raise Found("torn", f"{one.rows} of {one.size} rows of {one.transaction.number} are settled in {place}")
            if not one.letters:
                settled.counts["events"] += len(one.facts)
                yield from ((0, row, fact) for fact, row in one.facts.items())
        settled.offset = at.offset
        self._count(place, settled, at)

    def _count(self, place: Partition, settled: _Settled, at: Committed) -> None:
        consumed, published, ignored, dead, parked, events = json.loads(at.metadata[1:])["s"][:6]
        told = Counter(consumed=consumed, published=published, ignored=ignored, letters=dead + parked, events=events)
        wanted = Counter({name: settled.counts[name] for name in told})
        if told != wanted:
            raise Found("counts", f"{place} counts {dict(told)}, not {dict(wanted)}")

    def _letters(self, records: list[RawRecord], wanted: dict[tuple[int, int], Row]) -> None:
        found: Counter[tuple[int, int]] = Counter()
        for record in records:
            headers = dict(record.headers)
            origin = int(headers[f"{_ORIGIN}partition"] or b""), int(headers[f"{_ORIGIN}offset"] or b"")
            found[origin] += 1
            raw = self._broker.logs[Partition(RAW, origin[0])][origin[1]].record
            if raw is None or (raw.key, raw.value, raw.partition) != (record.key, record.value, record.partition):
                raise Found("letters", f"the letter of {origin} has other bytes than its record")
        if found != Counter(wanted.keys()):
            raise Found("letters", f"of {sorted(found)}, not of {sorted(wanted)}")

    # -- what a reader sees -------------------------------------------------------------------------------------------

    def _read(self, place: Partition) -> None:
        records, self._read_to[place] = self._broker.readable(place, self._read_to[place], 1_000_000)
        begun: set[_ChangeSet] = set()
        for record in records:
            fact, identity, sequence = _told(record)
            one = self._whose.get(fact)
            if one is None:
                self._state(fact, identity)
            else:
                self._in_order(one, fact)
                begun.add(one)
                self._named(one, fact, identity, sequence)
            least = self._sequence.get(fact[1], "")
            if sequence < least or (sequence == least and one is not None):  # two states may include the same
                raise Found("sequence", f"{sequence} of {fact} is not above {self._sequence[fact[1]]}")
            self._sequence[fact[1]] = sequence
            if identity in self._ids:
                raise Found("identity", f"{identity} of {fact} is there twice")
            self._ids.add(identity)
        for one in begun:
            if one.read != one.facts.keys():
                raise Found("torn", f"a reader sees {one.read} of {list(one.facts)}")

    def _in_order(self, one: _ChangeSet, fact: Fact) -> None:
        if fact in one.read:
            raise Found("extra", f"a reader sees {fact} twice")
        one.read.add(fact)
        if self._sets[one.box][self._next[one.box]] is not one:
            raise Found("reordered", f"{fact} before those of {self._sets[one.box][self._next[one.box]].facts}")
        if len(one.read) == len(one.facts):
            self._next[one.box] += 1

    def _state(self, fact: Fact, identity: str) -> None:
        row = self._states[fact[1]][self._next_state[fact[1]]]
        if fact != _fact(row, True):
            raise Found("reordered", f"{fact} before the state of {row}")
        self._next_state[fact[1]] += 1
        if identity != _identity("", row, "ItemStated"):
            raise Found("identity", f"{identity} is not the id of {fact}")

    def _named(self, one: _ChangeSet, fact: Fact, identity: str, sequence: str) -> None:
        first = one.facts[fact]
        if identity != _identity(str(one.transaction.number), first, fact[0]):
            raise Found("identity", f"{identity} is not the id of {fact}")
        commit = one.transaction.end - 1 if one.transaction.blind else one.transaction.commit
        if sequence[:35] != f"0000.0001.{commit:016x}.00000000":
            raise Found("sequence", f"{sequence} of {fact} is not that of commit {commit:x}")

    def at_the_end(self) -> None:
        """Everything that was shipped is there."""
        self.look()
        for box, sets in self._sets.items():
            if self._next[box] != len(sets):
                raise Found("missing", f"{len(sets) - self._next[box]} change sets of box {box}")
        for box, rows in self._states.items():
            if self._next_state[box] != len(rows):
                raise Found("missing", f"{len(rows) - self._next_state[box]} states of box {box}")


def _net(rows: list[Row]) -> dict[Fact, Row]:
    """Each item's last amount, and the row that changed it first."""
    first: dict[int, Row] = {}
    last: dict[int, Row] = {}
    for row in rows:
        first.setdefault(row.item, row)
        last[row.item] = row
    return {_fact(last[item], row.before is None): row for item, row in first.items()}


def _fact(row: Row, new: bool) -> Fact:
    name = "ItemStated" if row.kind == "snapshot" else "ItemPut" if new else "ItemChanged"
    return name, row.box, row.box * 10 + row.item, row.amount


def _told(record: RawRecord) -> tuple[Fact, str, str]:
    headers = {name: (value or b"").decode() for name, value in record.headers}
    read = fastavro.schemaless_reader(io.BytesIO((record.value or b"")[5:]), _SCHEMA, None)
    assert isinstance(read, dict)
    name = headers["ce_type"].rpartition(".")[2]
    return (name, read["boxId"], read["itemId"], read["amount"]), headers["ce_id"], headers["ce_sequence"]


def _identity(transaction: str, row: Row, name: str) -> str:
    """UUIDv8 of the length-prefixed parts that stand in the database's log (protocol.md 7)."""

    def part(text: str) -> bytes:
        return len(text.encode()).to_bytes(4, "big") + text.encode()

    key = part(str(row.box * 10 + row.item))
    anchor = part(transaction) + part(str(row.lsn)) + part("shop.item") + len(key).to_bytes(4, "big") + key
    who = b"".join(map(part, ("Box", str(row.box), name, "1", "")))
    digest = xxhash.xxh3_128_hexdigest(b"".join(map(part, ("1", "s.legacy", "1"))) + anchor + who)
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:]}"
