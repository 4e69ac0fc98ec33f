"""A simulated source and a simulated worker: what hypothesis shakes."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field

from gateway.authoring.forge import Forge, Position
from gateway.model.event import EncodedEvent, Outcome
from gateway.model.letter import DeadLetter, ParkEntry
from gateway.model.record import RawRecord
from gateway.pipeline.assemble import Tail, TailRules, Ticket
from gateway.pipeline.decode import Decoder
from gateway.pipeline.evidence import Evidence
from gateway.pipeline.progress import Progress, format_progress, parse_progress
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.translate import translate
from tests.property.small_mapping import schema_ids, small_mapping

TOPIC = "legacy.customer.raw"
FORGE = Forge(TOPIC)
MAPPING = small_mapping()
BOOK = Rulebook.of(MAPPING, schema_ids(MAPPING))


@dataclass
class Change:
    """One row's change, before it has a place in a partition."""

    aggregate: int
    table: str
    op: str
    before: dict | None
    after: dict | None
    position: Position


@dataclass
class Transaction:
    tx_id: int
    commit: int
    end: int
    changes: list[Change]


@dataclass
class Step:
    """One step of the source's output: a record at its place, or an END."""

    record: RawRecord | None = None
    end: tuple[int, int, int] | None = None


@dataclass
class World:
    """Everything that the source wrote, in its order."""

    steps: list[Step] = field(default_factory=list)

    @property
    def records(self) -> list[RawRecord]:
        return [step.record for step in self.steps if step.record is not None]


def address(number: int, customer: int, street: str, latitude: str) -> dict:
    return {"addr_id": number, "cust_id": customer, "str": street, "city": "Bern", "lat": latitude, "upd_pgm": "X"}


