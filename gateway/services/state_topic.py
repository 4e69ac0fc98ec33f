"""The whole state topic at once: for commands that look at it from outside (a worker reads the part it owns)."""

from __future__ import annotations

import time

from gateway.model.errors import DependencyError
from gateway.ports import Cluster, Partition, StateReader
from gateway.services.worker_state import STATE_PARTITIONS

__all__ = ["whole_state"]

_SECONDS = 45.0
"""An undecided transaction of a killed worker holds readers back for its timeout, 30 s, and a little."""

_PAUSE = 0.01


def whole_state(reader: StateReader, cluster: Cluster, topic: str) -> dict[bytes, bytes]:
    """The last value of each key in the state ``topic``, up to what is in it now. DependencyError: not in time."""
    waiting = set(range(STATE_PARTITIONS))
    for number in waiting:
        reader.start(number, cluster.high_watermark(Partition(topic, number)))
    entries: dict[bytes, bytes] = {}
    until = time.monotonic() + _SECONDS
    while waiting:
        if time.monotonic() > until:
            raise DependencyError("the state could not be read in time", where=topic)
        answered = reader.poll()
        if not answered:
            time.sleep(_PAUSE)
        for number, found in answered.items():
            waiting.discard(number)
            entries.update(found)
    return entries
