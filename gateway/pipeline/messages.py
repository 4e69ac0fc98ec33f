"""Logical messages of a transaction (``pg_logical_emit_message``): each reads as an inserted row of one table.

Its columns are the members of the content, a JSON object, and the aggregate's key under its domain names, which is
what put the message into its partition. A member that the content leaves out is null: a message is no table row, and
who writes it says what he knows.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gateway.pipeline.envelope import LogicalMessage

__all__ = ["MESSAGE_TABLE", "content_of", "sparse"]

MESSAGE_TABLE = "message"
"""The table's name in ``tables:``; no schema stands before it."""


def content_of(told: LogicalMessage | None) -> dict[str, Any]:
    """The members of a message's content. ValueError or msgspec.MsgspecError: it is no JSON object."""
    content = b64decode((told.content if told else None) or "", validate=True)
    try:
        members = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"the message's content is no JSON: {error}") from error
    if not isinstance(members, dict):
        raise ValueError("the message's content is no JSON object: write '{\"reason\": …}'")
    return members


def sparse(image: Mapping[str, object], declared: Iterable[str]) -> dict[str, object]:
    """The row image with null for declared columns that the message left out."""
    return {**dict.fromkeys(declared), **image}
