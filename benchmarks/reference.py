"""The right answer, without a broker: what the worker has to write for the same raw records, and how much of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from benchmarks.amplify import Amplifier
from benchmarks.passthrough import Sample
from gateway.authoring.offline import assemble, books_of, translations
from gateway.mapping.compiled import CompiledMapping
from gateway.model.record import RawRecord
from gateway.pipeline.encode import WireSettings

__all__ = ["EventStreams", "Reference", "reference"]

SAMPLES = 20_000


@dataclass(slots=True)
class EventStreams:
    """One running hash for each (topic, key) over its events' ids and values in order; equal hashes, equal streams."""

    events: int = 0
    hashes: dict[tuple[str, bytes], bytes] = field(default_factory=dict)

    def add(self, topic: str, key: bytes, ce_id: bytes, value: bytes) -> None:
        """The next event of that key."""
        before = self.hashes.get((topic, key), b"")
        parts = (before, len(ce_id).to_bytes(4, "big"), ce_id, value)
        self.hashes[topic, key] = hashlib.blake2b(b"".join(parts), digest_size=16).digest()
        self.events += 1

    def difference(self, other: EventStreams) -> int:
        """How many keys have another stream there than here."""
        keys = self.hashes.keys() | other.hashes.keys()
        return sum(self.hashes.get(key) != other.hashes.get(key) for key in keys)


@dataclass(slots=True)
class Reference:
    """What the raw records become: event streams, letters by topic, a sample of everything written, header counts."""

    records: int = 0
    streams: EventStreams = field(default_factory=EventStreams)
    letters: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    outputs: int = 0
    output_bytes: int = 0
    headers: int = 0
    raw_bytes: int = 0

    @property
    def headers_each(self) -> float:
        """Headers of a written record, on average."""
        return self.headers / self.outputs if self.outputs else 0.0


def reference(
    amplifier: Amplifier,
    copies: int,
    mappings: Sequence[CompiledMapping],
    schema_ids: Mapping[str, int],
    wire: WireSettings,
) -> Reference:
    """Translate everything offline, one partition after another (memory: one partition's records at a time)."""
    found = Reference()
    books = books_of(mappings, schema_ids, wire)
    every = max(1, amplifier.count(copies) // SAMPLES)
    for place in amplifier.partitions:
        records = _counted(amplifier.records(place, copies), found)
        units = assemble(chain(amplifier.marker_records(1), records), mappings)
        for _unit, done in translations(units, mappings, books):
            for event in done.events:
                found.streams.add(event.topic, event.key, dict(event.headers)["ce_id"] or b"", event.value)
                _written(found, every, event.topic, event.key, event.value, event.headers)
            for letter in done.letters:
                found.letters[letter.topic] += 1
                _written(found, every, letter.topic, letter.key, letter.value, letter.headers)
    return found


def _counted(records: Iterable[RawRecord], found: Reference) -> Iterator[RawRecord]:
    for record in records:
        found.records += 1
        found.raw_bytes += len(record.key or b"") + len(record.value or b"")
        yield record


def _written(
    found: Reference,
    every: int,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes | None]],
) -> None:
    sample = Sample(topic, key, value, list(headers))
    found.outputs += 1
    found.output_bytes += sample.size
    found.headers += len(headers)
    if found.outputs % every == 0:
        found.samples.append(sample)
