"""What a release left in Kafka, in files: written by `make.py`, put into a broker in memory by tests.

cluster.json      release, prefix, topics (id, partitions, ends), the group's offsets with metadata, schema ids
topics.jsonl.gz   every record of every topic: [topic, partition, offset, timestamp, key, value, headers], base64
expected.jsonl.gz events and letters once all records were settled, by the release itself
recording.jsonl.gz, translated.jsonl.gz   a recording as the release wrote it, the events that it meant
mappings/         as the release read them
"""

from __future__ import annotations

import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateway.adapters.memory_broker import MemoryBroker, _Slot
from gateway.model.event import EncodedEvent
from gateway.model.record import RawRecord
from gateway.ports import Committed, Partition

__all__ = ["FOLDER", "fill", "lines", "releases", "told", "told_event", "topics_of", "write_lines"]

FOLDER = Path(__file__).parent
EVERYTHING = 1_000_000
CHANGES = ("lineage",)
"""Headers that tell of the rules as text and may say more in a later release."""


def releases() -> list[str]:
    """The releases of which something is stored."""
    return sorted(path.parent.name for path in FOLDER.glob("*/cluster.json"))


def _packed(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()


def _unpacked(value: str | None) -> bytes | None:
    return None if value is None else b64decode(value)


def told(record: RawRecord, *, whole: bool = False) -> list[Any]:
    """A record as it is stored; not ``whole``: without offset and time, which a later release may choose."""
    headers = [[name, _packed(value)] for name, value in record.headers if whole or name not in CHANGES]
    place = [record.topic, record.partition, *([record.offset, record.timestamp_ms] if whole else [])]
    return [*place, _packed(record.key), _packed(record.value), headers]


def told_event(event: EncodedEvent) -> list[Any]:
    """An event of a recording as it is stored."""
    headers = [[name, _packed(value)] for name, value in event.headers if name not in CHANGES]
    return [event.topic, _packed(event.key), _packed(event.value), headers]


def topics_of(broker: MemoryBroker, *names: str) -> list[RawRecord]:
    """Records that a read_committed reader gets of these topics; of all without names."""
    places = sorted(one for one in broker.logs if not names or one.topic in names)
    return [record for place in places for record in broker.readable(place, 0, EVERYTHING)[0]]


def write_lines(path: Path, found: Iterable[object]) -> None:
    """One JSON value a line, packed, the same bytes each time."""
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        for one in found:
            packed.write(json.dumps(one).encode() + b"\n")


def lines(path: Path) -> list[Any]:
    """What `write_lines` wrote."""
    with gzip.open(path) as file:
        return [json.loads(line) for line in file]


def fill(broker: MemoryBroker, release: str) -> dict[str, Any]:
    """Put a release's topics and offsets into a broker; what stands in `cluster.json`."""
    cluster: dict[str, Any] = json.loads((FOLDER / release / "cluster.json").read_text())
    for topic, facts in cluster["topics"].items():
        broker.create(topic, facts["partitions"])
        broker._topic_ids[topic] = facts["id"]
        for number, end in enumerate(facts["ends"]):
            broker.logs[Partition(topic, number)] = [_Slot(None, None) for _ in range(end)]
    for topic, number, offset, timestamp, key, value, headers in lines(FOLDER / release / "topics.jsonl.gz"):
        shown = tuple((name, _unpacked(text)) for name, text in headers)
        record = RawRecord(topic, number, offset, timestamp, _unpacked(key), _unpacked(value), shown)
        broker.logs[Partition(topic, number)][offset] = _Slot(record, None)
    for topic, number, offset, metadata in cluster["offsets"]:
        broker.committed[cluster["group"], Partition(topic, number)] = Committed(offset, metadata)
    return cluster
