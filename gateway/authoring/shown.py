"""Events as people and files see them: plain JSON values."""

from __future__ import annotations

import datetime as dt
from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

from gateway.model.event import EncodedEvent
from gateway.model.lookup import LookupUse

__all__ = ["event_json", "plain"]

_BRANCH_PARTS = 2


def plain(value: object) -> object:
    """An Avro-native value as JSON: dates and times in ISO form, decimals as text, bytes as base64."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple):
        branch = len(value) == _BRANCH_PARTS and isinstance(value[0], str) and isinstance(value[1], Mapping)
        return plain(value[1]) if branch else [plain(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.value if isinstance(value, Enum) else value


def event_json(encoded: EncodedEvent) -> dict[str, object]:
    """One event as a JSON object: what it says, of whom, by which rule, its id and sequence, where it comes from."""
    event = encoded.event
    headers = {name: (value or b"").decode() for name, value in encoded.headers}
    lineage = dict(part.split("=", 1) for part in headers.get("lineage", "").split(",") if "=" in part)
    return {
        "event": event.name,
        "version": event.version,
        "intent": str(event.intent),
        "key": encoded.key.decode(),
        "data": plain(event.data),
        "id": headers.get("ce_id"),
        "sequence": headers.get("ce_sequence"),
        "time": headers.get("ce_time"),
        "tx": event.row.tx_id,
        "topic": encoded.topic,
        "rule": lineage.get("rule", event.rule),
        "record": encoded.source.place,
        **({"lookups": [_used(use) for use in event.lookups]} if event.lookups else {}),
    }


def _used(use: LookupUse) -> dict[str, object]:
    place = f"{use.topic}[{use.partition}]@{use.offset}"
    return {"lookup": use.lookup, "key": use.key, "column": use.column, "value": use.value, "record": place}
