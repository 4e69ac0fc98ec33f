"""Dead letters: the raw record untouched, and headers that say what was wrong with it (design.md, Dead letters)."""

from __future__ import annotations

import hashlib

from gateway.model.errors import RecordError
from gateway.model.letter import DeadLetter
from gateway.model.record import Headers, RawRecord

__all__ = ["CLASS", "LETTER_LIMIT", "LETTER_SUFFIX", "UNIT", "dead_letter"]

LETTER_SUFFIX = ".dlq"
LETTER_LIMIT = 30 * 1024 * 1024
"""Above this many bytes of value a letter holds the head only, and a pointer with the hash of the whole."""
_KEPT = 64 * 1024
_CONNECT = "__connect.errors."
CLASS = "gateway.class"
UNIT = "unit"


def dead_letter(
    record: RawRecord, error: RecordError, *, digest: str, aggregate_id: str, unit: str, attempt: int = 1
) -> DeadLetter:
    """The letter for one record of a failed change set. ``unit`` is ``<txId>:<i>/<m>``, ``digest`` the mapping's."""
    value, pointer = _value(record)
    headers = (*record.headers, *_stock(record, error), *_own(error, digest, unit, attempt), *pointer)
    return DeadLetter(
        topic=record.topic + LETTER_SUFFIX,
        partition=record.partition,
        key=record.key,
        value=value,
        headers=headers,
        timestamp_ms=record.timestamp_ms,
        letter_class=error.letter_class,
        aggregate_id=aggregate_id,
        rule=error.rule,
        record=record,
    )


def _stock(record: RawRecord, error: RecordError) -> Headers:
    """The headers that Connect's own dead letters have, so that stock tools read ours."""
    trace = f"{type(error).__name__}: {error}"
    if error.__cause__ is not None:
        trace += f"\nCaused by: {type(error.__cause__).__name__}: {error.__cause__}"
    fields = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "stage": error.stage or "interpret",
        "class.name": f"gateway.pipeline.{error.stage or 'interpret'}",
        "exception.class.name": f"{type(error).__module__}.{type(error).__name__}",
        "exception.message": str(error),
        "exception.stacktrace": trace,
    }
    return tuple((_CONNECT + name, text.encode()) for name, text in fields.items())


def _own(error: RecordError, digest: str, unit: str, attempt: int) -> Headers:
    return (
        (CLASS, str(error.letter_class).encode()),
        ("gateway.rule", error.rule.encode()),
        ("gateway.mapping", digest.encode()),
        ("gateway.attempt", str(attempt).encode()),
        (UNIT, unit.encode()),
    )


def _value(record: RawRecord) -> tuple[bytes | None, Headers]:
    value = record.value
    if value is None or len(value) <= LETTER_LIMIT:
        return value, ()
    whole = hashlib.sha256(value).hexdigest().encode()
    return value[:_KEPT], (("gateway.pointer", record.place.encode()), ("gateway.sha256", whole))
