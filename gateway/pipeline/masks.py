"""Masks of raw values: letters become letters, digits digits, dates dates; equal values get equal masks."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from math import gcd

from gateway.mapping.compiled import Column
from gateway.mapping.kinds import date_in
from gateway.model.values import UNREADABLE, Unavailable

__all__ = ["Mask"]

_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")
_GAP = re.compile(r"(  +)")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LAYOUT = re.compile(r"date\((\w+)\)")
_WRITTEN = {"yyyymmdd": "%Y%m%d", "yymmdd": "%y%m%d", "ddmmyyyy": "%d%m%Y", "yyyyddd": "%Y%j"}
_CODE_LENGTH = 2
_CODE_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz"
_EPOCH = dt.date(1970, 1, 1)
_UNSENT = ("__debezium_unavailable", b64encode(b"__debezium_unavailable_value").decode())


class Mask:
    """Masks raw values of columns. ``salt`` keeps masks from being looked up: they differ from salt to salt.

    What is no value of a person stays: null, blanks, values that a column reads as null, the placeholder of an unsent
    one. A date keeps its year. A packed column is masked as a whole, by the pieces that runs of blanks separate.
    """

    def __init__(self, salt: bytes) -> None:
        self._salt = salt

    def __call__(self, raw: object, columns: Sequence[Column]) -> object:
        """The mask of a raw JSON value; ``columns``: those that are read from it (several of a packed one)."""
        plain = [column for column in columns if column.part is None]
        if isinstance(raw, list):
            return [self(item, columns) for item in raw]
        if isinstance(raw, dict):
            return {name: self(item, columns) for name, item in raw.items()}
        if raw is None or isinstance(raw, bool) or _is_null(raw, plain):
            return raw
        if isinstance(raw, str) and raw.startswith(_UNSENT):
            return raw
        for column in plain:
            masked = self._by_type(raw, column)
            if masked is not None:
                return masked
        return self._scrambled(raw)

    def _by_type(self, raw: object, column: Column) -> object | None:
        """A mask that the column reads as it reads the value; None where any text of its shape will do."""
        if column.symbols is not None:
            return self._code(raw, column)
        if column.type.startswith("date(") and isinstance(raw, str | int):
            return self._digits_date(raw, column.type)
        if column.type in ("date", "timestamp"):
            return self._iso_date(raw)
        return None

    def _scrambled(self, raw: object) -> object:
        if isinstance(raw, int):
            return int(self._scramble(str(raw))) if raw else raw
        if isinstance(raw, float):
            return float(self._digits(f"{raw:f}", f"{raw:f}")) if raw else raw
        pieces = _GAP.split(str(raw))
        return "".join(piece if piece.isspace() else self._scramble(piece) for piece in pieces)

    def _scramble(self, text: str) -> str:
        stream = iter(self._bytes(text.strip(), len(text) + 1))

        def letter(match: re.Match[str]) -> str:
            made = chr(97 + next(stream) % 26)
            return made.upper() if match[0].isupper() else made

        return self._digits(_LETTER.sub(letter, text), text)

    def _digits(self, text: str, key: str) -> str:
        """Other digits, none of them 0; ``key`` decides which."""
        stream = iter(self._bytes(f"digits {key.strip()}", len(text) + 1))
        return _DIGIT.sub(lambda _: str(next(stream) % 9 + 1), text)

    # -- dates ----

    def _digits_date(self, raw: str | int, type_: str) -> object | None:
        layout = (_LAYOUT.match(type_) or ["", ""])[1]
        text = str(raw).rstrip(" ")
        date = date_in(layout, text)
        if isinstance(date, Unavailable):
            return None
        written = self._other_day(date).strftime(_WRITTEN[layout])
        return int(written) if isinstance(raw, int) else written + " " * (len(str(raw)) - len(text))

    def _iso_date(self, raw: object) -> object | None:
        if isinstance(raw, int):
            return (self._other_day(_EPOCH + dt.timedelta(days=raw)) - _EPOCH).days
        text = str(raw)
        if not _ISO_DATE.match(text):
            return None
        return self._other_day(dt.date.fromisoformat(text[:10])).isoformat() + text[10:]

    def _other_day(self, date: dt.date) -> dt.date:
        """Another day of the year; two days never become one."""
        first = date.replace(month=1, day=1)
        days = (date.replace(month=12, day=31) - first).days + 1
        seed = int.from_bytes(self._bytes(f"day {date.year}", 4))
        step = next(step for step in range(7 + seed % 150, days) if gcd(step, days) == 1)
        return first + dt.timedelta(days=((date - first).days * step + seed) % days)

    # -- codes ----

    def _code(self, raw: object, column: Column) -> object | None:
        """Another code of the column's table with as many signs; None where there are too many to look for."""
        text = str(raw).rstrip(" ")
        if len(text) > _CODE_LENGTH:
            return None
        codes = _codes(column.read, len(text))
        if text not in codes:
            return None
        seed = int.from_bytes(self._bytes(f"code {column.raw}", 4))
        other = codes[(codes.index(text) + 1 + seed % max(len(codes) - 1, 1)) % len(codes)]
        return int(other) if isinstance(raw, int) else other + " " * (len(str(raw)) - len(text))

    def _bytes(self, text: str, length: int) -> bytes:
        return hashlib.shake_128(self._salt + text.encode()).digest(length)


@lru_cache(maxsize=256)
def _codes(read: object, length: int) -> tuple[str, ...]:
    """The codes of so many signs that a column can read."""
    assert callable(read)
    words: Iterable[str] = ("".join(signs) for signs in product(_CODE_SIGNS, repeat=length))
    return tuple(word for word in words if read(word) is not UNREADABLE)


def _is_null(raw: object, columns: Sequence[Column]) -> bool:
    return bool(columns) and all(column.read(raw) is None for column in columns)
