"""Topics of a cluster over Kafka's admin protocol: describe, create, alter."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from gateway.adapters.kafka_client import client_settings, dependency_error, error_of
from gateway.model.capture import TopicFacts, TopicSpec
from gateway.model.errors import ConfigError, DependencyError

__all__ = ["KafkaTopics"]

_TIMEOUT = 30.0


class KafkaTopics:
    """The cluster at ``bootstrap``, which has ``patience`` seconds to be found.

    DependencyError: it does not answer; ConfigError: it refuses.
    """

    def __init__(self, bootstrap: str, settings: Mapping[str, str] | None = None, patience: float = _TIMEOUT) -> None:
        self._bootstrap = bootstrap
        self._patience = patience
        self._admin = AdminClient(client_settings(bootstrap, settings or {}))

    def describe(self, specs: Sequence[TopicSpec]) -> Mapping[str, TopicFacts]:
        """Those of the topics that exist, with the settings that their spec speaks of."""
        try:
            known = self._admin.list_topics(timeout=self._patience).topics
        except KafkaException as error:
            raise dependency_error(error, "asking for the topics", self._bootstrap) from error
        wanted = {spec.name: spec for spec in specs if spec.name in known}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in wanted]
        if not resources:
            return {}
        answers = self._admin.describe_configs(resources, request_timeout=_TIMEOUT)
        entries = {resource.name: self._result(future, resource.name) for resource, future in answers.items()}
        return {name: _facts(known[name], _chosen(entries[name], spec)) for name, spec in wanted.items()}

    def brokers(self) -> int:
        """How many brokers the cluster has now."""
        try:
            return len(self._admin.list_topics(timeout=self._patience).brokers)
        except KafkaException as error:
            raise dependency_error(error, "asking for the brokers", self._bootstrap) from error

    def create(self, specs: Sequence[TopicSpec]) -> None:
        """Create topics and wait until the broker shows them; one that exists already is left alone."""
        new = [NewTopic(one.name, one.partitions, one.replication, config=dict(one.config)) for one in specs]
        if not new:
            return
        for name, future in self._admin.create_topics(new, request_timeout=_TIMEOUT).items():
            self._result(future, name, unless=KafkaError.TOPIC_ALREADY_EXISTS)
        self._wait(lambda: self.describe(specs).keys() == {spec.name for spec in specs})

    def alter(self, specs: Sequence[TopicSpec]) -> None:
        """Give existing topics the settings of their spec and wait until the broker shows them; others stay."""
        resources = [
            ConfigResource(
                ResourceType.TOPIC,
                spec.name,
                incremental_configs=[
                    ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                    for key, value in spec.config.items()
                ],
            )
            for spec in specs
        ]
        if not resources:
            return
        for resource, future in self._admin.incremental_alter_configs(resources, request_timeout=_TIMEOUT).items():
            self._result(future, resource.name)
        self._wait(lambda: all(dict(self.describe([spec])[spec.name].config) == spec.config for spec in specs))

    def _wait(self, shown: Callable[[], bool]) -> None:
        """What the controller did, brokers show a little later: who subscribes now would not find it."""
        end = time.monotonic() + _TIMEOUT
        while not shown():
            if time.monotonic() > end:
                raise DependencyError("what was done to topics does not show", where=f"Kafka at {self._bootstrap}")
            time.sleep(0.05)

    def _result(self, future: Future[Any], topic: str, unless: int | None = None) -> Any:
        try:
            return future.result(_TIMEOUT + 1)
        except TimeoutError as error:
            raise DependencyError("no answer in time", where=f"Kafka at {self._bootstrap}") from error
        except KafkaException as error:
            reason = error_of(error)
            if reason.code() == unless:
                return None
            if reason.retriable() or reason.code() < 0:
                raise dependency_error(error, f"topic {topic}", self._bootstrap) from error
            raise ConfigError(f"topic {topic}: {reason.str()}", where=f"Kafka at {self._bootstrap}") from error


def _facts(topic: Any, config: Mapping[str, str]) -> TopicFacts:
    partitions = topic.partitions.values()
    replication = min((len(one.replicas) for one in partitions), default=0)
    return TopicFacts(len(partitions), config, replication, min((len(one.isrs) for one in partitions), default=0))


def _chosen(entries: Mapping[str, Any], spec: TopicSpec) -> dict[str, str]:
    return {key: str(entries[key].value) for key in spec.config if key in entries}
