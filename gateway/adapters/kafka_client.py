"""What all Kafka adapters share: client settings, the shape of a record, what an error means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, TopicPartition

from gateway.model.errors import DependencyError, GatewayError
from gateway.model.record import RawRecord
from gateway.ports import Partition

__all__ = [
    "client_settings",
    "dependency_error",
    "error_of",
    "log_reader_settings",
    "partition_of",
    "place_of",
    "raw_record",
    "topic_partition",
]


def client_settings(bootstrap: str, extra: Mapping[str, str], **ours: object) -> dict[str, Any]:
    """librdkafka settings: ours, over them whatever the installation passes through (``extra``)."""
    return {
        "bootstrap.servers": bootstrap,
        "reconnect.backoff.max.ms": 1000,
        # What matters comes as an error of a call, and is told once. No logger: it would be called while the client has
        # the exception of a fatal error set, and turn that into a SystemError.
        "log_level": 0,
        "error_cb": lambda _error: (
            None
        ),  # transport errors: librdkafka reconnects by itself, and calls tell what failed
        **{name.replace("__", "."): value for name, value in ours.items()},
        **extra,
    }


def log_reader_settings(bootstrap: str, extra: Mapping[str, str], group: str) -> dict[str, Any]:
    """For consumers that are assigned by number and commit nothing; the client wants a group name all the same."""
    return client_settings(
        bootstrap,
        extra,
        group__id=group,
        enable__auto__commit=False,
        enable__auto__offset__store=False,
        isolation__level="read_committed",
        auto__offset__reset="earliest",
        enable__partition__eof=True,
        queued__max__messages__kbytes=4096,
        fetch__wait__max__ms=50,
    )


def raw_record(message: Any) -> RawRecord:
    """The record as it stands in the log."""
    return RawRecord(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
    )


def partition_of(place: TopicPartition) -> Partition:
    """What a TopicPartition names."""
    return Partition(place.topic, place.partition)


def place_of(message: Any) -> tuple[Partition, int]:
    """Where a message, or an event about a partition, stands."""
    return Partition(message.topic(), message.partition()), message.offset()


def topic_partition(partition: Partition, offset: int | None = None, metadata: str | None = None) -> TopicPartition:
    """The client's own noun; ``metadata`` is stored with a committed offset."""
    at = OFFSET_INVALID if offset is None else offset
    if metadata is None:
        return TopicPartition(partition.topic, partition.partition, at)
    return TopicPartition(partition.topic, partition.partition, at, metadata)


def error_of(raised: KafkaException | SystemError) -> KafkaError:
    """The KafkaError inside an exception of the client; any other SystemError is raised again.

    A call during which the client learns of a fatal error may still run a callback, with the exception already set:
    CPython then raises a SystemError caused by it.
    """
    cause = raised.__cause__ if isinstance(raised, SystemError) else raised
    if not isinstance(cause, KafkaException):
        raise raised
    error: KafkaError = cause.args[0]
    return error


def dependency_error(raised: KafkaException | SystemError, doing: str, bootstrap: str) -> GatewayError:
    """``doing`` failed because the broker did not answer as wanted: wait and try again."""
    return DependencyError(
        f"{doing}: {error_of(raised).str()}", where=f"Kafka at {bootstrap}", hint="waiting; it is tried again"
    )
