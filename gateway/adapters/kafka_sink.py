"""The transactional producer, and which of its errors means what (protocol.md 5)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from gateway.adapters.bounded import BoundedCalls
from gateway.adapters.kafka_client import client_settings, error_of, topic_partition
from gateway.model.errors import ConfigError, DependencyError
from gateway.model.record import Headers
from gateway.ports import Committed, InDoubt, Membership, MustAbort, Partition

__all__ = ["TRANSACTION_TIMEOUT", "KafkaSink"]

TRANSACTION_TIMEOUT = 30.0
"""Seconds after which the broker aborts a transaction by itself."""
_PATIENCE = TRANSACTION_TIMEOUT / 2
_FENCED = (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, 90)  # 90: PRODUCER_FENCED
_FORBIDDEN = (KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)
_POLL_EVERY = 500
_RETRY_BACKOFF = 1.0
_SUSPECT = _RETRY_BACKOFF / 2
"""Seconds of a call behind which the client may have sent its request twice: docs/adr/0014."""
_OPEN_SECONDS = 2.0
_GRACE = 0.5


class KafkaSink:
    """``TransactionalSink`` on confluent-kafka. ``transactional_id`` is stable over restarts."""

    def __init__(self, bootstrap: str, transactional_id: str, settings: Mapping[str, str]) -> None:
        self.transactional_id = transactional_id
        self._bootstrap = bootstrap
        self._config = client_settings(
            bootstrap,
            settings,
            transactional__id=transactional_id,
            transaction__timeout__ms=int(TRANSACTION_TIMEOUT * 1000),
            partitioner="murmur2_random",
            compression__type="lz4",
            linger__ms=20,
            batch__size=262144,
            queue__buffering__max__kbytes=32768,
            message__max__bytes=32 * 1024 * 1024,
        )
        self._config |= {
            "retry.backoff.ms": int(_RETRY_BACKOFF * 1000),
            "retry.backoff.max.ms": int(_RETRY_BACKOFF * 1000),
        }
        self._producer: Producer | None = None
        self._calls = BoundedCalls("producer")
        self._ready = False
        self._suspect = False
        self._sent = 0

    def reopen(self) -> None:
        """See ``TransactionalSink``."""
        if self._ready:
            self._forget()
        if self._producer is None:
            self._producer = Producer(self._config)
        producer = self._producer
        try:
            self._calls.call(lambda: producer.init_transactions(_OPEN_SECONDS), _OPEN_SECONDS + _GRACE)
        except TimeoutError as raised:
            self._abandon()
            raise DependencyError("opening the producer: no answer in time", where=self._place) from raised
        except (KafkaException, SystemError) as raised:
            error = error_of(raised)
            if not error.retriable():
                self._forget()
            if error.code() in _FORBIDDEN:
                raise ConfigError(
                    error.str(), where=self._place, hint="grant the user this transactional id"
                ) from raised
            raise DependencyError(f"opening the producer: {error.str()}", where=self._place) from raised
        self._ready, self._suspect = True, False

    @property
    def _place(self) -> str:
        return f"Kafka at {self._bootstrap}, transactional id {self.transactional_id}"

    def _forget(self) -> None:
        producer, self._producer, self._ready = self._producer, None, False
        if producer is not None:
            with suppress(KafkaException, SystemError):
                producer.purge()
            del producer

    def _abandon(self) -> None:
        """A call on this producer does not return: leave both to themselves; a successor fences it."""
        self._producer, self._ready = None, False
        self._calls = BoundedCalls("producer")

    def _open(self) -> Producer:
        if self._producer is None or not self._ready:
            raise InDoubt("the producer is not open", where=self._place)
        return self._producer

    def begin(self) -> None:
        """See ``TransactionalSink``. After a suspect call a new epoch comes first: it fences what is under way."""
        if self._suspect:
            try:
                self.reopen()
            except DependencyError as raised:
                raise InDoubt(raised.what, where=self._place) from raised
        self._until(time.monotonic() + _PATIENCE, lambda producer, _left: producer.begin_transaction())

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
        delivered: Callable[[int], None] | None = None,
    ) -> None:
        """See ``TransactionalSink``."""
        options: dict[str, Any] = {}
        if partition is not None:
            options["partition"] = partition
        if timestamp_ms is not None and timestamp_ms > 0:
            options["timestamp"] = timestamp_ms
        if delivered is not None:
            options["on_delivery"] = _offset_of(delivered)
        producer = self._open()
        self._sent += 1
        try:
            if self._sent % _POLL_EVERY == 0:
                producer.poll(0)
            producer.produce(topic, value, key, headers=list(headers), **options)
        except BufferError:
            self._send_when_there_is_room(producer, topic, value, key, headers, options)
        except (KafkaException, SystemError) as raised:
            raise self._meaning(raised) from raised

    def _send_when_there_is_room(
        self,
        producer: Producer,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        headers: Headers,
        options: Mapping[str, Any],
    ) -> None:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            try:
                producer.poll(0.05)
                producer.produce(topic, value, key, headers=list(headers), **options)
            except BufferError:
                continue
            except (KafkaException, SystemError) as raised:
                raise self._meaning(raised) from raised
            return
        raise InDoubt("the producer's queue stays full: the broker takes nothing", where=self._place)

    def commit(
        self, offsets: Mapping[Partition, Committed], membership: Membership | None, deadline: float | None = None
    ) -> None:
        """See ``TransactionalSink``."""
        until = time.monotonic() + min(_PATIENCE, _PATIENCE if deadline is None else deadline)
        self._flush(max(0.0, until - time.monotonic()))
        places = [topic_partition(one, at.offset, at.metadata) for one, at in offsets.items()]
        if places:
            self._until(until, lambda one, left: one.send_offsets_to_transaction(places, membership, left))
        self._until(until, lambda one, left: one.commit_transaction(left))

    def _flush(self, seconds: float) -> None:
        try:
            left = self._open().flush(seconds)
        except (KafkaException, SystemError) as raised:
            raise self._meaning(raised) from raised
        if left > 0:
            raise InDoubt(f"{left} records were not taken in time", where=self._place)

    def abort(self) -> None:
        """See ``TransactionalSink``."""
        try:
            self._until(time.monotonic() + _PATIENCE, lambda producer, left: producer.abort_transaction(left))
        except MustAbort as raised:
            raise InDoubt(raised.what, where=self._place) from raised

    def _until(self, until: float, call: Callable[[Producer, float], object]) -> None:
        """Retry what may be retried until then; after that nobody knows (protocol.md 5).

        Some calls do not return while the broker is away, whatever their own timeout says: they are given up, too.
        """
        while True:
            begun = time.monotonic()
            producer, left = self._open(), max(0.01, until - begun)
            try:
                self._calls.call(lambda producer=producer, left=left: call(producer, left), left + _GRACE)  # type: ignore[misc]
            except TimeoutError as raised:
                self._abandon()
                raise InDoubt("the broker did not answer in time", where=self._place) from raised
            except (KafkaException, SystemError) as raised:
                if not error_of(raised).retriable() or time.monotonic() >= until:
                    raise self._meaning(raised) from raised
                self._suspect = True
                time.sleep(0.02)
                continue
            self._suspect |= time.monotonic() - begun > _SUSPECT
            return

    def _meaning(self, raised: KafkaException | SystemError) -> MustAbort | InDoubt:
        error = error_of(raised)
        if error.code() == KafkaError._FATAL:
            error = self._cause() or error
        if error.txn_requires_abort():
            return MustAbort(error.str(), where=self._place)
        if error.code() in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError._BAD_MSG):
            return MustAbort(error.str(), where=self._place)
        return InDoubt(error.str(), where=self._place, fenced=error.code() in _FENCED)

    def _cause(self) -> KafkaError | None:
        """What made the producer's state fatal: a later call tells it."""
        try:
            self._open().flush(0)
        except (KafkaException, SystemError) as raised:
            return error_of(raised)
        return None

    def close(self) -> None:
        """See ``TransactionalSink``."""
        if self._producer is not None and self._ready:
            with suppress(KafkaException, SystemError, InDoubt, MustAbort):
                self._until(time.monotonic() + 1, lambda producer, left: producer.abort_transaction(left))
        self._forget()


def _offset_of(delivered: Callable[[int], None]) -> Callable[[KafkaError | None, Any], None]:
    def report(error: KafkaError | None, message: Any) -> None:
        if error is None:
            delivered(message.offset())

    return report
