"""Real workers over one memory broker, in one thread: who works, who dies, who sleeps is decided from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from gateway.adapters.log_readers import MarkerTopic, StateTopic
from gateway.adapters.memory import MemoryBroker, MemoryCluster, MemoryLog, MemorySink
from gateway.adapters.memory_source import MemoryGroup, MemorySource
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError, DependencyError
from gateway.ports import Batch, Committed, InDoubt, Membership, MustAbort, Partition
from gateway.services.worker import Worker
from gateway.services.worker_plan import Outside, WorkerPlan
from gateway.settings import Settings
from gateway.telemetry.signals import PartitionStopped, Signal
from gateway.wiring import plan_worker

from .connector import RAW, TRANSACTIONS, Connector
from .oracle import EVENTS, LETTERS, Found, Oracle

__all__ = ["CALLS", "Shape", "Strike", "World"]

CALLS = ("join", "begin", "send", "offsets", "commit", "answer", "abort", "reopen")
"""Places where a strike falls: before the call, and for ``answer`` after the commit, when its answer is lost.

``join``: before the transaction's group metadata is taken; only a pause or a crash may fall there.
"""
_MAPPINGS = Path(__file__).parent / "mappings"
_TIMEOUT = 31.0
_SESSION = 0.2


@dataclass
class Strike:
    """What befalls a worker at the ``nth`` next ``call`` of its sink: crash, refuse, doubt, or pause."""

    call: str
    nth: int
    what: str
    act: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Shape:
    """How a world begins. ``pace``: rounds of turns after each step; ``hasty``: two rows fill a transaction;

    ``blind``: the connector does not know what was committed before its first transaction.
    """

    partitions: int = 1
    workers: int = 1
    pace: int = 1
    hasty: bool = False
    blind: bool = False


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


class _Sink(MemorySink):
    strikes: list[Strike]
    struck: Counter[str]

    def at(self, call: str) -> None:
        strike = next((one for one in self.strikes if one.call == call), None)
        if strike is None:
            return
        strike.nth -= 1
        if strike.nth >= 0:
            return
        self.strikes.remove(strike)
        self.struck[f"{strike.what} {call}"] += 1
        if strike.what == "crash":
            raise Killed(call)
        if strike.what == "pause":
            strike.act()
        elif call == "reopen":
            raise DependencyError("planted")
        elif strike.what == "refuse" and call not in ("answer", "begin", "abort"):
            raise MustAbort("planted")
        else:
            raise InDoubt("planted")

    def reopen(self) -> None:
        self.at("reopen")
        super().reopen()

    def begin(self) -> None:
        self.at("begin")
        super().begin()

    def send(self, *arguments: object, **more: object) -> None:
        self.at("send")
        super().send(*arguments, **more)  # type: ignore[arg-type]

    def commit(
        self, offsets: Mapping[Partition, Committed], membership: Membership | None, deadline: float | None = None
    ) -> None:
        self.at("offsets")
        if offsets:
            self.stage(offsets, membership)
        self.at("commit")
        super().commit({}, None)
        self.at("answer")

    def abort(self) -> None:
        self.at("abort")
        super().abort()


class _Source(MemorySource):
    most = 2_000
    sink: _Sink

    def membership(self) -> Membership | None:
        self.sink.at("join")
        return super().membership()

    def take(self, limit: int, wait: float) -> Batch:
        return super().take(self.most, wait)


class _Clock:
    seconds = 1_790_000_100.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


class _Telemetry:
    def emit(self, signal: Signal) -> None:
        if isinstance(signal, PartitionStopped):
            raise Found("stopped", signal.error)


@dataclass(eq=False)
class _Process:
    worker: Worker
    source: _Source
    sink: _Sink
    busy: bool = False


@cache
def _plan() -> WorkerPlan:
    mappings = load(_MAPPINGS)
    names = sorted(event.full_name for one in mappings for event in one.events.values())
    ids = {name: number for number, name in enumerate(names, 1)}
    return plan_worker(Settings(prefix="s.", mappings=_MAPPINGS), mappings, ids, 1, fresh=True)


class World:
    """A connector, workers in slots, their broker, and the oracle that looks at all of it."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.broker = MemoryBroker()
        for topic, count in ((RAW, shape.partitions), (LETTERS, shape.partitions), (EVENTS, 2), (TRANSACTIONS, 1)):
            self.broker.create(topic, count)
        self.broker.create("s.gateway.state", 16)
        self.broker.holds_markers = True
        self.oracle = Oracle(self.broker)
        self.connector = Connector(self.broker, shape.partitions, self.oracle.shipped)
        self.group = MemoryGroup(self.broker, "s.gateway")
        self.clock = _Clock()
        self.slots: dict[int, _Process | None] = {}
        self.ghosts: list[_Process] = []
        self.dead: dict[_Source, float] = {}
        self.struck: Counter[str] = Counter()
        for slot in range(shape.workers):
            self.start(slot)
        self.rounds(5)

    # -- workers come and go ------------------------------------------------------------------------------------------

    def start(self, slot: int) -> None:
        """A new process in this slot. One that still runs there goes on beside it, under the same id."""
        running = self.slots.get(slot)
        if running is not None:
            self.ghosts.append(running)
        plan = replace(_plan(), transactional_id=f"s.{slot}", max_bytes=1_000 if self.shape.hasty else 8_000_000)
        source, sink = _Source(self.group), _Sink(self.broker, plan.transactional_id)
        source.sink = sink
        sink.strikes, sink.struck = [], self.struck
        cluster = MemoryCluster(self.broker)
        state = StateTopic(MemoryLog(self.broker), plan.state_topic)
        markers = MarkerTopic(MemoryLog(self.broker), cluster, TRANSACTIONS)
        worker = Worker(plan, Outside(source, sink, cluster, state, markers, self.clock, _Telemetry()))
        worker.start()
        self.slots[slot] = _Process(worker, source, sink)

    def turn(self, slot: int, most: int = 2_000) -> None:
        """Let a worker take one turn; a dead one starts again."""
        process = self.slots.get(slot)
        if process is None:
            if slot in self.slots:
                self.start(slot)
            return
        self._turn(process, most)

    def rounds(self, count: int, without: int | None = None) -> None:
        """So many turns of each worker, one after the other, but of that one; sessions of the dead time out."""
        for _ in range(count):
            for slot in list(self.slots):
                if slot != without:
                    self.turn(slot)
            self.clock.seconds += 0.04
            for member, since in list(self.dead.items()):
                if since + _SESSION < self.clock.seconds:
                    self.group.leave(member)
                    del self.dead[member]

    def wake(self) -> None:
        """Let the oldest of the workers whose id was given to another take a turn."""
        if self.ghosts:
            self._turn(self.ghosts[0], 2_000)

    def _turn(self, process: _Process, most: int) -> None:
        if process.busy:
            return  # it sleeps amid a turn
        process.source.most, process.busy = most, True
        try:
            process.worker.turn()
        except Killed:
            self._gone(process)
        except ConfigError as error:
            if "transactional id" not in str(error):
                raise Found("stopped", str(error)) from error
            self._leave(process)
        finally:
            process.busy = False
        self.clock.seconds += 0.01

    def leave(self, slot: int) -> None:
        """An orderly end."""
        process = self.slots.get(slot)
        if process is not None:
            self._leave(process)

    def _leave(self, process: _Process) -> None:
        with suppress(Killed, ConfigError):
            process.worker.close()
        self._gone(process)

    def kill(self, slot: int) -> None:
        """Its process is gone; the group finds out when its session times out."""
        process = self.slots.get(slot)
        if process is not None:
            self._gone(process)

    def _gone(self, process: _Process) -> None:
        self.dead[process.source] = self.clock.seconds
        if process in self.ghosts:
            self.ghosts.remove(process)
        for slot, one in self.slots.items():
            if one is process:
                self.slots[slot] = None

    # -- what befalls them --------------------------------------------------------------------------------------------

    def strike(self, slot: int, strike: Strike) -> None:
        """See ``Strike``. A pause lasts as long as ``others`` of the world take."""
        process = self.slots.get(slot)
        if process is not None:
            process.sink.strikes.append(strike)

    def expel(self, slot: int, heard: bool) -> None:
        """Its session times out, and it does not know yet."""
        process = self.slots.get(slot)
        if process is not None:
            process.source.expel(heard)

    def time_out(self) -> None:
        """The broker gives up transactions that are open for too long."""
        self.clock.seconds += _TIMEOUT
        for one in list(self.broker.transactions.values()):
            if one.state == "open" and one.owner != "connect":
                self.broker.fence(one.owner)

    def deliver(self, number: int) -> None:
        """One of the markers that are under way arrives."""
        if self.broker.under_way:
            self.broker.deliver(number % len(self.broker.under_way))

    def deliver_all(self) -> None:
        """All of them arrive."""
        while self.broker.under_way:
            self.broker.deliver(0)

    # -- the end ------------------------------------------------------------------------------------------------------

    def settle(self, most: int = 120) -> None:
        """No more faults: all that was written is shipped, and every record gets its outcome."""
        for process in self.slots.values():
            if process is not None:
                process.sink.strikes.clear()
        self.connector.ship(len(self.connector.history))
        for _ in range(most):
            self.deliver_all()
            self.rounds(1)
            for ghost in list(self.ghosts):
                self._turn(ghost, 2_000)
            self.clock.seconds += 0.3
            self.oracle.look()
            if self.oracle.all_settled and not self.broker.under_way:
                return
        raise Found("stuck", f"not all is settled after {most} turns of each worker")