class Source:
    """Writes transactions, rewinds, copies whole pages at one LSN, puts other records between."""

    def __init__(self, rng: random.Random, partitions: int, aggregates: int, *, null_start: bool) -> None:
        self.rng = rng
        self.partitions = partitions
        self.aggregates = aggregates
        self.rows: dict[int, dict] = {}
        self.clock = 1_000
        self.lsn = 1_000
        self.next_row = 1
        self.null_start = null_start
        self.offsets: dict[int, int] = defaultdict(int)
        self.world = World()
        self.transactions: list[Transaction] = []

    def transaction(self) -> Transaction:
        rng = self.rng
        commit, first = self.lsn, self.lsn - rng.randrange(40) if self.transactions else self.lsn + 1
        changes: list[Change] = []
        lsn = max(first, 1)
        same_page = rng.random() < 0.2
        tx_id = rng.randrange(1, 1 << 31)
        self.clock += rng.randrange(3)
        for order in range(1, rng.randrange(2, 8)):
            if not same_page:
                lsn += rng.randrange(1, 5)
            null = self.null_start and not self.transactions
            position = Position(tx_id, None if null else commit, lsn, self.clock, order)
            changes.append(self._change(position, inserts_only=same_page))
        self.lsn = max(self.lsn, lsn) + rng.randrange(1, 9)
        done = Transaction(tx_id, commit, self.lsn, changes)
        self.transactions.append(done)
        return done

    def _change(self, position: Position, *, inserts_only: bool) -> Change:
        rng = self.rng
        if not inserts_only and rng.random() < 0.1:
            customer = rng.randrange(self.aggregates)
            before = {"cust_id": customer, "nm": "N", "sts": "A", "upd_pgm": "X"}
            after = {**before, "sts": rng.choice(["M", "A ", "A", "Z"])}
            return Change(customer, "crm.cust", "u", before, after, position)
        if inserts_only or not self.rows or rng.random() < 0.3:
            number, self.next_row = self.next_row, self.next_row + 1
            row = address(number, rng.randrange(self.aggregates), f"S{rng.randrange(5)}", "1")
            self.rows[number] = row
            return Change(row["cust_id"], "crm.cust_addr", "c", None, row, position)
        number = rng.choice(sorted(self.rows))
        before = self.rows[number]
        if rng.random() < 0.15:
            del self.rows[number]
            return Change(before["cust_id"], "crm.cust_addr", "d", before, None, position)
        column, value = rng.choice([("str", f"S{rng.randrange(5)}"), ("lat", str(rng.randrange(3))), ("city", "Thun")])
        after = {**before, column: value}
        if rng.random() < 0.05:
            after["lat"] = None
        self.rows[number] = after
        return Change(before["cust_id"], "crm.cust_addr", "u", before, after, position)

    def _place(self, partition: int) -> tuple[int, int]:
        offset = self.offsets[partition]
        self.offsets[partition] += self.rng.choice([1, 1, 1, 2])
        return partition, offset

    def write(self, transaction: Transaction, upto: int | None = None, since: int = 0, again: bool = False) -> None:
        touched: set[int] = set()
        for change in transaction.changes[since:upto]:
            self._between()
            if not again and change.aggregate % self.partitions in touched:
                self._break(change.aggregate % self.partitions)
            touched.add(change.aggregate % self.partitions)
            place = self._place(change.aggregate % self.partitions)
            key = {"customerId": change.aggregate}
            record = FORGE.change(place, key, change.table, change.op, change.before, change.after, change.position)
            self.world.steps.append(Step(record=record))
        if upto is None:
            self.world.steps.append(
                Step(end=(transaction.tx_id, transaction.end, transaction.changes[0].position.ts_ms))
            )

    def _break(self, partition: int) -> None:
        """Sometimes a record that cannot be decoded, but whose key can, surely amid the transaction's rows."""
        if self.rng.random() < 0.05:
            aggregate = partition + self.partitions * self.rng.randrange(3)
            key = b'{"customerId":%d}' % aggregate
            self.world.steps.append(Step(record=RawRecord(TOPIC, *self._place(partition), self.clock, key, b"no json")))

    def _between(self) -> None:
        """Records that stand between the rows of a transaction and are complete by themselves."""
        rng = self.rng
        if rng.random() > 0.08:
            return
        aggregate = rng.randrange(self.aggregates)
        place = self._place(aggregate % self.partitions)
        key = {"customerId": aggregate}
        kind = rng.randrange(4)
        if kind == 0:
            record = FORGE.record(place, key, None, self.clock)
        elif kind == 1:
            record = RawRecord(TOPIC, *place, self.clock, None, b"\xff{")
        elif kind == 2:
            row = address(10_000 + place[1], aggregate, "Snap", "1")
            position = Position(rng.randrange(1 << 20), None, self.lsn, self.clock + 50)
            record = FORGE.change(place, key, "crm.cust_addr", "r", None, row, position)
        else:
            record = FORGE.change(
                place, None, "crm.cust_addr", "t", None, None, Position(5, self.lsn, self.lsn, self.clock)
            )
        self.world.steps.append(Step(record=record))

    def run(self, transactions: int) -> World:
        rng = self.rng
        for _ in range(transactions):
            transaction = self.transaction()
            if rng.random() < 0.2:
                self.write(transaction, rng.randrange(len(transaction.changes) + 1))
                self._rewind(rng.randrange(1, 4))
            else:
                self.write(transaction)
                if rng.random() < 0.1:
                    self._rewind(rng.randrange(1, 4))
        return self.world

    def _rewind(self, back: int) -> None:
        """Some transactions again, the first of them perhaps from amid, the last one to its end."""
        again = self.transactions[-back:]
        if len(again) > 1:
            self.write(again[0], since=self.rng.randrange(len(again[0].changes)), again=True)
            again = again[1:]
        for transaction in again:
            self.write(transaction, again=True)


@dataclass
class Output:
    """What readers would see, for each partition."""

    events: dict[int, list[EncodedEvent]] = field(default_factory=lambda: defaultdict(list))
    letters: dict[int, list[DeadLetter]] = field(default_factory=lambda: defaultdict(list))
    outcomes: dict[tuple[int, int], Outcome] = field(default_factory=dict)
    parked: dict[int, dict[str, ParkEntry]] = field(default_factory=lambda: defaultdict(dict))

    def seen(self) -> tuple:
        events = {p: [(e.topic, e.key, e.value, e.headers) for e in all_] for p, all_ in self.events.items() if all_}
        letters = {p: [(x.key, x.value, x.headers) for x in all_] for p, all_ in self.letters.items() if all_}
        return events, letters, self.outcomes, {p: parked for p, parked in self.parked.items() if parked}


