"""Commands in the worker's loop: applied to a partition between two units, in its Kafka transaction (protocol.md 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from gateway.bridge.commands import Ack, Command, Kind, Result, aims_at
from gateway.bridge.standing_orders import paused_by, with_pause
from gateway.model.errors import DependencyError
from gateway.services.worker_barriers import Barriers
from gateway.services.worker_control_log import ControlLog
from gateway.services.worker_outages import Outages
from gateway.services.worker_partition import OwnedPartition, Phase
from gateway.services.worker_plan import Outside, WorkerPlan
from gateway.services.worker_rules import Rules
from gateway.services.worker_transaction import OpenTransaction
from gateway.telemetry.signals import PartitionPaused, PartitionResumed

__all__ = ["Control"]


class Control:
    """What commands make of the owned partitions. Effect, answer and place in the log move in one transaction."""

    def __init__(self, plan: WorkerPlan, outside: Outside, transaction: OpenTransaction) -> None:
        self._outside = outside
        self._transaction = transaction
        self._outages = Outages(outside.telemetry, outside.clock)
        self.log = ControlLog(plan, outside)
        self.rules = Rules(plan, outside, self.log.history)
        self.barriers = Barriers(plan, outside, self.log, self.rules, transaction)

    def listen(self) -> None:
        """Read what is there of the log."""
        self._asking("control log", self.log.turn)

    def turn(self, partitions: Iterable[OwnedPartition]) -> None:
        """Obey what was read, between two units of each partition. MustAbort, InDoubt as a transaction raises them."""
        between = [owned for owned in partitions if owned.serving and owned.progress and not owned.amid_unit]
        for owned in between:
            self._stand(owned)  # what its progress says holds, whatever happens to the commands that follow
            self._asking(f"what a command needs in {owned.place}", partial(self._obey_all, owned))
            self._stand(owned)
        if between:
            self.barriers.watch(between)

    def _asking(self, dependency: str, act: Callable[[], None]) -> None:
        """What is away now is asked again in the next turn."""
        try:
            act()
        except DependencyError as error:
            self._outages.away(dependency, error)
        else:
            self._outages.back(dependency)

    def _obey_all(self, owned: OwnedPartition) -> None:
        assert owned.progress is not None
        if owned.progress.control >= self.log.position:
            return
        for at, command in self.log.history.since(owned.progress.control):
            ack = self._obey(owned, command) if aims_at(command, *owned.place) else None
            owned.progress = replace(owned.progress, control=at + 1)
            if ack is not None:
                self._transaction.acknowledge(owned, command.id, ack)
        # what is for others moves no offset by itself: the place in the log goes with the next commit
        owned.progress = replace(owned.progress, control=max(owned.progress.control, self.log.position))

    def _obey(self, owned: OwnedPartition, command: Command) -> Ack | None:
        """Its answer, and its effect on the progress. DependencyError: it cannot be obeyed yet."""
        match command.kind:
            case Kind.PAUSE:
                result, told = self._pause(owned, command.id)
            case Kind.RESUME:
                result, told = self._pause(owned, None)
            case Kind.PREPARE:
                result, told = self.barriers.prepare(owned, command)
            case Kind.COMMIT:
                result, told = self.barriers.commit(owned, command.barrier)
            case Kind.CANCEL:
                result, told = self.barriers.cancel(owned, command.barrier)
            case _:
                return None
        hi = owned.settled_hi
        return Ack(result, owned.settled_up_to(), None if hi is None else hi[:2], told)

    def _pause(self, owned: OwnedPartition, by: str | None) -> tuple[Result, str]:
        assert owned.progress is not None
        orders = owned.progress.barriers
        if (paused_by(orders) is None) == (by is None):
            return Result.NOTHING, "it was paused already" if by else "it was not paused"
        owned.progress = replace(owned.progress, barriers=with_pause(orders, by))
        return Result.PAUSED if by else Result.RESUMED, ""

    def _stand(self, owned: OwnedPartition) -> None:
        """Read the partition or not, as its orders say."""
        assert owned.progress is not None
        by = paused_by(owned.progress.barriers)
        if by is not None and owned.phase is Phase.RUNNING:
            owned.next_offset = owned.settled_up_to()
            owned.phase = Phase.PAUSED
            self._outside.source.pause(owned.place)
        elif by is None and owned.phase is Phase.PAUSED:
            owned.phase = Phase.RUNNING
            self._outside.source.start(owned.place, owned.expected)
        if (by is not None) != owned.told_paused:
            owned.told_paused = by is not None
            self._tell(owned, by)

    def _tell(self, owned: OwnedPartition, by: str | None) -> None:
        if by is None:
            self._outside.telemetry.emit(PartitionResumed(*owned.place))
            return
        command = self.log.history.named(by)
        who, why = (command.who, command.why) if command else ("the gateway", "a storm of dead letters")
        self._outside.telemetry.emit(PartitionPaused(*owned.place, who, why))
