"""Runs several workers as processes of one consumer group; nothing ends or begins again without being said."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.model.errors import ConfigError
from gateway.ports import Clock
from gateway.telemetry.signals import Telemetry, WorkerEnded, WorkerRestarted
from gateway.telemetry.totals import Totals

__all__ = ["Supervisor", "WorkerProcess", "WorkerReport"]

_STOP_SECONDS = 5.0
_LOOK_EVERY = 0.1
_WITHIN = 60.0
_LONGEST_PAUSE = 2.0
_REFUSED = 2


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """What a worker tells now and then. ``metrics``: Prometheus text; ``notes``: log lines for a live view."""

    totals: Totals = field(default_factory=Totals)
    metrics: str = ""
    notes: tuple[str, ...] = ()
    refused: str = ""


class WorkerProcess(Protocol):
    """A worker in a process of its own."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    @property
    def exit_code(self) -> int | None:
        """None while it lives; negative: the signal that ended it."""
        ...

    def report(self) -> WorkerReport:
        """The newest report; ``notes`` are given once."""
        ...

    def terminate(self) -> None:
        """Ask it to finish and leave (SIGTERM)."""
        ...

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        ...


class Supervisor:
    """Keeps ``count`` workers alive. A refused configuration ends all; a crash is announced and the slot restarted.

    ``crashes`` within a minute are one too many: then all end.
    """

    def __init__(
        self, count: int, start: Callable[[int], WorkerProcess], telemetry: Telemetry, clock: Clock, crashes: int = 10
    ) -> None:
        self._slots = range(1, count + 1)
        self._start = start
        self._telemetry = telemetry
        self._clock = clock
        self._workers: dict[int, WorkerProcess] = {}
        self._again_at: dict[int, float] = {}
        self._crashes: deque[float] = deque(maxlen=crashes)
        self._stopping = False

    @property
    def workers(self) -> Mapping[int, WorkerProcess]:
        """Running and just ended workers by slot."""
        return self._workers

    def stop(self) -> None:
        """Ask ``run`` to end; may be called from a signal handler."""
        self._stopping = True

    def run(self, each_look: Callable[[Mapping[int, WorkerReport]], None]) -> None:
        """Supervise until ``stop``. ``each_look`` gets the workers' reports some ten times a second.

        ConfigError: a worker refused to start, or workers crash again and again.
        """
        try:
            for slot in self._slots:
                self._workers[slot] = self._start(slot)
            while not self._stopping:
                each_look({slot: worker.report() for slot, worker in self._workers.items()})
                self._look()
                time.sleep(_LOOK_EVERY)
        finally:
            self._stop_all()
            each_look({slot: worker.report() for slot, worker in self._workers.items()})

    def _look(self) -> None:
        now = self._clock.monotonic()
        for slot, worker in list(self._workers.items()):
            code = worker.exit_code
            if code is None:
                continue
            if slot not in self._again_at:
                self._announce(slot, worker, code, now)
            elif now >= self._again_at[slot]:
                del self._again_at[slot]
                self._workers[slot] = self._start(slot)
                self._telemetry.emit(WorkerRestarted(slot, self._workers[slot].pid))

    def _announce(self, slot: int, worker: WorkerProcess, code: int, now: float) -> None:
        refused = worker.report().refused
        self._telemetry.emit(WorkerEnded(slot, worker.pid, code, refused))
        if code == _REFUSED:
            raise ConfigError(refused or f"worker {slot} refused to start")
        self._crashes.append(now)
        if len(self._crashes) == self._crashes.maxlen and now - self._crashes[0] < _WITHIN:
            raise ConfigError(
                f"workers ended {len(self._crashes)} times within {_WITHIN:.0f} s, the last one with status {code}",
                where=f"worker {slot}",
                hint="the log says why; nothing is lost, the next start goes on where the last commit was",
            )
        recent = sum(1 for at in self._crashes if now - at < _WITHIN)
        self._again_at[slot] = now + min(_LONGEST_PAUSE, 0.1 * 2 ** (recent - 1))

    def _stop_all(self) -> None:
        for worker in self._workers.values():
            if worker.exit_code is None:
                worker.terminate()
        until = self._clock.monotonic() + _STOP_SECONDS - 0.5
        while self._clock.monotonic() < until and any(one.exit_code is None for one in self._workers.values()):
            time.sleep(0.02)
        for slot, worker in self._workers.items():
            if worker.exit_code is None:
                worker.kill()  # as safe as a crash: its transaction is aborted by the next start
                self._telemetry.emit(WorkerEnded(slot, worker.pid, -9, "did not end in time"))
