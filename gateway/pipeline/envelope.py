"""The shape of Debezium's envelope, as far as the gateway reads it; unknown fields are skipped by the parser."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

__all__ = ["Envelope", "LogicalMessage", "SourceBlock", "TransactionBlock", "read_json", "sequence_commit"]

Row = dict[str, Any]


class SourceBlock(Struct):
    """``source``: where the change comes from. ``sequence`` is a JSON array in text: ``["c","l"]``."""

    name: str = ""
    db: str = ""
    schema: str | None = None
    table: str | None = None
    txId: int | None = None  # noqa: N815 - the connector's field name
    lsn: int | None = None
    ts_ms: int | None = None
    sequence: str | None = None
    snapshot: str | bool | None = None
    version: str = ""


class TransactionBlock(Struct):
    """``transaction``: present with ``provide.transaction.metadata``."""

    total_order: int | None = None


class LogicalMessage(Struct):
    """``message`` of an ``m`` record: prefix, and content in base64."""

    prefix: str | None = None
    content: str | None = None


class Envelope(Struct):
    """A change, a heartbeat or a transaction marker; with a schema block all of it stands under ``payload``."""

    op: str | None = None
    before: Row | None = None
    after: Row | None = None
    source: SourceBlock | None = None
    transaction: TransactionBlock | None = None
    message: LogicalMessage | None = None
    ts_ms: int | None = None
    status: str | None = None
    payload: Envelope | UnsetType | None = UNSET


_decoder = msgspec.json.Decoder(Envelope)
_sequence = msgspec.json.Decoder(tuple[str | None, ...])


def read_json(value: bytes) -> Envelope | None:
    """Parse a JSON envelope, with or without schema block; None is a payload of null (a tombstone in JSON).

    Raises msgspec.MsgspecError or UnicodeDecodeError for what is no such JSON.
    """
    if not value.isascii():
        value.decode()  # the parser skips what the envelope does not ask for, damaged names of members included
    envelope = _decoder.decode(value)
    inner = envelope.payload
    return envelope if inner is UNSET else inner


def sequence_commit(sequence: str | None) -> int | None:
    """``c``: the first number of ``source.sequence``, None where it is null or absent.

    Raises msgspec.MsgspecError or ValueError for anything else.
    """
    if sequence is None:
        return None
    parts = _sequence.decode(sequence)
    first = parts[0] if parts else None
    return None if first is None else int(first)
