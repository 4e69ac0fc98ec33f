"""What the consumer makes of a batch: nothing that was read is lost to an error beside it, nothing comes twice."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, Message

from gateway.adapters.kafka_source import KafkaSource
from gateway.model.errors import ConfigError


def message(offset: int, error: KafkaError | None = None) -> Message:
    return Message(
        topic="raw", partition=0, offset=offset, key=b"k", value=b"v", headers=[], error=error, timestamp=(1, 1)
    )


def test_records_before_an_error_are_delivered_and_the_error_comes_next() -> None:
    source = KafkaSource("127.0.0.1:9", "group", {"log_level": "0"})
    denied = message(2, KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    batch = source._batch([message(0), message(1), denied])
    assert [record.offset for record in batch.records] == [0, 1]
    with pytest.raises(ConfigError, match="grant the worker's user read access"):
        source.take(10, 0.01)
    source.close()


def test_what_stands_before_the_start_is_dropped() -> None:
    source = KafkaSource("127.0.0.1:9", "group", {"log_level": "0"})
    source._batch([message(4)])
    assert [record.offset for record in source._batch([message(3), message(4), message(5)]).records] == [5]
    source.close()
