"""Bytes within JSON: as text, or as base64 where they are no text."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

__all__ = ["pack", "unpack"]


def pack(value: bytes | None) -> object:
    """Text where the bytes are UTF-8, else ``{"b64": …}``; None stays None."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": b64encode(value).decode()}


def unpack(value: Any) -> bytes | None:
    """What ``pack`` made of it. ValueError, TypeError, KeyError: nothing that it makes."""
    if value is None:
        return None
    return value.encode() if isinstance(value, str) else b64decode(value["b64"], validate=True)
