"""Large transactions in the worker's loop: some steps a turn, each Kafka transaction saying how many are done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.model.errors import ConfigError, LookupAwaited
from gateway.model.unit import Unit
from gateway.pipeline.cursor import Part, Steps
from gateway.pipeline.spool import record_at
from gateway.services.worker_lookups import Holding
from gateway.services.worker_partition import OwnedPartition, Phase
from gateway.services.worker_plan import Outside, WorkerPlan
from gateway.services.worker_transaction import OpenTransaction

__all__ = ["Cursor", "Cursors"]

_LARGE = 2 * 1024 * 1024


@dataclass(slots=True)
class Cursor:
    """Where a partition stands in a large unit. ``part``: the next one; ``checking``: nothing is written yet."""

    unit: Unit
    steps: Steps
    largest: int
    parts: Iterator[Part]
    part: Part | None
    checking: bool = False

    @classmethod
    def over(cls, unit: Unit, done: int, largest: int, *, checking: bool) -> Cursor:
        """A cursor behind the first ``done`` steps of the unit."""
        steps = Steps(unit)
        parts = steps.parts(done, largest)
        return cls(unit, steps, largest, parts, next(parts, None), checking)

    def advance(self) -> bool:
        """Go on to the next part; whether there is none."""
        self.part = next(self.parts, None)
        if self.part is None and self.checking:
            self.checking = False
            self.parts = self.steps.parts(0, self.largest)
            self.part = next(self.parts, None)
        return self.part is None


class Cursors:
    """Brings partitions through their large units. Their raw records wait meanwhile; other partitions go on."""

    def __init__(self, plan: WorkerPlan, outside: Outside, transaction: OpenTransaction, holding: Holding) -> None:
        self._plan = plan
        self._source = outside.source
        self._transaction = transaction
        self._holding = holding

    def takes(self, owned: OwnedPartition, unit: Unit) -> bool:
        """Whether the unit is too large for one Kafka transaction, or was published in part."""
        limits = self._plan.topics[unit.topic].book.limits
        return owned.resume is not None or limits.is_huge(len(unit.entries), unit.size_bytes)

    def begin(self, owned: OwnedPartition, units: Sequence[Unit]) -> None:
        """Begin, or go on, with the first of ``units``; the others follow it. ConfigError: it is not as it was."""
        unit, book = units[0], (owned.raw or self._plan.topics[units[0].topic]).book
        if owned.cursor is None or owned.cursor.unit is not unit:
            done = _done(owned, unit)
            checking = done == 0 and book.may_halt
            owned.cursor = Cursor.over(unit, done, book.limits.set_bytes, checking=checking)
        owned.resume = None
        owned.fold()
        owned.next_offset = unit.first_offset
        owned.held = list(units)
        owned.phase = Phase.CURSOR
        self._source.pause(owned.place)

    def due(self, partitions: Iterable[OwnedPartition]) -> list[OwnedPartition]:
        """Partitions amid a large unit."""
        return [owned for owned in partitions if owned.phase is Phase.CURSOR]

    def turn(self, owned: OwnedPartition) -> bool:
        """Settle some steps; whether these were the last. Errors as ``OpenTransaction.put``, save LookupAwaited."""
        cursor = owned.cursor
        assert cursor is not None
        if cursor.part is None:
            return True
        if cursor.part.unit.size_bytes > _LARGE and self._transaction.is_open:
            return False  # it takes its time: what is open is committed first
        try:
            self._settle(owned, cursor, cursor.part)
        except LookupAwaited as error:
            self._holding.hold(owned, owned.held, error)
            return False
        return cursor.advance()

    def _settle(self, owned: OwnedPartition, cursor: Cursor, part: Part) -> None:
        if cursor.checking:
            self._transaction.read(owned, part)
        else:
            self._transaction.put_part(owned, cursor.unit, part, last=part.done == len(cursor.steps))

    def end(self, owned: OwnedPartition) -> list[Unit]:
        """The unit is settled: read on. Units that wait behind it."""
        behind, owned.held = owned.held[1:], []
        owned.cursor = None
        owned.phase = Phase.RUNNING
        self._source.start(owned.place, owned.expected)
        return behind


def _done(owned: OwnedPartition, unit: Unit) -> int:
    """How many steps of the unit are published already."""
    if owned.resume is None:
        return 0
    first, last, done = owned.resume
    found = (unit.first_offset, record_at(unit.entries, len(unit.entries) - 1).offset)
    if found != (first, last):
        raise ConfigError(
            f"a transaction of records {first} to {last} was published in part, now it has records {found[0]} to "
            f"{found[1]}",
            where=str(owned.place),
            hint="the raw topic is not what it was: reconcile, then set the offset behind the transaction",
        )
    return done
