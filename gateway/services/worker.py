"""The worker: one consumer, one producer, one thread that decides (protocol.md 5)."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from gateway.model.errors import Awaited, ConfigError, DataLoss, DependencyError, SpillFull
from gateway.model.record import RawRecord
from gateway.model.unit import Unit
from gateway.pipeline.assemble import Ticket
from gateway.pipeline.evidence import Evidence
from gateway.ports import Batch, InDoubt, MustAbort, Partition
from gateway.services.worker_assignment import Assignment
from gateway.services.worker_control import Control
from gateway.services.worker_cursor import Cursors
from gateway.services.worker_lookups import Holding, Reference
from gateway.services.worker_outages import Outages
from gateway.services.worker_partition import MetadataTooLong, OwnedPartition, Phase
from gateway.services.worker_plan import Outside, WorkerPlan
from gateway.services.worker_spill import Rooms
from gateway.services.worker_storm import StormBreaker
from gateway.services.worker_tails import AT_BARRIER, QuietTails
from gateway.services.worker_transaction import OpenTransaction
from gateway.telemetry.signals import (
    PartitionGivenUp,
    PartitionStopped,
    WorkerStarted,
    WorkerStopped,
)

__all__ = ["Worker"]

_TAKE = 2000
_REVOKE_DEADLINE = 5.0
_STOP_DEADLINE = 3.0
_IDLE, _BUSY = 0.05, 0.005


class Worker:
    """Turns raw records into events, letters and state; everything it knows can be rebuilt from the log."""

    def __init__(self, plan: WorkerPlan, outside: Outside) -> None:
        self._plan = plan
        self._outside = outside
        self._evidence = Evidence(plan.incarnations)
        self._reference = Reference(plan, outside)
        self._holding = Holding(self._reference, outside)
        self._transaction = OpenTransaction(plan, outside, self._holding)
        self._storm = StormBreaker(plan, outside)
        self._control = Control(plan, outside, self._transaction)
        self._assignment = Assignment(plan, outside, self._evidence, self._control)
        self._cursors = Cursors(plan, outside, self._transaction, self._holding)
        self._rooms = Rooms(outside)
        self._outages = Outages(outside.telemetry, outside.clock)
        self._tails = QuietTails(plan, outside, self._evidence, self._outages)
        self._owned: dict[Partition, OwnedPartition] = {}
        self._sink_open = False
        self._aborts = 0
        self._stopping = False

    # -- life ---------------------------------------------------------------------------------------------------------

    def run(self, between: Callable[[], None] = lambda: None) -> None:
        """Work until ``stop``. ``between`` is called between turns. ConfigError: this worker cannot go on."""
        reason = "stopped"
        try:
            self.start()
            while not self._stopping:
                self.turn()
                between()
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"
            raise
        finally:
            self.close()
            self._outside.telemetry.emit(WorkerStopped(reason))

    def start(self) -> None:
        """Join the group."""
        topics = tuple(sorted(self._plan.topics))
        digests = tuple(sorted({(raw.mapping, raw.digest) for raw in self._plan.topics.values()}))
        self._outside.telemetry.emit(WorkerStarted(self._plan.transactional_id, topics, digests))
        self._reopen()
        self._outside.source.subscribe(topics, self)

    def stop(self) -> None:
        """Ask ``run`` to end after the turn it is in; may be called from a signal handler."""
        self._stopping = True

    def close(self) -> None:
        """Finish or abort what is open, and leave."""
        try:
            self._finish(_STOP_DEADLINE)
        finally:
            self._outside.source.close()
            self._outside.sink.close()
            readers = (self._outside.reference, self._outside.control)
            for one in (self._outside.state, self._outside.markers, self._outside.cluster, *readers):
                if one is not None:
                    one.close()

    # -- one turn -----------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Take what is there, settle what is complete, commit what is due. ConfigError as in ``run``."""
        if not self._sink_open and not self._reopen():
            self._take(_IDLE)
            return
        batch = self._take(self._patience())
        try:
            self._add(batch.records)
            if batch.records:
                self._outages.back("registry")
            self._reached(batch)
            self._look_up()  # behind the batch: what it releases is read on from where the batch was left
            if self._sink_open and self._reference.ready:  # after a doubt a new producer ends the old transaction first
                self._control.listen()
                self._assign()
                self._control.turn(self._owned.values())
            self._close_tails()
            self._step_on()
        except (MustAbort, DependencyError) as error:
            # The rest of the batch was not taken in: every partition is read again from its committed offset (R5).
            if isinstance(error, DependencyError):
                self._outages.away("registry", error)
            self._abort(str(error), tuple(self._owned.values()))
        except InDoubt as error:
            self._doubt(error)
        if self._transaction.due or (not batch.records and self._quiet()):
            self._finish()

    def _quiet(self) -> bool:
        """Whether nothing more is to come into the open transaction soon: then nobody need wait for its interval."""
        return self._transaction.is_open and not any(
            owned.phase is Phase.CURSOR or (owned.running and owned.tail and owned.tail.open_offset is not None)
            for owned in self._owned.values()
        )

    def _patience(self) -> float:
        if any(owned.phase in (Phase.ASKING, Phase.READING_STATE) for owned in self._owned.values()):
            return _BUSY
        if self._cursors.due(self._owned.values()):
            return 0.0
        if any(owned.tail is not None and owned.tail.open_offset is not None for owned in self._running()):
            return _BUSY
        if self._transaction.is_open:
            return max(0.0, min(_IDLE, self._plan.interval - self._transaction.age))
        return _IDLE

    def _take(self, wait: float) -> Batch:
        try:
            batch = self._outside.source.take(_TAKE, wait)
        except DependencyError as error:
            self._outages.away("kafka", error)
            return Batch()
        if batch.records or batch.ends:
            self._outages.back("kafka")
        return batch

    def _running(self) -> Iterable[OwnedPartition]:
        return [owned for owned in self._owned.values() if owned.running]

    # -- records in ---------------------------------------------------------------------------------------------------

    def _add(self, records: Sequence[RawRecord]) -> None:
        topic, partition = "", -1
        owned: OwnedPartition | None = None
        for record in records:
            if record.partition != partition or record.topic != topic:
                topic, partition = record.topic, record.partition
                owned = self._owned.get(Partition(topic, partition))
            if owned is None or owned.phase is not Phase.RUNNING or record.offset < owned.expected:
                continue
            owned.expected = owned.position = record.offset + 1
            try:
                units = owned.take(record)
                if units:
                    self._put(owned, units)
            except Exception as error:  # noqa: BLE001 - sorted out there; what is not ours is raised again
                self._sort_out(owned, error)
            if self._transaction.full:
                self._finish()

    def _put(self, owned: OwnedPartition, units: Sequence[Unit]) -> None:
        """Settle units, up to one whose reference data lacks an entry, or that is too large to be settled at once."""
        self._rooms.had(owned.place)
        for number, unit in enumerate(units):
            try:
                self._control.barriers.gate(owned, unit)
                if self._cursors.takes(owned, unit) or not self._transaction.put(owned, unit):
                    self._cursors.begin(owned, units[number:])
                    return
                self._storm.look(owned, self._transaction.letters)
            except Awaited as error:
                self._holding.hold(owned, units[number:], error)
                return
        self._holding.settled(owned)

    def _step_on(self) -> None:
        """Some steps of each large unit."""
        for owned in self._cursors.due(self._owned.values()):
            if owned.phase is Phase.CURSOR:  # an abort for another one's sake may have undone this one, too
                self._attempt(owned, partial(self._steps, owned))
            if self._transaction.full:
                self._finish()

    def _steps(self, owned: OwnedPartition) -> None:
        if self._cursors.turn(owned):
            behind = self._cursors.end(owned)
            self._storm.look(owned, self._transaction.letters)
            self._put(owned, behind)

    def _look_up(self) -> None:
        """Bring reference data up to date, and try again what waits for it."""
        try:
            self._reference.turn()
        except DependencyError as error:
            self._outages.away("reference topics", error)
        else:
            self._outages.back("reference topics")
        for owned in (one for one in self._holding.due(self._owned.values()) if not one.paused):
            self._attempt(owned, partial(self._put, owned, owned.held))

    def _attempt(self, owned: OwnedPartition, settle: Callable[[], None]) -> None:
        try:
            settle()
        except Exception as error:  # noqa: BLE001 - sorted out there; what is not ours is raised again
            self._sort_out(owned, error)

    def _sort_out(self, owned: OwnedPartition, error: Exception) -> None:
        """Whatever is wrong with one partition stops that one only; what was settled of it before stays settled."""
        if isinstance(error, SpillFull):
            self._wait_for_room(owned, error)
            return
        if isinstance(error, MustAbort | InDoubt | DependencyError):
            raise error
        if isinstance(error, ConfigError):
            self._stop_partition(owned, str(error))
            return
        # Anything else is our own bug: stop that partition and say where (design.md, Errors).
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"a bug of the gateway: {type(error).__name__}: {error} at {where.filename}:{where.lineno}"
        self._stop_partition(owned, f"{owned.place}@{owned.expected - 1}: {told}")

    def _wait_for_room(self, owned: OwnedPartition, error: SpillFull) -> None:
        """What is settled stays so; its open unit gives its room back, and is read again a little later."""
        owned.tail, owned.phase = None, Phase.ASKING
        self._finish()
        self._rebuild([owned], wait=self._rooms.lacks(owned.place, error))

    def _stop_partition(self, owned: OwnedPartition, error: str) -> None:
        if self._transaction.torn:
            self._abort(f"a unit was written in part only: {error}")
        owned.phase = Phase.STOPPED
        owned.stopped_by = error
        owned.tail, owned.cursor, owned.held = None, None, []
        self._outside.source.pause(owned.place)
        self._outside.telemetry.emit(PartitionStopped(*owned.place, error))

    def _reached(self, batch: Batch) -> None:
        for place, end in batch.ends.items():
            owned = self._owned.get(place)
            if owned is not None and owned.running:
                owned.position = max(owned.position, end)
        for place in batch.lost:
            owned = self._owned.get(place)
            if owned is not None and owned.running:
                self._stop_partition(owned, str(self._assignment.gone(owned)))

    # -- assignment ---------------------------------------------------------------------------------------------------

    def _assign(self) -> None:
        self._refuse(self._assignment.changed)
        if any(owned.phase in (Phase.ASKING, Phase.READING_STATE) for owned in self._owned.values()):
            self._refuse(self._assignment.turn)
        if any(owned.moved for owned in self._owned.values()):
            self._transaction.ensure()

    def _refuse(self, ask: Callable[[Iterable[OwnedPartition]], list[tuple[OwnedPartition, ConfigError]]]) -> None:
        """Stop what cannot be served. ConfigError if that is everything, and not by a loss of data."""
        try:
            refused = ask(self._owned.values())
        except DependencyError as error:
            self._outages.away("kafka", error)
            return
        for owned, refusal in refused:
            self._stop_partition(owned, str(refusal))
        general = any(not isinstance(refusal, DataLoss) for _, refusal in refused)
        if general and all(owned.phase is Phase.STOPPED for owned in self._owned.values()):
            raise ConfigError("\n".join(owned.stopped_by for owned in self._owned.values()))

    # -- the tail of quiet partitions ---------------------------------------------------------------------------------

    def _close_tails(self) -> None:
        tickets = self._tails.provable(self._running())
        self._tails.hear(self._owned)
        for place, ticket in tickets.items():
            if self._tails.complete(self._owned[place], ticket):
                self._attempt(self._owned[place], partial(self._close, self._owned[place], ticket))
        self._tails.ask(tickets, self._owned.values())

    def _close(self, owned: OwnedPartition, ticket: Ticket) -> None:
        assert owned.tail is not None
        if ticket.tx_id == AT_BARRIER:
            self._control.barriers.arrive(owned)
        else:
            self._put(owned, owned.tail.close(ticket))

    # -- the end of a transaction -------------------------------------------------------------------------------------

    def _finish(self, deadline: float | None = None) -> None:
        if not self._transaction.is_open:
            return
        if self._transaction.torn:
            self._abort("a unit was written in part only")
            return
        try:
            self._transaction.finish(self._owned.values(), deadline)
            self._aborts = 0
            self._outages.back("registry")
        except MetadataTooLong as error:  # its output is in the transaction, too: undone, and not tried again
            self._abort(str(error))
            self._stop_partition(self._owned[error.place], str(error))
        except MustAbort as error:
            self._abort(str(error))
        except InDoubt as error:
            self._doubt(error)

    def _abort(self, reason: str, others: Iterable[OwnedPartition] = ()) -> None:
        """Undo; every touched partition, and ``others``, are rebuilt from the log (R5)."""
        touched = [owned for owned in self._owned.values() if owned.moved]
        if self._transaction.is_open:
            try:
                self._outside.sink.abort()
            except InDoubt as error:
                self._doubt(error)
                return
            self._transaction.forget("aborted", reason)
        self._aborts += 1
        self._rebuild([*touched, *others], wait=min(5.0, 0.05 * 2**self._aborts))

    def _doubt(self, error: InDoubt) -> None:
        """Nobody knows what became of it: a new producer ends it, and ``committed()`` tells (protocol.md 5)."""
        if error.fenced and self._transaction.age < 0.9 * self._plan.transaction_timeout:
            self._sink_open = False
            self._transaction.forget("in_doubt", str(error))
            raise ConfigError(
                "another process uses this worker's transactional id",
                where=self._plan.transactional_id,
                hint="give each process its own GATEWAY_INSTANCE; this one ends, or the two would fence each other",
            )
        self._sink_open = False
        self._transaction.forget("in_doubt", str(error))
        self._rebuild(self._owned.values())

    def _rebuild(self, partitions: Iterable[OwnedPartition], wait: float = 0.0) -> None:
        for owned in list(partitions):
            self._outside.source.pause(owned.place)
            self._tails.forget(owned.place)
            owned.reset(self._outside.clock.monotonic() + wait)

    def _reopen(self) -> bool:
        try:
            self._outside.sink.reopen()
        except DependencyError as error:
            self._outages.away("kafka producer", error)
            return False
        self._outages.back("kafka producer")
        self._sink_open = True
        return True

    # -- RebalanceListener --------------------------------------------------------------------------------------------

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """Finish first: the open transaction may hold back what the new partitions wait for."""
        self._finish(_REVOKE_DEADLINE)
        for place in partitions:
            self._owned[place] = OwnedPartition(place)

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """The generation is still valid: what is open is committed, or undone."""
        self._finish(_REVOKE_DEADLINE)
        self._drop(partitions, lost=False)

    def lost(self, partitions: Sequence[Partition]) -> None:
        """They are another member's already: nothing may be committed."""
        self._abort("partitions were lost")
        self._drop(partitions, lost=True)

    def _drop(self, partitions: Sequence[Partition], lost: bool) -> None:
        for place in partitions:
            self._tails.forget(place)
            self._holding.forget(place)
            self._rooms.forget(place)
            if self._owned.pop(place, None) is not None:
                self._outside.telemetry.emit(PartitionGivenUp(*place, lost))
