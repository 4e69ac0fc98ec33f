"""The storm breaker: a partition in which more goes wrong than a person can look at is paused (protocol.md 9)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from gateway.bridge.standing_orders import STORM, paused_by, with_pause
from gateway.ports import Partition
from gateway.services.worker_partition import OwnedPartition
from gateway.services.worker_plan import Outside, WorkerPlan
from gateway.telemetry.signals import StormSeen

__all__ = ["StormBreaker"]

_WINDOW = 10.0


@dataclass(slots=True)
class _Weather:
    """``allowed``: parked aggregates from which on it is a storm; ``letters``: when units gave some, and how many."""

    allowed: int
    letters: deque[tuple[float, int]] = field(default_factory=deque)


class StormBreaker:
    """Pauses before the next unit: that changes when something is settled, never how."""

    def __init__(self, plan: WorkerPlan, outside: Outside) -> None:
        self._plan = plan
        self._outside = outside
        self._weather: dict[Partition, _Weather] = {}

    def look(self, owned: OwnedPartition, letters: int) -> None:
        """A unit was settled and gave so many dead letters. Marks the partition as paused if that is a storm."""
        if not letters or owned.progress is None or paused_by(owned.progress.barriers) is not None:
            return
        weather = self._weather.setdefault(owned.place, _Weather(len(owned.parked) + self._plan.storm_parked))
        now = self._outside.clock.monotonic()
        weather.letters.append((now, letters))
        while weather.letters[0][0] < now - _WINDOW:
            weather.letters.popleft()
        rate = sum(count for _, count in weather.letters) / _WINDOW
        told = ""
        if self._plan.storm_parked and len(owned.parked) > weather.allowed:
            told = f"{len(owned.parked)} aggregates are parked"
        elif self._plan.storm_letters and rate > self._plan.storm_letters:
            told = f"{rate:.0f} dead letters a second"
        if told:
            del self._weather[owned.place]  # who resumes it has seen them: as many again are allowed
            owned.progress = replace(owned.progress, barriers=with_pause(owned.progress.barriers, STORM))
            self._outside.telemetry.emit(StormSeen(*owned.place, told))
