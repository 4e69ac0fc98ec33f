"""Values of payloads brought to one form, so that a date object and ISO text, or 12.5 and 12.50, compare as equal."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from legacy_db.facts import FieldType, Maybe

__all__ = ["canonical"]


def canonical(value: Any, kind: FieldType) -> Any:
    """The value in its field type's form: ISO text, decimal text, sorted arrays. What does not fit stays as it is."""
    if value is None:
        return None
    if isinstance(kind, Maybe):
        return canonical(value, kind.record)
    if isinstance(kind, str):
        return _scalar(value, kind.rstrip("?"))
    if isinstance(kind, list):
        if not isinstance(value, (list, tuple)):
            return value
        return sorted((canonical(item, kind[0]) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    if not isinstance(value, Mapping):
        return value
    # only the fields that the truth knows: a contract may say more
    return {name: canonical(value.get(name), inner) for name, inner in kind.items()}


def _scalar(value: Any, kind: str) -> Any:
    if kind == "date" and isinstance(value, dt.date):
        return value.isoformat()[:10]
    if kind == "decimal":
        try:
            return str(Decimal(str(value)).quantize(Decimal("0.01")))
        except InvalidOperation:
            return value
    return value
