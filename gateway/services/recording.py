"""Use case: copy raw topics, as they stand now, into a recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from gateway.model.errors import DependencyError
from gateway.model.record import RawRecord
from gateway.ports import Cluster, LogReader, Partition

__all__ = ["raw_records", "spans"]

_BATCH = 2000
_PATIENCE = 60
"""Looks of one second each without any record before the broker counts as away."""


def spans(cluster: Cluster, topics: Sequence[str]) -> dict[Partition, tuple[int, int]]:
    """First offset and high watermark of every partition of the topics. ConfigError for a topic that does not exist."""
    found: dict[Partition, tuple[int, int]] = {}
    for topic in topics:
        for number in range(cluster.shape(topic).partitions):
            partition = Partition(topic, number)
            found[partition] = (cluster.low_watermark(partition), cluster.high_watermark(partition))
    return found


def raw_records(
    reader: LogReader,
    within: Mapping[Partition, tuple[int, int]],
    change: Callable[[RawRecord], RawRecord | None] | None = None,
    limit: int = 0,
) -> Iterator[RawRecord]:
    """The records in these spans, each partition in offset order; ``change`` may replace one, or leave it out (None).

    Ends when every span is read, or after ``limit`` records (0: no limit). DependencyError if the broker falls silent.
    """
    left = {partition: end for partition, (start, end) in within.items() if start < end}
    reader.assign({partition: within[partition][0] for partition in left})
    given = silent = 0
    while left:
        batch = reader.take(_BATCH, 1.0)
        silent = 0 if batch.records or batch.ends else silent + 1
        if silent > _PATIENCE:
            raise DependencyError("the broker gives no more records", where=", ".join(map(str, left)))
        for record in batch.records:
            partition = Partition(record.topic, record.partition)
            end = left.get(partition)
            if end is None or record.offset >= end:
                left.pop(partition, None)
                continue
            if record.offset + 1 >= end:
                del left[partition]
            kept = change(record) if change else record
            if kept is not None:
                yield kept
                given += 1
                if given == limit:
                    return
        for partition, reached in batch.ends.items():
            if reached >= left.get(partition, 0):
                left.pop(partition, None)
