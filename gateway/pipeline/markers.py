"""The transaction topic: BEGIN and END of each DB transaction (protocol.md 2)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from gateway.model.errors import LetterClass, RecordError

__all__ = ["End", "parse_end"]


class End(NamedTuple):
    """An END: transaction id, LSN of its commit, commit time in ms, events in all partitions (never relied on)."""

    tx_id: int
    lsn: int
    ts_ms: int
    event_count: int | None


class _Payload(msgspec.Struct):
    status: str = ""
    id: str = ""
    ts_ms: int = 0
    event_count: int | None = None


class _Value(_Payload):
    payload: _Payload | None = None


_decoder = msgspec.json.Decoder(_Value)


def parse_end(value: bytes | None) -> End | None:
    """An END; None for a BEGIN or a tombstone. RecordError (decode) for what is no transaction marker."""
    if value is None:
        return None
    try:
        read = _decoder.decode(value)
        marker = read.payload or read
        if marker.status == "BEGIN":
            return None
        tx_id, _, lsn = marker.id.partition(":")
        if marker.status != "END":
            raise ValueError(f"status {marker.status!r}")
        return End(int(tx_id), int(lsn), marker.ts_ms, marker.event_count)
    except (msgspec.MsgspecError, ValueError) as error:
        raise RecordError(LetterClass.DECODE, f"not a transaction marker: {error}", stage="decode") from error
