"""The ground a bench stands on: a broker and a registry, contracts pushed, raw topics filled, outputs made anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.amplify import Amplifier
from benchmarks.broker import Broker
from benchmarks.reference import EventStreams, Reference
from gateway.mapping.compatibility import subject_name
from gateway.mapping.compiled import CompiledMapping
from gateway.services.capture_settings import RetainedTopics, TopicSettings
from gateway.services.schemas import contracts_of, push
from gateway.services.topics import create_topics, topic_specs
from gateway.settings import Settings
from gateway.wiring import wire_registry, wire_topics

__all__ = ["Ground", "Written"]


@dataclass(frozen=True, slots=True)
class Written:
    """What a worker wrote, read back: event streams, and letters by topic."""

    streams: EventStreams
    letters: Mapping[str, int]

    def faults(self, wanted: Reference) -> list[str]:
        """How it differs from the reference; empty if it does not."""
        found = []
        if self.streams.events != wanted.streams.events:
            found.append(f"{self.streams.events} events instead of {wanted.streams.events}")
        if keys := self.streams.difference(wanted.streams):
            found.append(f"{keys} keys with other events, or another order")
        if dict(self.letters) != dict(wanted.letters):
            found.append(f"dead letters {dict(self.letters)} instead of {dict(wanted.letters)}")
        return found


class Ground:
    """One installation on one broker. ConfigError and DependencyError as the services raise them."""

    def __init__(self, settings: Settings, mappings: Sequence[CompiledMapping], raw_partitions: int) -> None:
        self._settings = settings
        self._mappings = mappings
        self._broker = Broker(settings.bootstrap)
        # For ever: a recording's records may be older than any retention.
        self._topics = TopicSettings(raw=RetainedTopics(partitions=raw_partitions, retention_hours=-1))
        self._specs = topic_specs(settings, mappings, self._topics)
        self.raw = [settings.topic(name) for mapping in mappings for name in mapping.topics]
        self._public = sorted({settings.topic(e.topic) for mapping in mappings for e in mapping.events.values()})

    def push_contracts(self) -> dict[str, int]:
        """Register all contracts; returns the current ones' ids by full name."""
        settings, registry = self._settings, wire_registry(self._settings)
        push(registry, contracts_of(self._mappings, settings.topic, settings.mappings))
        return {
            kind.full_name: registry.schema_id(subject_name(settings.topic(kind.topic), kind.full_name), kind.schema)
            for mapping in self._mappings
            for kind in mapping.events.values()
        }

    def fill(self, amplifier: Amplifier, copies: int) -> int:
        """Raw topics and transaction topic from nothing, filled; returns the number of raw records."""
        self._broker.delete(spec.name for spec in self._specs)
        self._create()
        count = sum(self._broker.fill(amplifier.records(place, copies)) for place in amplifier.partitions)
        self._broker.append(amplifier.transaction_topic, amplifier.markers(copies))
        return count

    def renew(self) -> None:
        """Empty everything a run writes: public topics, letters, state."""
        kept = {*self.raw, f"{self._settings.topic(self._settings.topic_prefix)}.transaction"}
        self._broker.delete(spec.name for spec in self._specs if spec.name not in kept)
        self._create()

    def _create(self) -> None:
        create_topics(wire_topics(self._settings), self._settings, self._mappings, self._topics)

    def written(self) -> Written:
        """Read back what the last run wrote."""
        streams, letters = EventStreams(), dict[str, int]()
        for record in self._broker.read(self._public):
            streams.add(record.topic(), record.key(), dict(record.headers())["ce_id"], record.value())
        for record in self._broker.read([f"{name}.dlq" for name in self.raw]):
            letters[record.topic()] = letters.get(record.topic(), 0) + 1
        return Written(streams, letters)
