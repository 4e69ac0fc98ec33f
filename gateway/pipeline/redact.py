"""Masking of personal data in recordings: columns marked ``pii`` keep their shape and lose their content."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.mapping.compiled import CompiledMapping
from gateway.model.change import Operation
from gateway.model.record import RawRecord
from gateway.pipeline.envelope import LogicalMessage
from gateway.pipeline.messages import MESSAGE_TABLE, content_of

__all__ = ["Redactor"]

_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")


class Redactor:
    """Masks the ``pii`` columns of raw records, by table. Equal values get equal masks: a change stays a change.

    ``salt`` keeps masks from being looked up; a recording has one of its own.
    """

    def __init__(self, mappings: Sequence[CompiledMapping], salt: bytes) -> None:
        self._columns = {
            table.physical: frozenset(column.raw for column in table.columns.values() if column.pii)
            for mapping in mappings
            for table in mapping.tables.values()
        }
        self._salt = salt

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
        columns = self._columns.get(_table(change))
        if columns is None:
            return None
        if isinstance(change.get("message"), dict) and not self._mask_content(change["message"], columns):
            return None
        for image in ("before", "after"):
            if isinstance(change.get(image), dict):
                change[image] = {k: self._mask(v) if k in columns else v for k, v in change[image].items()}
        return msgspec.structs.replace(record, value=msgspec.json.encode(envelope))

    def _mask_content(self, told: dict[str, Any], columns: frozenset[str]) -> bool:
        """Mask the members of a logical message; False if it is no JSON object."""
        try:
            members = content_of(LogicalMessage(content=told.get("content")))
        except ValueError:
            return False
        masked = {name: self._mask(value) if name in columns else value for name, value in members.items()}
        told["content"] = b64encode(msgspec.json.encode(masked)).decode()
        return True

    def _mask(self, value: Any) -> Any:
        """Letters become letters, digits become digits; blanks, signs, null and placeholders stay."""
        if isinstance(value, str) and not value.startswith("__debezium"):
            return self._scramble(value)
        if isinstance(value, int) and not isinstance(value, bool) and value:
            return int(self._scramble(str(value)) or 0)
        return value

    def _scramble(self, text: str) -> str:
        stream = iter(hashlib.shake_128(self._salt + text.strip().encode()).digest(len(text) + 1))
        letters = _LETTER.sub(lambda _: chr(97 + next(stream) % 26), text)
        return _DIGIT.sub(lambda _: str(next(stream) % 9 + 1), letters)


def _table(change: Mapping[str, Any]) -> str:
    source = change.get("source") or {}
    if change.get("op") == Operation.MESSAGE:
        return MESSAGE_TABLE
    return f"{source.get('schema')}.{source.get('table')}"
