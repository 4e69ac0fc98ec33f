"""The state topic and the transaction topic, over any reader of logs."""

from __future__ import annotations

import time
from collections.abc import Mapping

from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.ports import Cluster, LogReader, Partition

__all__ = ["MarkerTopic", "StateTopic"]

_LOOK_AGAIN = 0.5
_FIRST_LOOK_BACK = 64
_EVERYTHING = 2**62


class StateTopic:
    """``StateReader`` over the compacted state ``topic``."""

    def __init__(self, log: LogReader, topic: str) -> None:
        self._log = log
        self._topic = topic
        self._until: dict[int, int] = {}
        self._seen: dict[int, dict[bytes, bytes]] = {}
        self._next: dict[int, int] = {}

    def start(self, partition: int, until: int) -> None:
        """See ``StateReader``."""
        self._until[partition] = until
        self._seen[partition] = {}
        self._next[partition] = 0
        self._assign()

    def _assign(self) -> None:
        self._log.assign({Partition(self._topic, one): at for one, at in self._next.items()})

    def poll(self) -> Mapping[int, Mapping[bytes, bytes]]:
        """See ``StateReader``."""
        if not self._until:
            return {}
        batch = self._log.take()
        for record in batch.records:
            self._keep(record)
        for place, end in batch.ends.items():
            self._advance(place.partition, end)
        done = {one: self._seen[one] for one, until in self._until.items() if self._next[one] >= until}
        for one in done:
            del self._until[one], self._seen[one], self._next[one]
        if done:
            self._assign()
        return done

    def _keep(self, record: RawRecord) -> None:
        if record.partition not in self._until or record.key is None:
            return
        self._advance(record.partition, record.offset + 1)
        if record.value is None:
            self._seen[record.partition].pop(record.key, None)
        else:
            self._seen[record.partition][record.key] = record.value

    def _advance(self, partition: int, to: int) -> None:
        if partition in self._next:
            self._next[partition] = max(self._next[partition], to)

    def close(self) -> None:
        """See ``StateReader``."""
        self._log.close()


class MarkerTopic:
    """``MarkerReader`` over the transaction ``topic``, which may come into being later."""

    def __init__(self, log: LogReader, cluster: Cluster, topic: str) -> None:
        self._log = log
        self._cluster = cluster
        self._place = Partition(topic, 0)
        self._back = _FIRST_LOOK_BACK
        self._low: int | None = None
        self._start = self._until = 0
        self._missing = False
        self._look_at = 0.0
        self._at_end = False

    def poll(self) -> list[bytes]:
        """See ``MarkerReader``."""
        if self._low is None and not self._find():
            return []
        batch = self._log.take()
        if batch.records:
            self._at_end = False
        if batch.ends.get(self._place, -1) >= self._until:
            self._at_end = True
        return [record.value for record in batch.records if record.value is not None]

    def _find(self) -> bool:
        if time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + _LOOK_AGAIN
        try:
            shape = self._cluster.shape(self._place.topic)
        except ConfigError:
            self._missing = self._at_end = True
            return False  # the connector creates it with its first transaction
        if shape.partitions != 1:
            raise ConfigError(
                f"the transaction topic has {shape.partitions} partitions, not one",
                where=self._place.topic,
                hint="recreate it with one partition: ENDs in several partitions have no order",
            )
        low = self._cluster.low_watermark(self._place)
        if self._missing:  # who looked for something in it was told that there is nothing: now all of it is new
            self._begin(low, _EVERYTHING)
            self._back = _FIRST_LOOK_BACK
        else:
            self._begin(low, self._back)
        self._low = low  # known from here on: a question without an answer is asked again
        return True

    def _begin(self, low: int, back: int) -> None:
        self._until = self._cluster.high_watermark(self._place)
        self._start = max(low, self._until - back)
        self._back = back
        self._at_end = False
        self._log.assign({self._place: self._start})

    @property
    def at_end(self) -> bool:
        """See ``MarkerReader``."""
        return self._at_end

    def again(self) -> None:
        """See ``MarkerReader``."""
        self._at_end = False
        if self._low is not None:
            self._begin(self._low, self._back)

    def earlier(self) -> bool:
        """See ``MarkerReader``."""
        if self._low is None or self._start <= self._low:
            return False
        self._begin(self._low, self._back * 8)
        return True

    def close(self) -> None:
        """See ``MarkerReader``."""
        self._log.close()
