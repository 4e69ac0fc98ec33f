"""A reader that is assigned its partitions by number and commits nothing."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException

from gateway.adapters.kafka_client import (
    dependency_error,
    log_reader_settings,
    place_of,
    raw_record,
    topic_partition,
)
from gateway.model.record import RawRecord
from gateway.ports import Batch, Partition

__all__ = ["KafkaLog"]

_LIMIT = 2000


class KafkaLog:
    """``LogReader`` on confluent-kafka."""

    def __init__(self, bootstrap: str, settings: Mapping[str, str], group: str) -> None:
        self._bootstrap = bootstrap
        self._consumer = Consumer(log_reader_settings(bootstrap, settings, group))

    def assign(self, starts: Mapping[Partition, int]) -> None:
        """Read exactly these from now on."""
        self._consumer.assign([topic_partition(one, at) for one, at in starts.items()])

    def take(self, limit: int = _LIMIT, wait: float = 0.0) -> Batch:
        """Up to ``limit`` records, waiting up to ``wait`` seconds for the first. DependencyError."""
        try:
            messages = self._consumer.consume(limit, 0)
            if not messages and wait > 0:
                one = self._consumer.poll(wait)
                messages = [one] if one is not None else []
        except (KafkaException, SystemError) as raised:
            raise dependency_error(raised, "reading", self._bootstrap) from raised
        records: list[RawRecord] = []
        ends: dict[Partition, int] = {}
        for message in messages:
            error = message.error()
            if error is None:
                records.append(raw_record(message))
            elif error.code() == KafkaError._PARTITION_EOF:
                place, end = place_of(message)
                ends[place] = end
        return Batch(records, ends)

    def close(self) -> None:
        """Let go of the connection. Never raises."""
        self._consumer.close()
