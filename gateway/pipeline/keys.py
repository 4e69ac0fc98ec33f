"""The record key: which aggregate a record belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from gateway.model.errors import LetterClass, RecordError
from gateway.model.record import Headers
from gateway.pipeline.avro_in import AvroReader
from gateway.pipeline.identity import aggregate_id

__all__ = ["Key", "KeyReader", "other_key"]

_AVRO_MAGIC = 0
_CACHED_KEYS = 50_000


class Key(NamedTuple):
    """A readable key: the columns by domain name in the mapping's order (raw values), and the aggregate's id.

    ``unknown`` names the fields that are not the mapping's key: such a record stops its partition.
    """

    columns: Mapping[str, object]
    aggregate_id: str
    unknown: tuple[str, ...] = ()


class KeyReader:
    """Reads keys, JSON with or without schema block or Avro; remembers the last ones, since aggregates come back."""

    def __init__(self, names: tuple[str, ...], avro: AvroReader | None) -> None:
        self._names = names
        self._avro = avro
        self._cached = lru_cache(maxsize=_CACHED_KEYS)(self._read)

    def __call__(self, key: bytes | None) -> Key | RecordError:
        """The key, or the error (class ``decode``; ``drift`` for null columns) that its record gets."""
        if key is None:
            return _unreadable("the record has no key", "set message.key.columns for its table")
        return self._cached(key)

    def _read(self, raw: bytes) -> Key | RecordError:
        try:
            fields = self._avro(raw) if self._avro and raw[:1] == bytes([_AVRO_MAGIC]) else _fields(raw)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return _unreadable(f"the key cannot be read: {error}")
        if not isinstance(fields, dict) or any(isinstance(value, dict | list) for value in fields.values()):
            return _unreadable("the key is not a record of plain columns")
        if set(fields) != set(self._names):
            return Key({}, "", tuple(sorted(set(fields) ^ set(self._names))))
        if None in fields.values():
            return _without_value()
        columns = {name: fields[name] for name in self._names}
        return Key(columns, aggregate_id(columns))


def _fields(raw: bytes) -> Any:
    decoded = msgspec.json.decode(raw)
    if isinstance(decoded, dict) and "payload" in decoded and "schema" in decoded:
        return decoded["payload"]
    return decoded


def _unreadable(what: str, hint: str = "") -> RecordError:
    return RecordError(LetterClass.DECODE, what, stage="decode", hint=hint)


def _without_value() -> RecordError:
    hint = "its table needs REPLICA IDENTITY FULL"
    return RecordError(LetterClass.DRIFT, "a key column is null", stage="decode", hint=hint)


_OTHER = {"__debezium.newkey", "__debezium.oldkey"}


def other_key(headers: Headers) -> Mapping[str, object] | None:
    """The key on the far side of a key change, by legacy column name; None where the record is no half of one.

    Raises msgspec.MsgspecError or ValueError where the header cannot be read.
    """
    for name, value in headers:
        if name in _OTHER and value is not None:
            fields = _fields(value)
            if not isinstance(fields, dict):
                raise ValueError(f"header {name} is not a record")
            return fields
    return None
