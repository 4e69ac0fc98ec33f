"""Who an event is: its id, its sequence, its aggregate (protocol.md 7)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import xxhash

from gateway.model.event import RowRef
from gateway.model.unit import Taken

__all__ = ["ZERO_SEQUENCE", "aggregate_id", "as_text", "event_id", "row_part", "sequence", "state_sequence"]

_FORMAT = "1"
ZERO_SEQUENCE = f"{0:04x}.{0:04x}.{0:016x}.{0:08x}.{0:06x}"
_LAST_PLACE = 0xFFFFFF


def as_text(value: object) -> str:
    """A raw JSON scalar as text: numbers in decimal, booleans ``true``/``false``, null empty, text as it is."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def aggregate_id(key: Mapping[str, object]) -> str:
    r"""Key columns as text joined by ``|``; ``\`` and ``|`` inside a value are escaped with ``\``."""
    return "|".join(as_text(value).replace("\\", "\\\\").replace("|", "\\|") for value in key.values())


def _part(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(4, "big") + raw


def row_part(row: RowRef) -> bytes:
    """The row reference as bytes: transaction, LSN, table and row key, each length-prefixed."""
    transaction = "" if row.tx_id is None else str(row.tx_id)
    key = b"".join(map(_part, row.row_key))
    return _part(transaction) + _part(str(row.lsn)) + _part(row.table) + len(key).to_bytes(4, "big") + key


@lru_cache(maxsize=1024)
def _head(source_name: str, incarnation: int) -> bytes:
    return _part(_FORMAT) + _part(source_name) + _part(str(incarnation))


@lru_cache(maxsize=1024)
def _tail(name: str, version: int, slot: str) -> bytes:
    return _part(name) + _part(str(version)) + _part(slot)


def event_id(
    source_name: str, incarnation: int, row: RowRef, aggregate: str, subject: str, name: str, version: int, slot: str
) -> str:
    """UUIDv8 over xxh3-128 of the length-prefixed parts; the same in re-emission, replay and other partition counts."""
    who = _part(aggregate) + _part(subject)
    whole = _head(source_name, incarnation) + row_part(row) + who + _tail(name, version, slot)
    digest = xxhash.xxh3_128_hexdigest(whole)
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:]}"


def sequence(epoch: int, incarnation: int, commit: int, row: int, place: int) -> str:
    """``epoch.inc.c.r.i`` as fixed-width hex (4.4.16.8.6), ordered as text."""
    return f"{epoch:04x}.{incarnation:04x}.{commit:016x}.{row:08x}.{place:06x}"


def state_sequence(epoch: int, hi: Taken | None) -> str:
    """Sequence of a state event: it includes all up to ``hi``, so it stands behind every event of that transaction."""
    if hi is None:
        return ZERO_SEQUENCE
    return sequence(epoch, hi.incarnation, hi.commit, 0, _LAST_PLACE)
