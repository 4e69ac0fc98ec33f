"""One record from a JSON file, in any of the forms in which people come by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.authoring.packed import unpack
from gateway.mapping.compiled import CompiledMapping, Table
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord

__all__ = ["record_of"]

_HINT = (
    "give one line of a recording, an object as `gateway recording show` prints it, "
    "or a Debezium envelope (before, after, op, source)"
)


def record_of(document: object, mappings: Sequence[CompiledMapping]) -> RawRecord:
    """The record: a recording's line, an object of ``recording show``, or a bare envelope. ConfigError: no such."""
    try:
        if isinstance(document, list):
            return unpack(document)
        if isinstance(document, dict) and "topic" in document and "value" in document:
            return _shown(document)
        if isinstance(document, dict):
            return _envelope(document, mappings)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"not a record: {type(error).__name__}: {error}", hint=_HINT) from error
    raise ConfigError("not a record", hint=_HINT)


def _shown(fields: Mapping[str, Any]) -> RawRecord:
    headers = tuple((name, _bytes(value)) for name, value in (fields.get("headers") or {}).items())
    return RawRecord(
        fields["topic"],
        int(fields.get("partition", 0)),
        int(fields.get("offset", 0)),
        int(fields.get("timestamp", 0)),
        _bytes(fields.get("key")),
        _bytes(fields["value"]),
        headers,
    )


def _bytes(value: object) -> bytes | None:
    if value is None:
        return None
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value)


def _envelope(document: Mapping[str, Any], mappings: Sequence[CompiledMapping]) -> RawRecord:
    """A bare change: topic and key are told by its table."""
    change = document.get("payload") or document
    source = change["source"]
    physical = f"{source['schema']}.{source['table']}" if source.get("schema") else source["table"]
    for mapping in mappings:
        table = mapping.tables.get(physical)
        if table is not None:
            key = _key(mapping, table, change.get("after") or change.get("before") or {})
            time = int(change.get("ts_ms") or source.get("ts_ms") or 0)
            return RawRecord(mapping.topics[0], 0, 0, time, key, msgspec.json.encode(document))
    raise ConfigError(f"no mapping knows table {physical}", hint="is this the right folder of mappings?")


def _key(mapping: CompiledMapping, table: Table, image: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({name: image[table.columns[name].raw] for name in mapping.key})
