"""The connector's placeholder for a large value that an update did not touch, in all its forms (stack.md)."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from gateway.model.values import UNSENT

__all__ = ["mark_unsent", "may_hold_unsent"]

_TEXT = "__debezium_unavailable_value"
_BASE64 = b64encode(_TEXT.encode()).decode()
_FORMS: tuple[object, ...] = (_TEXT, _BASE64, [_TEXT], [_BASE64])
_TEXT_BYTES = _TEXT.encode()
_BASE64_BYTES = _BASE64.rstrip("=").encode()


def may_hold_unsent(value: bytes) -> bool:
    """Whether raw bytes can hold a placeholder at all: two searches in C spare the walk over the columns."""
    return _TEXT_BYTES in value or _BASE64_BYTES in value


def mark_unsent(row: dict[str, Any] | None) -> None:
    """Replace every placeholder in a row image by ``UNSENT``, in place."""
    if row is None:
        return
    for column, value in row.items():
        if value in _FORMS:
            row[column] = UNSENT
