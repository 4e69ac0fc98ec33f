"""Avro records in Confluent wire format, brought to the form that JSON records have."""

from __future__ import annotations

import datetime as dt
from base64 import b64encode
from collections.abc import Callable, Mapping
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import fastavro

__all__ = ["AvroReader", "SchemaById"]

SchemaById = Callable[[int], Mapping[str, object]]
"""Looks a writer's schema up by its id; its errors (DependencyError, ConfigError) pass through."""

_MAGIC = 0
_PREFIX = 5


class AvroReader:
    """Reads framed Avro values as dicts of JSON values: bytes as base64, dates as ISO text, decimals as text."""

    def __init__(self, schema_by_id: SchemaById) -> None:
        self._schema_by_id = schema_by_id
        self._parsed: dict[int, Any] = {}

    def __call__(self, value: bytes) -> Any:
        """The decoded datum. ValueError for a wrong magic byte or a body that does not fit its schema."""
        if len(value) < _PREFIX or value[0] != _MAGIC:
            raise ValueError(f"wrong magic byte {value[:1].hex() or '(none)'}: not Confluent wire format")
        body = BytesIO(value)
        body.seek(_PREFIX)
        schema = self._schema(int.from_bytes(value[1:_PREFIX], "big"))
        try:
            datum = fastavro.schemaless_reader(body, schema, None)
        except (EOFError, IndexError, TypeError, KeyError, OverflowError, MemoryError) as error:
            raise ValueError(f"the body does not fit its schema: {error or type(error).__name__}") from error
        return _plain(datum)

    def _schema(self, schema_id: int) -> Any:
        parsed = self._parsed.get(schema_id)
        if parsed is None:
            parsed = self._parsed[schema_id] = fastavro.parse_schema(dict(self._schema_by_id(schema_id)))
        return parsed


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | UUID) else value
