"""A consumer group's offsets over Kafka's admin protocol, seen from outside the group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import OFFSET_INVALID, ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from gateway.adapters.kafka_client import client_settings, dependency_error, error_of, partition_of, topic_partition
from gateway.adapters.retries import retry
from gateway.model.errors import ConfigError, DependencyError
from gateway.ports import Committed, Partition

__all__ = ["KafkaGroup"]

_TIMEOUT = 5.0
_MEMBERS = (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION, KafkaError.NON_EMPTY_GROUP)


class KafkaGroup:
    """``GroupOffsets`` on confluent-kafka. ``patience``: seconds for which a question is asked again."""

    def __init__(self, bootstrap: str, group: str, settings: Mapping[str, str], patience: float = 0.0) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._patience = patience
        self._admin = AdminClient(client_settings(bootstrap, settings))

    def members(self) -> Sequence[str]:
        """See ``GroupOffsets``."""
        described = self._patiently("describing", lambda: self._admin.describe_consumer_groups([self._group]))
        return [f"{one.member_id} at {one.host}" for one in described.members]

    def committed(self, partitions: Sequence[Partition]) -> Mapping[Partition, Committed]:
        """See ``GroupOffsets``."""
        if not partitions:
            return {}
        places = [topic_partition(one) for one in partitions]
        asked = [ConsumerGroupTopicPartitions(self._group, places)]
        answer = self._patiently(
            "asking the offsets of", lambda: self._admin.list_consumer_group_offsets(asked, require_stable=True)
        )
        return {
            partition_of(one): Committed(one.offset, one.metadata or "")
            for one in answer.topic_partitions
            if one.offset != OFFSET_INVALID
        }

    def commit(self, offsets: Mapping[Partition, Committed]) -> None:
        """See ``GroupOffsets``."""
        places = [topic_partition(one, *at) for one, at in offsets.items()]
        asked = [ConsumerGroupTopicPartitions(self._group, places)]
        self._answer("writing the offsets of", self._admin.alter_consumer_group_offsets(asked))

    def _patiently(self, doing: str, ask: Any) -> Any:
        if not self._patience:
            return self._answer(doing, ask())
        again = retry(on=DependencyError, attempts=None, timeout=self._patience, wait_max=1.0)
        return again(lambda: self._answer(doing, ask()))()

    def _answer(self, doing: str, asked: Mapping[Any, Future[Any]]) -> Any:
        try:
            (future,) = asked.values()
            answer = future.result(_TIMEOUT)
        except KafkaException as raised:
            raise self._error(error_of(raised), doing) from raised
        except TimeoutError as raised:
            raise DependencyError(f"{doing} group {self._group}: no answer", where=self._where) from raised
        for one in getattr(answer, "topic_partitions", None) or ():
            if isinstance(one, TopicPartition) and one.error is not None:
                raise self._error(one.error, doing)
        return answer

    @property
    def _where(self) -> str:
        return f"Kafka at {self._bootstrap}"

    def _error(self, error: KafkaError, doing: str) -> ConfigError | DependencyError | Exception:
        if error.code() in _MEMBERS:
            hint = "stop every `gateway run` of this installation first; a killed one leaves within its session timeout"
            return ConfigError("the group has members", where=self._group, hint=hint)
        if error.code() in (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED):
            return ConfigError(error.str(), where=self._group, hint="let this user read the group and its topics")
        return dependency_error(KafkaException(error), f"{doing} group {self._group}", self._bootstrap)
