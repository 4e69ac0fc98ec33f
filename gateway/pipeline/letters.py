"""Dead letters: the raw record untouched, and headers that say what was wrong with it (design.md, Dead letters)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from gateway.model.errors import RecordError
from gateway.model.letter import DeadLetter
from gateway.model.record import Headers, RawRecord
from gateway.pipeline.limits import RECORD_BYTES, record_size

__all__ = ["CLASS", "LETTER_SUFFIX", "UNIT", "dead_letter", "hash_of", "pointer_letter"]

LETTER_SUFFIX = ".dlq"
_KEPT = 64 * 1024
"""Bytes of a record's value that a letter keeps where the whole would be larger than its topic takes."""
_LONGEST = 8_000
_CONNECT = "__connect.errors."
CLASS = "gateway.class"
UNIT = "unit"


def dead_letter(
    record: RawRecord,
    error: RecordError,
    *,
    digest: str,
    aggregate_id: str,
    unit: str,
    attempt: int = 1,
    largest: int = RECORD_BYTES,
) -> DeadLetter:
    """The letter for one record of a failed change set. ``unit`` is ``<txId>:<i>/<m>``, ``digest`` the mapping's.

    Above ``largest`` bytes it holds the head of the value, and a pointer to the record with the hash of the whole.
    """
    ours = (*_stock(record, error), *_own(error, digest, unit, attempt))
    key, value, headers = record.key, record.value, (*record.headers, *ours)
    if record_size(key, value, headers) > largest:
        key, value, headers = _cut(record, ours, largest)
    return _letter(record, error, aggregate_id, key, value, headers)


def pointer_letter(
    records: Sequence[RawRecord], whole: str, error: RecordError, *, digest: str, aggregate_id: str, unit: str
) -> DeadLetter:
    """One letter for a whole change set that is too large to be copied: where its records stand, and their hash.

    ``records``: its first and its last one. It is worth something as long as the raw topic keeps them.
    """
    first, last = records[0], records[-1]
    ours = (*_stock(first, error), *_own(error, digest, unit, 1), *_pointer(f"{first.place}-{last.offset}", whole))
    return _letter(first, error, aggregate_id, first.key, None, ours)


def hash_of(values: Iterable[bytes | None]) -> str:
    """What a pointer to several records says of their values: SHA-256 over all, one behind the other."""
    whole = hashlib.sha256()
    for value in values:
        whole.update(value or b"")
    return whole.hexdigest()


def _letter(
    record: RawRecord, error: RecordError, aggregate_id: str, key: bytes | None, value: bytes | None, headers: Headers
) -> DeadLetter:
    return DeadLetter(
        topic=record.topic + LETTER_SUFFIX,
        partition=record.partition,
        key=key,
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
    return tuple((_CONNECT + name, text[:_LONGEST].encode()) for name, text in fields.items())


def _own(error: RecordError, digest: str, unit: str, attempt: int) -> Headers:
    return (
        (CLASS, str(error.letter_class).encode()),
        ("gateway.rule", error.rule.encode()),
        ("gateway.mapping", digest.encode()),
        ("gateway.attempt", str(attempt).encode()),
        (UNIT, unit.encode()),
    )


def _pointer(place: str, whole: str) -> Headers:
    return (("gateway.pointer", place.encode()), ("gateway.sha256", whole.encode()))


def _cut(record: RawRecord, ours: Headers, largest: int) -> tuple[bytes | None, bytes | None, Headers]:
    """Key, head of the value and a pointer; nothing of the record but the pointer where even that is too much."""
    pointer = _pointer(record.place, hash_of([record.value]))
    key, head = record.key, None if record.value is None else record.value[: min(_KEPT, largest // 4)]
    headers = (*record.headers, *ours, *pointer)
    if record_size(key, head, headers) <= largest:
        return key, head, headers
    return (key if len(key or b"") <= largest // 4 else None), None, (*ours, *pointer)
