"""Records of reference topics → tables by key, bounded in memory (language.md 5, ``lookups``).

A key is text, a JSON string, or a JSON object or list whose values are joined as an aggregate's id is (a single one is
taken as it is). A value is a JSON object, its members are the columns; anything else is the one column ``value``. A
record without a value deletes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gateway.mapping.compiled import CompiledMapping, LookupSource
from gateway.model.lookup import ReferenceEntry
from gateway.model.record import RawRecord
from gateway.pipeline.identity import aggregate_id

__all__ = ["LiveTables", "ReferenceTable", "columns_of", "entry_of", "key_of"]

_WRAPPED = {"schema", "payload"}
_OVERHEAD = 400
"""Bytes of objects around the text of an entry, roughly."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_text = msgspec.json.Decoder(str)


def key_of(raw: bytes | None) -> str | None:
    """The key in words; None where it cannot be read. Numbers stay as they are written."""
    try:
        whole = _payload(raw or b"")
        return None if raw is None else _joined(whole)
    except (UnicodeDecodeError, msgspec.MsgspecError):
        return None


def _joined(whole: bytes) -> str:
    try:
        if whole[:1] == b"{":
            return _together(list(_members.decode(whole).values()))
        if whole[:1] == b"[":
            return _together(_items.decode(whole))
    except msgspec.MsgspecError:
        pass  # no JSON after all: it is text
    return _scalar(whole) or ""


def _together(parts: list[msgspec.Raw]) -> str:
    if len(parts) == 1:
        return _scalar(parts[0]) or ""
    return aggregate_id({str(place): _scalar(part) for place, part in enumerate(parts)})


def entry_of(record: RawRecord, columns: frozenset[str]) -> ReferenceEntry:
    """A record with a value as an entry of these columns, those that it has."""
    try:
        values: dict[str, str | None] | None = _values(_payload(record.value or b""), columns)
    except (UnicodeDecodeError, msgspec.MsgspecError):
        values = None
    return ReferenceEntry(values, record.topic, record.partition, record.offset, record.timestamp_ms)


def _values(whole: bytes, columns: frozenset[str]) -> dict[str, str | None]:
    if whole.lstrip()[:1] != b"{":
        return {"value": _scalar(whole)} if "value" in columns else {}
    return {name: _scalar(value) for name, value in _members.decode(whole).items() if name in columns}


def _payload(whole: bytes) -> bytes:
    """What stands in it; Connect's JSON converter wraps schema and payload around it unless told otherwise."""
    if whole.startswith(b'{"schema"'):
        members = _members.decode(whole)
        if set(members) == _WRAPPED:
            return bytes(members["payload"])
    return whole


def _scalar(raw: bytes | msgspec.Raw) -> str | None:
    """A JSON text decoded, null as null, all else as it is written."""
    written = bytes(raw)
    if written[:1] == b'"' == written[-1:] and len(written) > 1:
        try:
            return _text.decode(written)
        except msgspec.MsgspecError:
            pass  # text that happens to stand in quotes
    return None if written == b"null" else written.decode()


def columns_of(mappings: Iterable[CompiledMapping]) -> dict[str, frozenset[str]]:
    """For each reference topic (without prefix) the columns that any rule looks up."""
    found: dict[str, frozenset[str]] = {}
    for mapping in mappings:
        for source in mapping.lookups.values():
            found[source.topic] = found.get(source.topic, frozenset()) | source.columns
    return found


class ReferenceTable:
    """The last entry of each key of one topic. ``size_bytes``: what it takes in memory, roughly."""

    def __init__(self, columns: frozenset[str]) -> None:
        self._columns = columns
        self.entries: dict[str, ReferenceEntry] = {}
        self.size_bytes = 0
        self.unreadable_keys = 0

    def take(self, record: RawRecord) -> None:
        """The next record of the topic: an entry, or the end of one."""
        key = key_of(record.key)
        if key is None:
            self.unreadable_keys += 1
            return
        old = self.entries.pop(key, None)
        if old is not None:
            self.size_bytes -= _size(key, old)
        if record.value is not None:
            entry = self.entries[key] = entry_of(record, self._columns)
            self.size_bytes += _size(key, entry)


def _size(key: str, entry: ReferenceEntry) -> int:
    return _OVERHEAD + len(key) + sum(len(value or "") for value in (entry.values or {}).values())


class LiveTables:
    """``ReferenceTables`` of one mapping over tables by topic (without prefix), as they are at this moment."""

    def __init__(self, sources: Mapping[str, LookupSource], tables: Mapping[str, ReferenceTable]) -> None:
        self._entries = {name: tables[source.topic].entries for name, source in sources.items()}

    def find(self, lookup: str, key: str) -> ReferenceEntry | None:
        """See ``ReferenceTables``."""
        return self._entries[lookup].get(key)

    def as_of(self, timestamp_ms: int) -> LiveTables:
        """See ``ReferenceTables``."""
        return self

    def awaits(self, lookup: str, key: str) -> bool:
        """Never: what is not there is missing."""
        return False
