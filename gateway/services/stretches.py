"""Use case: enough of the raw topics to look at one record, or at a time: whole transactions, read and let go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.ports import Cluster, LogReader, Partition
from gateway.services.recording import raw_records

__all__ = ["TimedCluster", "around", "between", "found_at"]

_MINUTE_MS = 60_000


class TimedCluster(Cluster, Protocol):
    """A cluster that can be asked where in a partition a time begins."""

    def offset_at(self, partition: Partition, ms: int) -> int:
        """The first offset whose record's timestamp is at or after ``ms``; the high watermark if there is none."""
        ...


def found_at(cluster: Cluster, reader: LogReader, place: Partition, offset: int) -> RawRecord:
    """One record. ConfigError: there is none, with what there is; or no such topic."""
    cluster.shape(place.topic)  # a client that knows no leader yet may wait for one in vain
    low, high = cluster.low_watermark(place), cluster.high_watermark(place)
    if low <= offset < high:
        for record in raw_records(reader, {place: (offset, high)}, limit=1):
            if record.offset == offset:
                return record
    raise ConfigError(
        f"{place} has no record at {offset}",
        where=str(place),
        hint=f"it has offsets {low} to {high - 1}; older ones are gone by retention" if high > low else "it is empty",
    )


def around(
    cluster: Cluster, reader: LogReader, place: Partition, offset: int, reach: int
) -> tuple[list[RawRecord], bool, bool]:
    """Up to ``reach`` records before and behind an offset; whether the partition begins, and ends, with them."""
    low, high = cluster.low_watermark(place), cluster.high_watermark(place)
    start, end = max(low, offset - reach), min(high, offset + reach)
    return list(raw_records(reader, {place: (start, end)})), start == low, end == high


def between(
    cluster: TimedCluster, reader: LogReader, topics: Iterable[str], since_ms: int, until_ms: int, limit: int
) -> Iterator[RawRecord]:
    """The records of all partitions of these topics from a minute before ``since_ms`` to a minute behind ``until_ms``.

    ConfigError: more than ``limit`` records (nothing is left out silently).
    """
    spans: dict[Partition, tuple[int, int]] = {}
    for topic in topics:
        for number in range(cluster.shape(topic).partitions):
            place = Partition(topic, number)
            low, high = cluster.low_watermark(place), cluster.high_watermark(place)
            start = max(low, cluster.offset_at(place, since_ms - _MINUTE_MS)) if since_ms > _MINUTE_MS else low
            end = min(high, cluster.offset_at(place, until_ms + _MINUTE_MS)) if until_ms < 1 << 50 else high
            spans[place] = (start, max(start, end))
    total = sum(end - start for start, end in spans.values())
    if total > limit:
        raise ConfigError(
            f"{total} records of {_names(list(spans))} are in that time, {limit} are the most",
            hint="narrow it with --since and --until, raise --limit, or work on a recording",
        )
    yield from raw_records(reader, spans)


def _names(places: Sequence[Partition]) -> str:
    return ", ".join(dict.fromkeys(place.topic for place in places))
