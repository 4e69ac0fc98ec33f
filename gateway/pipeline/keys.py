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

_MAGIC = b"\0"
_FRAME = 5
_CACHED_KEYS = 50_000


class Key(NamedTuple):
    """A readable key: the columns by domain name in the mapping's order (raw values), and the aggregate's id.

    ``unknown`` names the fields that are not the mapping's key: such a record stops its partition. ``form``: how the
    bytes came about; the same aggregate has other bytes, so perhaps another partition, under another form.
    """

    columns: Mapping[str, object]
    aggregate_id: str
    unknown: tuple[str, ...] = ()
    form: str = ""


class KeyReader:
    """Reads keys, JSON with or without schema block or Avro; remembers the last ones, since aggregates come back."""

    def __init__(self, names: tuple[str, ...], avro: AvroReader | None) -> None:
        self._names = names
        self._avro = avro
        self._cached = lru_cache(maxsize=_CACHED_KEYS)(self._read)

    def __call__(self, key: bytes | None) -> Key | RecordError:
        """The key, or the error (class ``decode``; ``drift`` for null columns) that its record gets.

        A key that another converter wrote is ``unknown``, its ``form`` says why.
        """
        if key is None:
            return _unreadable("the record has no key", "set message.key.columns for its table")
        return self._cached(key)

    def _read(self, raw: bytes) -> Key | RecordError:
        try:
            form, fields = ("avro", self._avro(raw)) if self._avro and raw[:1] == _MAGIC else _fields(raw)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            if _of_another_converter(raw):
                return Key({}, "", self._names, _of_another_converter(raw))
            return _unreadable(f"the key cannot be read: {error}")
        if not isinstance(fields, dict) or any(isinstance(value, dict | list) for value in fields.values()):
            return _unreadable("the key is not a record of plain columns")
        if set(fields) != set(self._names):
            return Key({}, "", tuple(sorted(set(fields) ^ set(self._names))))
        if None in fields.values():
            return _without_value()
        columns = {name: fields[name] for name in self._names}
        return Key(columns, aggregate_id(columns), form=f"{form}({','.join(fields)})")


def _fields(raw: bytes) -> tuple[str, Any]:
    decoded = msgspec.json.decode(raw)
    if isinstance(decoded, dict) and "payload" in decoded and "schema" in decoded:
        return "json with its schema", decoded["payload"]
    return "json", decoded


def _of_another_converter(raw: bytes) -> str:
    """What the bytes look like where they are not JSON but no damage either: nobody keys one record like this."""
    if raw[:1] == _MAGIC and len(raw) > _FRAME:
        return "it is framed for a schema registry"
    return "it is the text of a Struct" if raw.startswith(b"Struct{") else ""


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
            fields = _fields(value)[1]
            if not isinstance(fields, dict):
                raise ValueError(f"header {name} is not a record")
            return fields
    return None
