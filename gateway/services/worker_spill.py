"""Partitions that wait for room on the disk: their large transaction is read again later, and that is said."""

from __future__ import annotations

from gateway.model.errors import SpillFull
from gateway.ports import Partition
from gateway.services.worker_outages import Outages
from gateway.services.worker_plan import Outside

__all__ = ["Rooms"]

_FIRST, _LONGEST = 5.0, 60.0


class Rooms:
    """How long each of them waits before it is tried again: longer each time, as a large transaction is read anew."""

    def __init__(self, outside: Outside) -> None:
        self._outages = Outages(outside.telemetry, outside.clock)
        self._waits: dict[Partition, float] = {}

    def lacks(self, place: Partition, error: SpillFull) -> float:
        """Seconds to wait."""
        self._outages.away(_named(place), error)
        wait = self._waits[place] = min(_LONGEST, 2 * self._waits.get(place, _FIRST / 2))
        return wait

    def had(self, place: Partition) -> None:
        """A unit of the partition is complete: what it waited for, if it did, was there."""
        if place in self._waits:
            self.forget(place)

    def forget(self, place: Partition) -> None:
        """It waits no more, or for another worker."""
        if self._waits.pop(place, None) is not None:
            self._outages.back(_named(place))


def _named(place: Partition) -> str:
    return f"disk room for a large transaction of {place}"
