"""Barriers in the worker's loop: from a cut on, units have other rules, in every partition the same (protocol.md 8)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from gateway.bridge.commands import ALL, Command, Kind, Result
from gateway.bridge.standing_orders import Barrier, barriers_of, paused_by, with_barriers
from gateway.model.errors import BarrierAwaited, ConfigError, ResumeAwaited
from gateway.model.unit import Unit
from gateway.services.worker_control_log import ControlLog
from gateway.services.worker_partition import OwnedPartition
from gateway.services.worker_plan import Outside, WorkerPlan
from gateway.services.worker_rules import Rules
from gateway.services.worker_transaction import OpenTransaction
from gateway.telemetry.signals import BarrierGivenUp, RulesChanged

__all__ = ["UNDECIDED_SECONDS", "Barriers"]

UNDECIDED_SECONDS = 60.0
"""After so long a worker cancels a barrier that nobody decides: who began it is dead."""
_STORE_AGAIN = 10.0
_WATCHED_AT_LEAST = 2.0


class Barriers:
    """Arms, decides and passes barriers. Which rules a unit has follows from its ``c`` and the progress alone."""

    def __init__(
        self, plan: WorkerPlan, outside: Outside, log: ControlLog, rules: Rules, transaction: OpenTransaction
    ) -> None:
        self._plan = plan
        self._outside = outside
        self._log = log
        self._rules = rules
        self._transaction = transaction
        self._armed_since: dict[str, float] = {}
        self._stored_at = float("-inf")

    # -- commands -----------------------------------------------------------------------------------------------------

    def prepare(self, owned: OwnedPartition, command: Command) -> tuple[Result, str]:
        """Hold what is behind the cut from now on, if nothing of it is settled yet. DependencyError: later."""
        if command.cut is None:
            return Result.REFUSED, "it names no cut"
        stored = self._log.history.stored(command.version)
        decided = self._log.history.decision(command.id) is not None
        if decided and stored is not None and owned.place.topic not in stored.digests:
            return Result.NOTHING, "it is older than this topic"
        if not decided:  # of one that was decided long ago nobody waits for a no
            try:
                self._rules.of(command.version, owned.place.topic)
            except ConfigError as error:
                return Result.REFUSED, str(error)[:1000]
        barriers = self._of(owned)
        if any(not one.committed for one in barriers):
            return Result.REFUSED, f"the barrier {barriers[-1].id} is undecided"
        reached = max(
            [one.cut for one in barriers] + ([owned.settled_hi[:2]] if owned.settled_hi else []), default=None
        )
        if reached is not None and reached >= command.cut:
            return Result.LATE, f"settled up to {reached[0]}.{reached[1]}"
        self._set(owned, [*barriers, Barrier(command.id, command.cut, command.version)])
        return Result.ARMED, ""

    def commit(self, owned: OwnedPartition, barrier: str) -> tuple[Result, str]:
        """What is behind the cut has the new rules."""
        barriers = self._of(owned)
        if not any(one.id == barrier and not one.committed for one in barriers):
            return Result.NOTHING, "no such barrier is undecided here"
        self._set(owned, [one._replace(committed=True) if one.id == barrier else one for one in barriers])
        return Result.COMMITTED, ""

    def cancel(self, owned: OwnedPartition, barrier: str) -> tuple[Result, str]:
        """What was held goes on under the old rules."""
        barriers = self._of(owned)
        if not any(one.id == barrier and not one.committed for one in barriers):
            return Result.NOTHING, "no such barrier is undecided here"
        self._set(owned, [one for one in barriers if one.id != barrier])
        return Result.CANCELLED, ""

    def _of(self, owned: OwnedPartition) -> Sequence[Barrier]:
        return barriers_of(owned.progress.barriers) if owned.progress is not None else ()

    def _set(self, owned: OwnedPartition, barriers: Sequence[Barrier]) -> None:
        assert owned.progress is not None
        owned.progress = replace(owned.progress, barriers=with_barriers(owned.progress.barriers, barriers))

    # -- units --------------------------------------------------------------------------------------------------------

    def gate(self, owned: OwnedPartition, unit: Unit) -> None:
        """Give the partition the rules of this unit, which is settled next.

        BarrierAwaited: it is behind the cut of an undecided barrier; ResumeAwaited: the partition is paused.
        ConfigError, DependencyError: no rules (yet).
        """
        if owned.progress is None or not owned.progress.barriers:
            return
        by = paused_by(owned.progress.barriers)
        if by is not None:
            raise ResumeAwaited(by)
        if unit.tx_id is None:
            return
        for barrier in self._of(owned):
            if (unit.incarnation, unit.commit) >= barrier.cut:
                if not barrier.committed:
                    raise BarrierAwaited(barrier.id)
                self.passed(owned, barrier)

    def passed(self, owned: OwnedPartition, barrier: Barrier) -> None:
        """All that is to come in the partition is behind the cut: its rules are the new ones. ConfigError, as above."""
        assert owned.progress is not None
        owned.raw = self._rules.of(barrier.version, owned.place.topic)
        owned.progress = replace(owned.progress, digest=owned.raw.digest)
        self._set(owned, [one for one in self._of(owned) if one.cut > barrier.cut])
        self._outside.telemetry.emit(RulesChanged(*owned.place, owned.raw.digest, barrier.id))

    def arrive(self, owned: OwnedPartition) -> None:
        """Evidence and fence say that the quiet partition is past its lowest barrier. MustAbort, InDoubt."""
        barriers = self._of(owned)
        if barriers and barriers[0].committed:
            self.passed(owned, barriers[0])
            self._transaction.ensure()
            owned.moved = True

    # -- what no command says -----------------------------------------------------------------------------------------

    def watch(self, partitions: Iterable[OwnedPartition]) -> None:
        """Cancel barriers that nobody decides, and store the folder's rules in the log if it lacks them."""
        now = self._outside.clock.monotonic()
        for name in {one.id for owned in partitions for one in self._of(owned) if not one.committed}:
            if self._log.history.decision(name) is None and self._overdue(name, now):
                self._armed_since[name] = now
                why = f"nobody decided it for {UNDECIDED_SECONDS:.0f} s"
                self._append(Command(self._name(), Kind.CANCEL, self._plan.transactional_id, why, (ALL,), barrier=name))
                self._outside.telemetry.emit(BarrierGivenUp(name, why))
        mine = self._plan.folder
        if mine is None or not self._log.there or now - self._stored_at < _STORE_AGAIN:
            return
        if self._log.history.stored(mine.name) is None:
            self._stored_at = now
            self._append(
                Command(
                    self._name(), Kind.RULES, self._plan.transactional_id, "a worker runs with them",
                    version=mine.name, digests=dict(mine.digests), files=mine.files,
                )
            )  # fmt: skip

    def _overdue(self, barrier: str, now: float) -> bool:
        """By this worker's own watch, or by the command's date: workers that die often never watch for long."""
        watched = now - self._armed_since.setdefault(barrier, now)
        command = self._log.history.named(barrier)
        age = self._outside.clock.now() - command.at_ms / 1000 if command is not None and command.at_ms else 0.0
        return watched >= UNDECIDED_SECONDS or (age >= UNDECIDED_SECONDS and watched >= _WATCHED_AT_LEAST)

    def _name(self) -> str:
        return secrets.token_hex(6)

    def _append(self, command: Command) -> None:
        command = msgspec.structs.replace(command, at_ms=int(self._outside.clock.now() * 1000))
        self._transaction.command(command)