class SimulatedWorker:
    """Reads a growing log in random batches; commits, crashes and starts again at random moments."""

    def __init__(self, rng: random.Random, world: World, partitions: int, *, chunk: int, crashes: float) -> None:
        self.rng = rng
        self.world = world
        self.partitions = range(partitions)
        self.chunk = chunk
        self.crashes = crashes
        self.visible = 0
        self.log: dict[int, list[RawRecord]] = defaultdict(list)
        self.output = Output()
        self.committed: dict[int, tuple[int, str]] = {}
        self._start()

    def _start(self) -> None:
        """A fresh process: all it knows is committed progress, and the log."""
        self.evidence = Evidence()
        self.ends_seen = 0
        self.tails: dict[int, Tail] = {}
        self.position: dict[int, int] = {}
        self.progress: dict[int, Progress] = {}
        self.next: dict[int, int] = {}
        self.tickets: dict[int, tuple[Ticket, int]] = {}
        self.pending: list = []
        self.parked = {p: dict(entries) for p, entries in self.output.parked.items()}
        for p in self.partitions:
            offset, text = self.committed.get(p, (0, ""))
            progress = parse_progress(text) if text else Progress.fresh(len(self.partitions))
            rules = TailRules(source_name="legacy", keyed=frozenset(MAPPING.tables))
            self.tails[p] = Tail(TOPIC, p, rules, self.evidence, progress.hi, progress.ts)
            self.position[p] = self.next[p] = offset
            self.progress[p] = progress
            self.parked.setdefault(p, {})

    def _grow(self, steps: int) -> None:
        for step in self.world.steps[self.visible : self.visible + steps]:
            if step.record is not None:
                self.log[step.record.partition].append(step.record)
        self.visible = min(len(self.world.steps), self.visible + steps)

    def run(self) -> Output:
        rng = self.rng
        idle = 0
        while self.visible < len(self.world.steps) or idle < 6:
            idle = 0 if self.visible < len(self.world.steps) else idle + 1
            if rng.random() < 0.5:
                self._grow(rng.randrange(1, self.chunk))
            for p in rng.sample(list(self.partitions), len(self.partitions)):
                self._read(p, 10_000 if idle else rng.randrange(self.chunk))
            if rng.random() < 0.6 or idle:
                self._hear_ends()
            self._prove()
            if rng.random() < 0.4 or idle:
                self._commit()
            if rng.random() < self.crashes and not idle:
                self._start()
        self._commit()
        return self.output

    def _read(self, p: int, count: int) -> None:
        decoder = Decoder(MAPPING.key)
        fresh = [record for record in self.log[p] if record.offset >= self.position[p]][:count]
        for record in fresh:
            self.position[p] = record.offset + 1
            self._settle(p, self.tails[p].add(decoder(record)))

    def _hear_ends(self) -> None:
        for step in self.world.steps[self.ends_seen : self.visible]:
            if step.end is not None:
                self.evidence.end("legacy", *step.end)
        self.ends_seen = self.visible

    def _prove(self) -> None:
        """(a) evidence, (b) then the high watermark, (c) the position reaches it, now or in a later turn."""
        for p in self.partitions:
            if p in self.tickets:
                ticket, mark = self.tickets[p]
                if self.position[p] >= mark:
                    del self.tickets[p]
                    self._settle(p, self.tails[p].close(ticket))
            ticket = self.tails[p].provable()
            if ticket is not None and p not in self.tickets:
                mark = self.log[p][-1].offset + 1 if self.log[p] else 0
                self.tickets[p] = (ticket, mark)

    def _settle(self, p: int, units: list) -> None:
        for unit in units:
            translation = translate(unit, BOOK, self.parked[p])
            assert unit.first_offset >= self.next[p]
            self.parked[p].update((change.aggregate_id, change.entry) for change in translation.parks)
            self.progress[p] = self.progress[p].after(unit, translation.counters)
            self.next[p] = unit.next_offset
            self.pending.append((p, unit, translation))

    def _commit(self) -> None:
        """Output, parked aggregates and progress move together."""
        for p, unit, translation in self.pending:
            self.output.events[p].extend(translation.events)
            self.output.letters[p].extend(translation.letters)
            for entry, outcome in zip(unit.entries, translation.outcomes, strict=True):
                place = (p, entry.record.offset)
                assert place not in self.output.outcomes, f"two outcomes for {place}"
                self.output.outcomes[place] = outcome
        self.pending = []
        for p in self.partitions:
            opened = self.tails[p].open_offset
            self.next[p] = self.position[p] if opened is None else opened
            self.committed[p] = (self.next[p], format_progress(self.progress[p]))
            self.output.parked[p] = dict(self.parked[p])
