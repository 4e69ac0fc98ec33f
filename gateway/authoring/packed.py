"""Raw records and values as plain JSON, and back: bytes as text, or as base64 where they are no text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.authoring.shown import plain
from gateway.model import octets
from gateway.model.record import RawRecord
from gateway.model.values import Unavailable

__all__ = ["pack", "shown", "unpack"]


def pack(record: RawRecord) -> list[object]:
    """``[topic, partition, offset, timestamp, key, value, headers]``, as in a line of a recording."""
    headers = [[name, octets.pack(value)] for name, value in record.headers]
    key, value = octets.pack(record.key), octets.pack(record.value)
    return [record.topic, record.partition, record.offset, record.timestamp_ms, key, value, headers]


def unpack(line: Sequence[Any]) -> RawRecord:
    """The record of a packed line. ValueError, TypeError or KeyError for something else."""
    topic, partition, offset, timestamp, key, value, headers = line
    pairs = tuple((str(name), octets.unpack(each)) for name, each in headers)
    return RawRecord(
        str(topic), int(partition), int(offset), int(timestamp), octets.unpack(key), octets.unpack(value), pairs
    )


def shown(value: object) -> object:
    """A domain or raw value as JSON; an unavailable one says why."""
    return {"unavailable": value.value} if isinstance(value, Unavailable) else plain(value)
