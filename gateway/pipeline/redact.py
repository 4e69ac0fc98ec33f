"""Masking of personal data in recordings: columns marked ``pii`` keep their shape and lose their content."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.mapping.compiled import Column, CompiledMapping, Table
from gateway.model.change import Operation
from gateway.model.record import RawRecord
from gateway.pipeline.envelope import LogicalMessage
from gateway.pipeline.masks import Mask
from gateway.pipeline.messages import MESSAGE_TABLE, content_of

__all__ = ["Redactor"]


class Redactor:
    """Masks the ``pii`` columns of raw records, by table. Equal values get equal masks: a change stays a change.

    ``salt`` keeps masks from being looked up; a recording has one of its own.
    """

    def __init__(self, mappings: Sequence[CompiledMapping], salt: bytes) -> None:
        self._columns = {table.physical: _personal(table) for mapping in mappings for table in mapping.tables.values()}
        self._mask = Mask(salt)

    def __call__(self, record: RawRecord) -> RawRecord | None:
        """The record with its personal data masked; None if that cannot be told (not JSON, an unknown table)."""
        if record.value is None:
            return record
        try:
            envelope = msgspec.json.decode(record.value)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        change = envelope.get("payload") or envelope if isinstance(envelope, dict) else None
        if not isinstance(change, dict):
            return None
        if change.get("op") is None:
            return record
        table = _table(change)
        if table not in self._columns or not self._masked(table, change):
            return None
        return msgspec.structs.replace(record, value=msgspec.json.encode(envelope))

    def _masked(self, table: str, change: dict[str, Any]) -> bool:
        """Mask the images of a change, in place; False if it holds what cannot be told."""
        for name in ("before", "after"):
            if isinstance(change.get(name), dict):
                change[name] = self.image(table, change[name])
        told = change.get("message")
        if isinstance(told, dict):
            try:
                content = self.image(table, content_of(LogicalMessage(content=told.get("content"))))
            except (msgspec.MsgspecError, ValueError):
                return False
            told["content"] = b64encode(msgspec.json.encode(content)).decode()
        return True

    def image(self, table: str, image: Mapping[str, Any]) -> dict[str, Any]:
        """A row of ``table`` (``schema.table``) with its personal data masked. KeyError: no mapping knows the table."""
        columns = self._columns[table]
        return {raw: self._mask(value, columns[raw]) if raw in columns else value for raw, value in image.items()}


def _personal(table: Table) -> dict[str, tuple[Column, ...]]:
    """Raw columns with anything personal in them, and the columns read from each."""
    by_raw: dict[str, list[Column]] = {}
    for column in table.columns.values():
        by_raw.setdefault(column.raw, []).append(column)
    return {raw: tuple(columns) for raw, columns in by_raw.items() if any(column.pii for column in columns)}


def _table(change: Mapping[str, Any]) -> str:
    source = change.get("source") or {}
    if change.get("op") == Operation.MESSAGE:
        return MESSAGE_TABLE
    return f"{source.get('schema')}.{source.get('table')}"
