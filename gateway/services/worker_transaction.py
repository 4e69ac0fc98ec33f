"""The worker's open Kafka transaction: units go in, offsets and progress leave with them (protocol.md 5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from gateway.bridge.commands import Ack, Command
from gateway.model.letter import DeadLetter, ParkChange
from gateway.model.unit import Unit
from gateway.pipeline.cursor import Part, set_aside
from gateway.pipeline.drift import DriftWatch
from gateway.pipeline.spool import record_at
from gateway.pipeline.translate import Translation, translate
from gateway.ports import Membership, MustAbort
from gateway.services.worker_lookups import Holding
from gateway.services.worker_partition import OwnedPartition
from gateway.services.worker_plan import Outside, WorkerPlan
from gateway.services.worker_state import ack_key, park_key, park_value, progress_key, progress_value, state_partition
from gateway.services.worker_tally import Tally
from gateway.telemetry.signals import PartitionParked, TransactionEnded

__all__ = ["OpenTransaction"]


class OpenTransaction:
    """At most one is open at a time; between two there is nothing to undo."""

    def __init__(self, plan: WorkerPlan, outside: Outside, holding: Holding) -> None:
        self._plan = plan
        self._outside = outside
        self._holding = holding
        self._membership: Membership | None = None
        self._tally = Tally()
        self._watch = DriftWatch()
        self._bytes = 0
        self._opened_at: float | None = None
        self._torn = False
        self.letters = 0
        """Dead letters of the last unit, or part of one."""

    @property
    def is_open(self) -> bool:
        """Whether anything would be lost by an abort."""
        return self._opened_at is not None

    @property
    def torn(self) -> bool:
        """Whether a unit failed while it was written: part of it is in the transaction, which must not be committed."""
        return self._torn

    @property
    def age(self) -> float:
        """Seconds since it was opened; 0 when none is open."""
        return 0.0 if self._opened_at is None else self._outside.clock.monotonic() - self._opened_at

    @property
    def full(self) -> bool:
        """Whether it holds as much as one transaction may."""
        most = max(self._tally.records, self._tally.events)
        return most >= self._plan.max_records or self._bytes >= self._plan.max_bytes

    @property
    def due(self) -> bool:
        """Whether it should be finished now."""
        return self.is_open and (self.full or self.age >= self._plan.interval)

    def ensure(self) -> None:
        """Open one if none is open, with the group metadata of this moment: ownership as of the first record (R4).

        MustAbort: nothing is assigned.
        """
        if self.is_open:
            return
        membership = self._outside.source.membership()
        if membership is None:
            raise MustAbort("nothing is assigned: a commit would not be fenced")
        self._opened_at = self._outside.clock.monotonic()
        self._outside.sink.begin()
        self._membership = membership

    def put(self, owned: OwnedPartition, unit: Unit) -> bool:
        """Translate a unit and add all it gives; false if it gives more than fits, and falls apart into steps.

        MustAbort, InDoubt; ConfigError, LookupAwaited before that.
        """
        done = self.read(owned, Part(unit, 0))
        if len(done.events) > self._plan.max_records and len({event.key for event in done.events}) > 1:
            return False
        self._write(owned, unit, done)
        owned.settle(unit, done.counters)
        self._torn = False
        return True

    def put_part(self, owned: OwnedPartition, whole: Unit, part: Part, *, last: bool) -> None:
        """Add some steps of a large unit; ``last``: they are its last ones. Errors as ``put``."""
        done = self.read(owned, part)
        self._write(owned, part.unit, done)
        if last:
            owned.settle(whole, done.counters)
        else:
            end = record_at(whole.entries, len(whole.entries) - 1).offset
            owned.settle_steps(whole, end, part.done, done.counters)
        self._torn = False

    def read(self, owned: OwnedPartition, part: Part) -> Translation:
        """Translate a unit, or some steps of one. ConfigError, LookupAwaited."""
        unit = part.unit
        raw = owned.raw or self._plan.topics[unit.topic]
        if part.too_large:
            return set_aside(part, raw.book, owned.parked)
        lookups = self._holding.tables(raw, owned.place, unit) if raw.lookups else None
        return translate(unit, raw.book, owned.parked, lookups)

    def _write(self, owned: OwnedPartition, unit: Unit, done: Translation) -> None:
        """Add a translation; it is torn until it is settled, too."""
        raw = owned.raw or self._plan.topics[unit.topic]
        self.letters = len(done.letters)
        self.ensure()
        self._torn = True
        self._send_events(done)
        for letter in done.letters:
            self._send_letter(owned, letter)
        for change in done.parks:
            self._park(owned, change)
        self._bytes += unit.size_bytes
        seen = self._watch.look(unit, raw.book.plan.tables, self._outside.clock.monotonic())
        self._tally.add(unit, raw.mapping, done, raw.book.mapping.file, seen)

    def _send_events(self, done: Translation) -> None:
        send = self._outside.sink.send
        for event in done.events:
            send(event.topic, event.key, event.value, event.headers)
            self._bytes += len(event.value)

    def _send_letter(self, owned: OwnedPartition, letter: DeadLetter) -> None:
        def told(offset: int) -> None:
            owned.letters_from = max(owned.letters_from, offset + 1)

        self._outside.sink.send(
            letter.topic, letter.key, letter.value, letter.headers, letter.partition, letter.timestamp_ms, told
        )

    def _park(self, owned: OwnedPartition, change: ParkChange) -> None:
        entry = change.entry
        if entry.dlq_from is None:
            entry = replace(entry, dlq_from=owned.letters_from)
        owned.parked[change.aggregate_id] = entry
        self._outside.sink.send(
            self._plan.state_topic,
            park_key(owned.place, change.aggregate_id),
            park_value(entry),
            partition=state_partition(owned.place),
        )

    def acknowledge(self, owned: OwnedPartition, command: str, ack: Ack) -> None:
        """Answer a command with what it did to the partition, whose progress has it already. MustAbort, InDoubt."""
        self.ensure()
        owned.moved = True
        key, value = ack_key(owned.place, command), msgspec.json.encode(ack)
        self._outside.sink.send(self._plan.state_topic, key, value, partition=state_partition(owned.place))

    def command(self, command: Command) -> None:
        """Give a command oneself: it is in the control log once this is committed. MustAbort, InDoubt."""
        self.ensure()
        self._outside.sink.send(self._plan.control_topic, command.id.encode(), command.encoded(), partition=0)

    def finish(self, partitions: Iterable[OwnedPartition], deadline: float | None = None) -> None:
        """Commit everything within ``deadline`` seconds, then let the counters move.

        MustAbort, InDoubt; MetadataTooLong before anything is sent.
        """
        moved = [owned for owned in partitions if owned.moved]
        offsets = {owned.place: owned.commit_point() for owned in moved}
        for place, at in offsets.items():
            self._outside.sink.send(
                self._plan.state_topic, progress_key(place), progress_value(at), partition=state_partition(place)
            )
        self._outside.sink.commit(offsets, self._membership, deadline)
        self._committed(moved)

    def _committed(self, moved: Iterable[OwnedPartition]) -> None:
        emit = self._outside.telemetry.emit
        emit(TransactionEnded("committed", self.age, self._tally.records, self._tally.events))
        for signal in self._tally.signals(self._outside.clock.now()):
            emit(signal)
        for owned in moved:
            owned.moved = False
            emit(PartitionParked(*owned.place, len(owned.parked)))
        self._clear()

    def forget(self, result: str, reason: str) -> None:
        """It was aborted, or nobody knows: nothing of it counts."""
        ended = TransactionEnded("aborted" if result == "aborted" else "in_doubt", self.age, reason=reason)
        self._outside.telemetry.emit(ended)
        self._clear()

    def _clear(self) -> None:
        self._opened_at = None
        self._membership = None
        self._tally = Tally()
        self._bytes = 0
        self._torn = False
