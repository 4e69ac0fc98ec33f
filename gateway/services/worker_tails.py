"""The tails of quiet partitions: which of them evidence and fence prove complete, and how far all partitions lag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.bridge.standing_orders import barriers_of
from gateway.model.errors import DependencyError
from gateway.pipeline.assemble import Ticket
from gateway.pipeline.evidence import Evidence
from gateway.ports import Partition
from gateway.services.worker_fence import EndReader, Fence
from gateway.services.worker_outages import Outages
from gateway.services.worker_partition import OwnedPartition
from gateway.services.worker_plan import Outside, WorkerPlan
from gateway.telemetry.signals import PartitionLag

__all__ = ["AT_BARRIER", "QuietTails"]

AT_BARRIER = -1
"""Stands for the transaction in a ticket that is about a barrier."""
_LAG_EVERY = 2.0


class QuietTails:
    """Asks for evidence, then for watermarks, and never waits for an answer."""

    def __init__(self, plan: WorkerPlan, outside: Outside, evidence: Evidence, outages: Outages) -> None:
        self._outside = outside
        self._outages = outages
        self._ends = EndReader(outside.markers, evidence, plan.source_name, outside.telemetry)
        self._evidence, self._source = evidence, plan.source_name
        self._fence = Fence(outside.cluster, outside.clock)
        self._lag_asked_at = float("-inf")

    def provable(self, running: Iterable[OwnedPartition]) -> dict[Partition, Ticket]:
        """Tickets of open transactions that the connector is known to be past."""
        running = list(running)
        self._look_for_ends(running)
        tickets = {owned.place: owned.tail.provable() or self._at_barrier(owned) for owned in running if owned.tail}
        return {place: ticket for place, ticket in tickets.items() if ticket is not None}

    def complete(self, owned: OwnedPartition, ticket: Ticket) -> bool:
        """Whether all of the ticket's transaction was read."""
        return self._fence.passed(owned.place, ticket, owned.position)

    def _at_barrier(self, owned: OwnedPartition) -> Ticket | None:
        """Where nothing waits and the connector is past the cut of a barrier, the partition may be past it, too."""
        assert owned.tail is not None
        assert owned.progress is not None
        if not owned.progress.barriers or owned.tail.open_offset is not None:
            return None
        for barrier in barriers_of(owned.progress.barriers)[:1]:
            if barrier.committed and self._evidence.past(self._source, barrier.cut[0], barrier.cut[1] - 1):
                return Ticket(barrier.cut[0], AT_BARRIER, barrier.cut[1])
        return None

    def hear(self, owned: Mapping[Partition, OwnedPartition]) -> None:
        """Take the watermarks that came in."""
        answers = self._fence.answers()
        if answers:
            self._outages.back("kafka")
        for place, offset in answers.items():
            if place in owned:
                owned[place].high_watermark = offset

    def _look_for_ends(self, running: Iterable[OwnedPartition]) -> None:
        tails = [owned.tail for owned in running if owned.tail is not None and owned.tail.unresolved is not None]
        wanted = frozenset(tail.unresolved for tail in tails if tail.unresolved is not None)
        followed = frozenset(tail.unresolved for tail in tails if tail.unresolved is not None and tail.followed)
        try:
            self._ends.poll(wanted, followed)
        except DependencyError as error:
            self._outages.away("transaction topic", error)
        else:
            self._outages.back("transaction topic")

    def ask(self, tickets: Mapping[Partition, Ticket], partitions: Iterable[OwnedPartition]) -> None:
        """Ask the watermarks that tickets need; now and then those of all, and tell how far each lags."""
        now = self._outside.clock.monotonic()
        if now - self._lag_asked_at < _LAG_EVERY:
            self._fence.ask(tickets)
            return
        self._lag_asked_at = now
        serving = [owned for owned in partitions if owned.serving]
        self._tell_lag(serving)
        self._fence.ask(tickets, [owned.place for owned in serving])

    def _tell_lag(self, serving: Iterable[OwnedPartition]) -> None:
        wall = self._outside.clock.now()
        for owned in serving:
            records, since = owned.unsettled
            age = 0.0 if since is None else max(0.0, wall - since / 1000)
            lag = max(0, owned.high_watermark - owned.settled_up_to())
            self._outside.telemetry.emit(PartitionLag(*owned.place, lag, records, age))

    def forget(self, place: Partition) -> None:
        """Nothing asked before about the partition holds any more."""
        self._fence.forget(place)
