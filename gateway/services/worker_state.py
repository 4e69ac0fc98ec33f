"""Records of ``gateway.state``: the copy of a partition's progress, and parked aggregates (protocol.md 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import xxhash

from gateway.model.errors import ConfigError, LetterClass
from gateway.model.letter import ParkEntry
from gateway.ports import Committed, Partition

__all__ = [
    "STATE_PARTITIONS",
    "PartitionMemory",
    "ack_key",
    "park_key",
    "park_value",
    "progress_key",
    "progress_value",
    "read_memory",
    "remembered",
    "state_partition",
]

STATE_PARTITIONS = 16
_FORMAT = 1


def state_partition(place: Partition) -> int:
    """Which partition of the state topic remembers ``place``: a stable hash, so no partition counts need to match."""
    return xxhash.xxh32_intdigest(f"{place.topic}/{place.partition}".encode()) % STATE_PARTITIONS


def progress_key(place: Partition) -> bytes:
    """Key of the copy of the progress."""
    return msgspec.json.encode(["progress", place.topic, place.partition])


def progress_value(at: Committed) -> bytes:
    """The copy: offset and metadata as they were committed, in the same transaction."""
    return msgspec.json.encode({"v": _FORMAT, "offset": at.offset, "metadata": at.metadata})


def park_key(place: Partition, aggregate_id: str) -> bytes:
    """Key of a park entry."""
    return msgspec.json.encode(["park", place.topic, place.partition, aggregate_id])


def park_value(entry: ParkEntry) -> bytes:
    """A park entry; ``head``, ``last`` are raw offsets, ``dlq_from`` an offset of the letters' partition."""
    return msgspec.json.encode(
        {
            "v": _FORMAT,
            "head": entry.head,
            "last": entry.last,
            "n": entry.letters,
            "attempt": entry.attempt,
            "class": entry.letter_class.value,
            "dlq_from": entry.dlq_from,
        }
    )


def ack_key(place: Partition, command: str) -> bytes:
    """Key of a partition's answer to a command; the answer itself is the value (bridge.commands)."""
    return msgspec.json.encode(["ack", command, place.topic, place.partition])


class _Park(msgspec.Struct):
    v: int
    head: int
    last: int
    n: int
    attempt: int
    letter_class: str = msgspec.field(name="class")
    dlq_from: int | None = None


class _Progress(msgspec.Struct):
    v: int
    offset: int
    metadata: str


@dataclass(frozen=True, slots=True)
class PartitionMemory:
    """What the state topic holds about one raw partition."""

    parked: Mapping[str, ParkEntry]
    progress: Committed | None


def read_memory(entries: Mapping[bytes, bytes], place: Partition) -> PartitionMemory:
    """The part of a state partition's ``entries`` that is about ``place``. ConfigError: a newer release wrote it."""
    parked: dict[str, ParkEntry] = {}
    progress: Committed | None = None
    for key, value in entries.items():
        match msgspec.json.decode(key):
            case ["park", place.topic, place.partition, str(aggregate_id)]:
                parked[aggregate_id] = _entry(value)
            case ["progress", place.topic, place.partition]:
                copy = msgspec.json.decode(value, type=_Progress)
                _check(copy.v)
                progress = Committed(copy.offset, copy.metadata)
            case _:
                pass
    return PartitionMemory(parked, progress)


def remembered(entries: Mapping[bytes, bytes]) -> dict[Partition, PartitionMemory]:
    """What ``entries`` hold of every raw partition that they speak of. ConfigError: a newer release wrote them."""
    grouped: dict[Partition, dict[bytes, bytes]] = {}
    for key, value in entries.items():
        match msgspec.json.decode(key):
            case ["park" | "progress", str(topic), int(number), *_]:
                grouped.setdefault(Partition(topic, number), {})[key] = value
            case _:
                pass
    return {place: read_memory(of_place, place) for place, of_place in grouped.items()}


def _entry(value: bytes) -> ParkEntry:
    park = msgspec.json.decode(value, type=_Park)
    _check(park.v)
    return ParkEntry(park.head, park.last, park.n, park.attempt, LetterClass(park.letter_class), park.dlq_from)


def _check(version: int) -> None:
    if version != _FORMAT:
        raise ConfigError(
            f"the state has format {version}, this release reads {_FORMAT}",
            where="gateway.state",
            hint="run the release that wrote it, or a newer one",
        )
