"""Questions to the broker on a connection of their own: on the fetching one each waits behind a long poll."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, _listoffsets

from gateway.adapters.kafka_client import client_settings, dependency_error, partition_of, topic_partition
from gateway.adapters.retries import retry
from gateway.model.errors import ConfigError, DependencyError
from gateway.ports import Partition, TopicShape

__all__ = ["KafkaCluster"]

_TIMEOUT = 3.0
_RENEW_EVERY = 1.0
Answer = TypeVar("Answer")
OffsetSpec: Any = _listoffsets.OffsetSpec  # exported without types


class KafkaCluster:
    """``Cluster`` on confluent-kafka's admin client.

    That client keeps asking a leader it once learnt was away, long after a broker's restart: after a failure it is
    replaced by a new one. ``patience``: seconds for which a question is asked again before DependencyError tells that
    the broker is away; none for whoever asks again himself.
    """

    def __init__(self, bootstrap: str, settings: Mapping[str, str], patience: float = 0.0) -> None:
        self._patience = patience
        self._bootstrap = bootstrap
        self._settings = client_settings(bootstrap, settings)
        self._admin = AdminClient(self._settings)
        self._renewed_at = time.monotonic()
        self._open: dict[Partition, Future[Any]] = {}

    def _renew(self) -> None:
        if time.monotonic() - self._renewed_at > _RENEW_EVERY:
            self._renewed_at = time.monotonic()
            self._admin = AdminClient(self._settings)

    def _offsets(self, partitions: Sequence[Partition], spec: Any) -> dict[Partition, Future[Any]]:
        found = self._admin.list_offsets(
            {topic_partition(one): spec for one in partitions},
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=_TIMEOUT,
        )
        return {partition_of(place): future for place, future in found.items()}

    def ask(self, partitions: Sequence[Partition]) -> None:
        """See ``Cluster``."""
        if partitions:
            self._open = self._offsets(partitions, OffsetSpec.latest())

    @property
    def waiting(self) -> bool:
        """See ``Cluster``."""
        return bool(self._open)

    def answers(self) -> Mapping[Partition, int]:
        """See ``Cluster``."""
        done = {one: future for one, future in self._open.items() if future.done()}
        for one in done:
            del self._open[one]
        if any(future.exception() is not None for future in done.values()):
            self._renew()
        return {one: future.result().offset for one, future in done.items() if future.exception() is None}

    def high_watermark(self, partition: Partition) -> int:
        """See ``Cluster``."""
        return self._one(partition, OffsetSpec.latest())

    def low_watermark(self, partition: Partition) -> int:
        """See ``Cluster``."""
        return self._one(partition, OffsetSpec.earliest())

    def offset_at(self, partition: Partition, ms: int) -> int:
        """The first offset with a timestamp at or after ``ms`` (since the epoch); the high watermark if none has."""
        found = self._one(partition, OffsetSpec.for_timestamp(ms))
        return found if found >= 0 else self.high_watermark(partition)

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        if not self._patience:
            return ask()
        return retry(on=DependencyError, attempts=None, timeout=self._patience, wait_max=1.0)(ask)()

    def _one(self, partition: Partition, spec: Any) -> int:
        return self._patiently(lambda: self._one_now(partition, spec))

    def _one_now(self, partition: Partition, spec: Any) -> int:
        try:
            found: int = self._offsets([partition], spec)[partition].result(_TIMEOUT + 1).offset
        except KafkaException as raised:
            self._renew()
            raise dependency_error(raised, f"asking the watermarks of {partition}", self._bootstrap) from raised
        except TimeoutError as raised:
            raise DependencyError(
                "no answer", where=f"Kafka at {self._bootstrap}", hint="it is tried again"
            ) from raised
        return found

    def shape(self, topic: str) -> TopicShape:
        """See ``Cluster``."""
        return self._patiently(lambda: self._shape_now(topic))

    def _shape_now(self, topic: str) -> TopicShape:
        try:
            metadata = self._admin.list_topics(topic, timeout=_TIMEOUT).topics[topic]
            if metadata.error is not None and metadata.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise KafkaException(metadata.error)  # no leader yet, no answer: it may be there all the same
            if metadata.error is not None or not metadata.partitions:
                raise ConfigError(
                    f"topic {topic} does not exist",
                    where=f"Kafka at {self._bootstrap}",
                    hint="run `gateway connect apply`: it creates topics and starts the capture",
                )
            described = self._admin.describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT)
            found = described[topic].result(_TIMEOUT + 1)
        except KafkaException as raised:
            self._renew()
            raise dependency_error(raised, f"asking about topic {topic}", self._bootstrap) from raised
        except TimeoutError as raised:
            raise DependencyError(
                "no answer", where=f"Kafka at {self._bootstrap}", hint="it is tried again"
            ) from raised
        return TopicShape(str(found.topic_id), len(found.partitions))

    def close(self) -> None:
        """See ``Cluster``."""
        self._open = {}
