"""Columns: the types of raw values, null_when, decode and otherwise, as one function from raw to domain value."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from gateway.mapping.kinds import (
    DATE_FORMATS,
    EXACT,
    Kind,
    date_in,
    parse_date,
    parse_decimal,
    parse_int,
    parse_timestamp,
)
from gateway.model.values import UNREADABLE, Unavailable, Value

__all__ = ["COLUMN_TYPES", "Reader", "decoding", "nulling", "raw_text", "reader_of"]

Reader = Callable[[object], Value]

COLUMN_TYPES = (
    "text",
    "raw",
    "int",
    "decimal(p,s)",
    "bool",
    "bytes",
    "date",
    "timestamp",
    *(f"date({layout})" for layout in DATE_FORMATS),
)
_EPOCH = dt.date(1970, 1, 1)


def raw_text(raw: object) -> str | Unavailable | None:
    """A raw JSON value as text, trailing blanks cut; structures have none."""
    if isinstance(raw, str):
        return raw.rstrip(" ")
    if raw is None:
        return None
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int):
        return str(raw) if -(10**40) < raw < 10**40 else UNREADABLE
    if isinstance(raw, Decimal):
        return format(raw, "f") if raw.is_finite() and abs(raw.adjusted()) < 100 else UNREADABLE
    return repr(raw) if isinstance(raw, float) else UNREADABLE


def _text(raw: object) -> Value:
    if raw.__class__ is str:
        return raw.rstrip(" ") or None
    text = raw_text(raw)
    return None if text == "" else text


def _raw(raw: object) -> Value:
    return raw if isinstance(raw, str) else raw_text(raw)


def _through_text(parse: Callable[[str], Value]) -> Reader:
    """Blank text is null, as in a padded column; other text is parsed."""

    def read(raw: object) -> Value:
        text = raw_text(raw)
        if isinstance(text, Unavailable):
            return text
        return parse(text) if text else None

    return read


_int_text = _through_text(parse_int)


def _int(raw: object) -> Value:
    if raw.__class__ is int:
        return raw if -(10**38) < raw < 10**38 else UNREADABLE
    return UNREADABLE if isinstance(raw, (bool, float)) else _int_text(raw)


def _decimal(precision: int, scale: int) -> Reader:
    step = Decimal(1).scaleb(-scale)

    def parse(text: str) -> Value:
        value = parse_decimal(text)
        if isinstance(value, Unavailable):
            return value
        exact = value.quantize(step, context=EXACT)
        if exact != value or len(exact.as_tuple().digits) > max(precision, 1):
            return UNREADABLE
        return exact

    read = _through_text(parse)
    return lambda raw: UNREADABLE if isinstance(raw, bool) else read(raw)


def _bool(raw: object) -> Value:
    if raw is None or isinstance(raw, bool):
        return raw
    return UNREADABLE if not isinstance(raw, str) else {"true": True, "false": False}.get(raw.rstrip(" "), UNREADABLE)


def _bytes(raw: object) -> Value:
    if raw is None:
        return None
    if not isinstance(raw, str):
        return UNREADABLE
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        return UNREADABLE


def _date(raw: object) -> Value:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return _EPOCH + dt.timedelta(days=raw) if -719_162 <= raw <= 2_932_896 else UNREADABLE
    return _date_text(raw)


_date_text = _through_text(parse_date)
_timestamp_text = _through_text(parse_timestamp)


def _timestamp(raw: object) -> Value:
    return _timestamp_text(raw) if raw is None or isinstance(raw, str) else UNREADABLE


def reader_of(spelled: str) -> tuple[Kind, Reader] | None:
    """Kind and reader of a column type as it is spelled in a mapping; None for an unknown one."""
    plain: Mapping[str, tuple[Kind, Reader]] = {
        "text": (Kind.TEXT, _text),
        "raw": (Kind.TEXT, _raw),
        "int": (Kind.INT, _int),
        "bool": (Kind.BOOL, _bool),
        "bytes": (Kind.BYTES, _bytes),
        "date": (Kind.DATE, _date),
        "timestamp": (Kind.TIMESTAMP, _timestamp),
    }
    if spelled in plain:
        return plain[spelled]
    if (match := re.fullmatch(r"date\((\w+)\)", spelled)) and match[1] in DATE_FORMATS:
        layout = match[1]
        return Kind.DATE, _through_text(lambda text: date_in(layout, text))
    match = re.fullmatch(r"decimal\( *([0-9]{1,2}) *, *([0-9]{1,2}) *\)", spelled)
    if match and 1 <= int(match[1]) <= 38 and int(match[2]) <= int(match[1]):
        return Kind.DECIMAL, _decimal(int(match[1]), int(match[2]))
    return None


def nulling(read: Reader, null_when: frozenset[str]) -> Reader:
    """A reader that gives null for some raw values (compared as text, trailing blanks cut)."""

    def read_or_null(raw: object) -> Value:
        return None if raw_text(raw) in null_when else read(raw)

    return read_or_null


def decoding(codes: Mapping[str | None, Value], otherwise: Value = UNREADABLE) -> Reader:
    """A reader by code table: raw text with trailing blanks cut to a value; null stays null unless listed."""
    table: dict[str | None, Value] = {None: None, **codes}

    def read(raw: object) -> Value:
        text = raw_text(raw)
        return UNREADABLE if isinstance(text, Unavailable) else table.get(text, otherwise)

    return read
