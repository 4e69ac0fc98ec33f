"""The types of values: what they are called, how constants of them are written, how they become text."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import Enum

from gateway.model.values import UNREADABLE, Unavailable, Value

__all__ = [
    "DATE_FORMATS",
    "EXACT",
    "MAX_DIGITS",
    "MAX_TEXT",
    "Kind",
    "Type",
    "constant",
    "date_in",
    "fits_text",
    "number",
    "parse_date",
    "parse_decimal",
    "parse_int",
    "parse_timestamp",
    "text_of",
    "unify",
]

MAX_DIGITS = 38
MAX_TEXT = 64 * 1024
EXACT = Context(prec=120, traps=[])
"""Wide enough for any operation on two numbers of 38 digits."""


class Kind(Enum):
    """What sort of value an expression or column gives."""

    TEXT = "text"
    INT = "int"
    DECIMAL = "decimal"
    BOOL = "bool"
    BYTES = "bytes"
    DATE = "date"
    TIMESTAMP = "timestamp"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Type:
    """A kind, and for text the only values possible where they are known (code tables, constants)."""

    kind: Kind
    symbols: frozenset[str] | None = None

    def __str__(self) -> str:
        return self.kind.value


_NUMBERS = {Kind.INT, Kind.DECIMAL}


def unify(left: Type, right: Type) -> Type | None:
    """The type of either of two; None where they do not go together. Null goes with all, an int with a number."""
    if left.kind is Kind.NULL:
        return right
    if right.kind is Kind.NULL:
        return left
    if left.kind in _NUMBERS and right.kind in _NUMBERS:
        return left if left.kind is right.kind else Type(Kind.DECIMAL)
    if left.kind is not right.kind:
        return None
    known = left.symbols is not None and right.symbols is not None
    return Type(left.kind, (left.symbols or frozenset()) | (right.symbols or frozenset()) if known else None)


def number(value: int | Decimal) -> int | Decimal | Unavailable:
    """The number, or unreadable beyond 38 digits (before and after the point together)."""
    if isinstance(value, int):
        return value if -(10**MAX_DIGITS) < value < 10**MAX_DIGITS else UNREADABLE
    if not value.is_finite():
        return UNREADABLE
    _, digits, exponent = value.as_tuple()
    whole = max(len(digits) + int(exponent), 0)
    scale = max(-int(exponent), 0)
    return value if whole + scale <= MAX_DIGITS else UNREADABLE


def fits_text(text: str) -> str | Unavailable:
    """The text, or unreadable beyond 64 KiB of UTF-8."""
    if len(text) * 4 <= MAX_TEXT:
        return text
    return text if len(text.encode("utf-8", "surrogatepass")) <= MAX_TEXT else UNREADABLE


def text_of(value: Value) -> Value:
    """A value as text: numbers without exponent, ISO dates, true/false; null and unavailable stay; bytes have none."""
    if value is None or isinstance(value, (str, Unavailable)):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, dt.date) else UNREADABLE


def parse_int(text: str) -> int | Unavailable:
    """A whole number of at most 38 digits, with an optional sign and blanks around."""
    text = text.strip(" ")
    if not re.fullmatch(r"[+-]?[0-9]{1,38}", text):
        return UNREADABLE
    return int(text)


def parse_decimal(text: str) -> Decimal | Unavailable:
    """A decimal number without exponent, of at most 38 digits, with an optional sign and blanks around."""
    text = text.strip(" ")
    if len(text) > 2 * MAX_DIGITS or not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", text):
        return UNREADABLE
    value = number(Decimal(text))
    return value if isinstance(value, Decimal) else UNREADABLE


def parse_date(text: str) -> dt.date | Unavailable:
    """``2026-01-02``, with Debezium's trailing ``Z`` or without."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}Z?", text):
        return UNREADABLE
    return _date(int(text[:4]), int(text[5:7]), int(text[8:10]))


def _date(year: int, month: int, day: int) -> dt.date | Unavailable:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return UNREADABLE


_FORMATS = {"yyyymmdd": 8, "yymmdd": 6, "ddmmyyyy": 8, "yyyyddd": 7}
"""Layouts of dates in digits, and their widths."""
DATE_FORMATS = tuple(_FORMATS)
_LOSES_ZEROS = ("yymmdd", "ddmmyyyy")
"""Layouts whose leading zeros are lost in a number."""


def date_in(layout: str, text: str) -> dt.date | Unavailable:
    """A date written in digits, in one of ``DATE_FORMATS``; yymmdd: 00-49 is 20xx."""
    width = _FORMATS[layout]
    text = text.strip(" ")
    if len(text) > width or not re.fullmatch(r"[0-9]+", text):
        return UNREADABLE
    if len(text) != width:
        if layout not in _LOSES_ZEROS:
            return UNREADABLE
        text = text.rjust(width, "0")
    if layout == "yyyymmdd":
        return _date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if layout == "ddmmyyyy":
        return _date(int(text[4:]), int(text[2:4]), int(text[:2]))
    if layout == "yymmdd":
        year = int(text[:2])
        return _date(year + (2000 if year < 50 else 1900), int(text[2:4]), int(text[4:]))
    first = _date(int(text[:4]), 1, 1)
    if isinstance(first, Unavailable) or not 1 <= int(text[4:]) <= (366 if _leap(first.year) else 365):
        return UNREADABLE
    return first + dt.timedelta(days=int(text[4:]) - 1)


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)"
    r"(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


def parse_timestamp(text: str) -> dt.datetime | Unavailable:
    """An ISO time with ``Z`` or an offset, to microseconds, as UTC; finer digits are unreadable unless zero."""
    match = _TIMESTAMP.fullmatch(text.strip(" "))
    if match is None:
        return UNREADABLE
    day, clock, fraction, zone = match.groups()
    fraction = (fraction or "").ljust(9, "0")
    if fraction[6:] != "000":
        return UNREADABLE
    zone = "+00:00" if zone in (None, "Z") else zone
    try:
        return (
            dt.datetime.fromisoformat(f"{day}T{clock}{zone}").astimezone(dt.UTC).replace(microsecond=int(fraction[:6]))
        )
    except (ValueError, OverflowError):
        return UNREADABLE


def constant(kind: Kind, text: str) -> Value:
    """A constant of a kind as it is written in a mapping (bytes as hex); unreadable if it is none."""
    if kind is Kind.TEXT:
        return text
    if kind is Kind.INT:
        return parse_int(text)
    if kind is Kind.DECIMAL:
        return parse_decimal(text)
    if kind is Kind.BOOL:
        return {"true": True, "false": False}.get(text, UNREADABLE)
    if kind is Kind.DATE:
        return parse_date(text)
    if kind is Kind.TIMESTAMP:
        return parse_timestamp(text)
    return bytes.fromhex(text) if kind is Kind.BYTES and re.fullmatch(r"([0-9a-fA-F]{2})*", text) else UNREADABLE
