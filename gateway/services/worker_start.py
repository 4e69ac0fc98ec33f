"""What must be true before a worker joins its group: schemas are registered, topics exist (protocol.md 10)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from gateway.mapping.compatibility import subject_name
from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import ConfigError, DependencyError
from gateway.ports import Cluster, SchemaRegistry
from gateway.services.worker_outages import Outages
from gateway.services.worker_plan import WorkerPlan
from gateway.services.worker_state import STATE_PARTITIONS

__all__ = ["AskedOnce", "StartRefused", "Waiting", "check_topics", "look_up_schemas"]

_T = TypeVar("_T")
_PAUSE = 0.5


class StartRefused(ConfigError):  # noqa: N818 - names what happened
    """Everything that stands in the way of a start, together."""


class Waiting:
    """Asks again until there is an answer, saying once what is waited for. ``stopping``: give up now."""

    def __init__(self, outages: Outages, stopping: Callable[[], bool]) -> None:
        self._outages = outages
        self._stopping = stopping

    def ask(self, dependency: str, question: Callable[[], _T]) -> _T:
        """The answer. KeyboardInterrupt when asked to stop meanwhile; ConfigError as the question raises it."""
        while True:
            try:
                answer = question()
            except DependencyError as error:
                self._outages.away(dependency, error)
            else:
                self._outages.back(dependency)
                return answer
            if self._stopping():
                raise KeyboardInterrupt
            time.sleep(_PAUSE)


class AskedOnce(Waiting):
    """Does not wait: whoever asks comes again by himself. DependencyError as the question raises it."""

    def __init__(self) -> None:
        """Nothing is told of what is away, either."""

    def ask(self, dependency: str, question: Callable[[], _T]) -> _T:
        """The answer of now."""
        return question()


def look_up_schemas(
    registry: SchemaRegistry, mappings: Iterable[CompiledMapping], prefix: str, waiting: Waiting
) -> Mapping[str, int]:
    """Schema ids by Avro full name. ConfigError naming every contract that is missing or different."""
    ids: dict[str, int] = {}
    refused: list[str] = []
    for mapping in mappings:
        for event in mapping.contracts:
            subject = subject_name(prefix + event.topic, event.full_name)
            try:
                ids[event.full_name] = waiting.ask(
                    "registry",
                    lambda subject=subject, schema=event.schema: registry.schema_id(subject, schema),  # type: ignore[misc]
                )
            except ConfigError as error:
                refused.append(str(error))
    if refused:
        raise StartRefused("contracts are not registered as the mappings need them:\n" + "\n".join(refused))
    return ids


def check_topics(cluster: Cluster, plan: WorkerPlan, waiting: Waiting) -> None:
    """Topics that the worker reads and writes exist, letters with the raw topic's partitions. ConfigError."""
    refused: list[str] = []

    def partitions(topic: str) -> int:
        try:
            return waiting.ask("kafka", lambda: cluster.shape(topic)).partitions
        except ConfigError as error:
            refused.append(str(error))
            return 0

    for raw in plan.topics.values():
        expected, letters = partitions(raw.topic), partitions(raw.letters)
        if expected and letters and letters < expected:
            refused.append(f"{raw.letters} has {letters} partitions, {raw.topic} has {expected}: they must be as many")
    for topic in sorted({topic for raw in plan.topics.values() for topic in raw.public}):
        partitions(topic)
    for topic in sorted(plan.reference):
        partitions(topic)
    state = partitions(plan.state_topic)
    if state not in (0, STATE_PARTITIONS):
        refused.append(f"{plan.state_topic} has {state} partitions, not {STATE_PARTITIONS}")
    if refused:
        raise StartRefused("topics are not as they must be:\n" + "\n".join(refused))
