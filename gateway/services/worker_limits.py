"""How large a record each topic takes that a worker writes, asked when it starts (`max.message.bytes`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from gateway.mapping.compiled import CompiledMapping
from gateway.model.capture import TopicFacts, TopicSpec
from gateway.model.errors import ConfigError
from gateway.pipeline.letters import LETTER_SUFFIX
from gateway.services.worker_start import Waiting

__all__ = ["UNKNOWN", "TopicDescriber", "batch_size", "largest_records", "written_topics"]

UNKNOWN = 1_048_588
"""What a topic takes by Kafka's own default: assumed where the broker does not let us ask."""
_BATCH = 262_144
_KEY = "max.message.bytes"


class TopicDescriber(Protocol):
    """The part of the topics' administration that is needed."""

    def describe(self, specs: Sequence[TopicSpec]) -> Mapping[str, TopicFacts]:
        """Those of the topics that exist, with the settings that their spec speaks of."""
        ...


def written_topics(mappings: Iterable[CompiledMapping], prefix: str) -> list[str]:
    """Topics of events and of letters, with the installation's prefix."""
    found: set[str] = set()
    for mapping in mappings:
        found |= {prefix + topic + LETTER_SUFFIX for topic in mapping.topics}
        found |= {prefix + event.topic for event in mapping.events.values()}
    return sorted(found)


def largest_records(topics: TopicDescriber, names: Sequence[str], waiting: Waiting) -> Mapping[str, int]:
    """The largest record by topic; topics that do not exist are left to the check of topics."""
    specs = [TopicSpec(name, 1, 1, {_KEY: ""}) for name in names]
    try:
        facts = waiting.ask("kafka", lambda: topics.describe(specs))
    except ConfigError:  # it may not be asked; whether it may be written is found out soon enough
        return dict.fromkeys(names, UNKNOWN)
    return {name: int(one.config.get(_KEY, UNKNOWN)) for name, one in facts.items()}


def batch_size(largest: Mapping[str, int]) -> dict[str, str]:
    """The client's setting that keeps several small records from becoming one batch that is too large for a topic."""
    return {"batch.size": str(min([_BATCH, *largest.values()]))}
