"""Commands in the worker's loop: applied to a partition between two units, in its Kafka transaction (protocol.md 8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.bridge.commands import Ack, Command, Kind, Result, aims_at
from gateway.bridge.standing_orders import paused_by, with_pause
from gateway.services.worker_control_log import ControlLog
from gateway.services.worker_partition import OwnedPartition, Phase
from gateway.services.worker_plan import Outside, WorkerPlan
from gateway.services.worker_transaction import OpenTransaction
from gateway.telemetry.signals import PartitionPaused, PartitionResumed

__all__ = ["Control"]


class Control:
    """What commands make of the owned partitions. Effect, answer and place in the log move in one transaction."""

    def __init__(self, plan: WorkerPlan, outside: Outside, transaction: OpenTransaction) -> None:
        self._outside = outside
        self._transaction = transaction
        self.log = ControlLog(plan, outside)

    def turn(self, partitions: Iterable[OwnedPartition]) -> None:
        """Read the log and obey. DependencyError: later; MustAbort, InDoubt as a transaction raises them."""
        self.log.turn()
        for owned in partitions:
            if owned.serving and owned.progress is not None and not owned.amid_unit:
                self._obey_all(owned)
                self._stand(owned)

    def _obey_all(self, owned: OwnedPartition) -> None:
        assert owned.progress is not None
        for at, command in self.log.since(owned.progress.control):
            ack = self._obey(owned, command) if aims_at(command, *owned.place) else None
            owned.progress = replace(owned.progress, control=at + 1)
            if ack is not None:
                self._transaction.acknowledge(owned, command.id, ack)
        # what is for others moves no offset by itself: the place in the log goes with the next commit
        owned.progress = replace(owned.progress, control=max(owned.progress.control, self.log.position))

    def _obey(self, owned: OwnedPartition, command: Command) -> Ack | None:
        match command.kind:
            case Kind.PAUSE:
                return self._pause(owned, command.id)
            case Kind.RESUME:
                return self._pause(owned, None)
            case _:
                return None

    def _pause(self, owned: OwnedPartition, by: str | None) -> Ack:
        assert owned.progress is not None
        orders = owned.progress.barriers
        if (paused_by(orders) is None) == (by is None):
            return self._ack(owned, Result.NOTHING, "it was paused already" if by else "it was not paused")
        owned.progress = replace(owned.progress, barriers=with_pause(orders, by))
        return self._ack(owned, Result.PAUSED if by else Result.RESUMED)

    def _ack(self, owned: OwnedPartition, result: Result, told: str = "") -> Ack:
        hi = owned.settled_hi
        return Ack(result, owned.settled_up_to(), None if hi is None else hi[:2], told)

    def _stand(self, owned: OwnedPartition) -> None:
        """Read the partition or not, as its orders say."""
        assert owned.progress is not None
        by = paused_by(owned.progress.barriers)
        if by is not None and owned.phase is Phase.RUNNING:
            owned.next_offset = owned.settled_up_to()
            owned.phase = Phase.PAUSED
            self._outside.source.pause(owned.place)
            command = self.log.named(by)
            who, why = (command.who, command.why) if command else ("", "")
            self._outside.telemetry.emit(PartitionPaused(*owned.place, who, why))
        elif by is None and owned.phase is Phase.PAUSED:
            owned.phase = Phase.RUNNING
            self._outside.source.start(owned.place, owned.expected)
            self._outside.telemetry.emit(PartitionResumed(*owned.place))
