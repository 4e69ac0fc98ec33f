"""Says once that something is away, and once that it is back."""

from __future__ import annotations

from gateway.model.errors import DependencyError
from gateway.ports import Clock
from gateway.telemetry.signals import DependencyAway, DependencyBack, Telemetry

__all__ = ["Outages"]


class Outages:
    """What is away, since when."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._since: dict[str, float] = {}

    def away(self, dependency: str, error: DependencyError) -> None:
        """It did not answer."""
        if dependency not in self._since:
            self._since[dependency] = self._clock.monotonic()
            self._telemetry.emit(DependencyAway(dependency, str(error)))

    def back(self, dependency: str) -> None:
        """It answered."""
        since = self._since.pop(dependency, None)
        if since is not None:
            self._telemetry.emit(DependencyBack(dependency, self._clock.monotonic() - since))
