"""Raw records and values as plain JSON, and back: bytes as text, or as base64 where they are no text."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

from gateway.authoring.shown import plain
from gateway.model.record import RawRecord
from gateway.model.values import Unavailable

__all__ = ["pack", "shown", "unpack"]


def pack(record: RawRecord) -> list[object]:
    """``[topic, partition, offset, timestamp, key, value, headers]``, as in a line of a recording."""
    headers = [[name, _pack(value)] for name, value in record.headers]
    return [
        record.topic, record.partition, record.offset, record.timestamp_ms, _pack(record.key), _pack(record.value),
        headers,
    ]  # fmt: skip


def unpack(line: Sequence[Any]) -> RawRecord:
    """The record of a packed line. ValueError, TypeError or KeyError for something else."""
    topic, partition, offset, timestamp, key, value, headers = line
    pairs = tuple((str(name), _unpack(each)) for name, each in headers)
    return RawRecord(str(topic), int(partition), int(offset), int(timestamp), _unpack(key), _unpack(value), pairs)


def shown(value: object) -> object:
    """A domain or raw value as JSON; an unavailable one says why."""
    return {"unavailable": value.value} if isinstance(value, Unavailable) else plain(value)


def _pack(value: bytes | None) -> object:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": b64encode(value).decode()}


def _unpack(value: Any) -> bytes | None:
    if value is None:
        return None
    return value.encode() if isinstance(value, str) else b64decode(value["b64"])
