"""The supervisor: nothing ends or begins again without being said."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.adapters.clock import SystemClock
from gateway.model.errors import ConfigError
from gateway.services.supervisor import Supervisor, WorkerReport
from gateway.telemetry.signals import Signal, WorkerEnded, WorkerRestarted


class Process:
    """A worker process that ends as told."""

    def __init__(self, pid: int, code: int | None = None, refused: str = "", deaf: bool = False) -> None:
        self.pid = pid
        self.exit_code = code
        self._refused = refused
        self._deaf = deaf
        self.asked: list[str] = []

    def report(self) -> WorkerReport:
        return WorkerReport(refused=self._refused)

    def terminate(self) -> None:
        self.asked.append("terminate")
        if not self._deaf:
            self.exit_code = 0

    def kill(self) -> None:
        self.asked.append("kill")
        self.exit_code = -9


class Told(list[Signal]):
    def emit(self, signal: Signal) -> None:
        self.append(signal)


def test_a_crashed_worker_is_announced_and_its_slot_starts_again() -> None:
    told = Told()
    started: list[int] = []

    def start(slot: int) -> Process:
        started.append(slot)
        return Process(100 + len(started), -9 if len(started) == 1 else None)

    supervisor = Supervisor(2, start, told, SystemClock())

    def look(_reports: Mapping[int, WorkerReport]) -> None:
        if len(started) == 3:
            supervisor.stop()

    supervisor.run(look)
    assert started == [1, 2, 1]
    assert WorkerEnded(1, 101, -9, "") in told
    assert WorkerRestarted(1, 103) in told


def test_a_refused_configuration_ends_all_with_the_workers_words() -> None:
    others: list[Process] = []

    def start(slot: int) -> Process:
        if slot == 1:
            return Process(1, 2, refused="contract missing")
        others.append(Process(slot))
        return others[-1]

    with pytest.raises(ConfigError, match="contract missing"):
        Supervisor(2, start, Told(), SystemClock()).run(lambda _: None)
    assert others[0].asked == ["terminate"]


def test_a_worker_that_does_not_end_in_time_is_killed_and_that_is_said() -> None:
    told = Told()
    deaf = Process(7, deaf=True)
    supervisor = Supervisor(1, lambda _: deaf, told, SystemClock())
    supervisor.run(lambda _: supervisor.stop())
    assert deaf.asked == ["terminate", "kill"]
    assert told == [WorkerEnded(1, 7, -9, "did not end in time")]
