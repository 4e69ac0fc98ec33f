"""The filters, each registered with a description and input -> output examples that one test runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from gateway.mapping.kinds import (
    DATE_FORMATS,
    EXACT,
    MAX_DIGITS,
    MAX_TEXT,
    Kind,
    Type,
    date_in,
    fits_text,
    number,
    parse_decimal,
    parse_int,
    text_of,
)
from gateway.model.values import UNREADABLE, Unavailable, Value

__all__ = ["FILTERS", "Argument", "Filter", "Known"]

Known = bool | int | str | bytes | Decimal | dt.date | dt.datetime
"""A value that is neither null nor unavailable."""
Apply = Callable[[Known], Value]


@dataclass(frozen=True, slots=True)
class Argument:
    """A constant argument: its name, its kind, and the values allowed, in words and as a test."""

    name: str
    kind: Kind
    words: str
    allowed: Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: what goes in and comes out.

    ``bind`` makes a function of known values from the arguments; null and unavailable pass by it unchanged. Filters
    without ``bind`` need more than the value and are built by the compiler.
    """

    name: str
    doc: str
    takes: frozenset[Kind]
    gives: Kind | None
    examples: tuple[tuple[str, Value], ...]
    arguments: tuple[Argument, ...] = ()
    bind: Callable[..., Apply] | None = None

    def result(self, type_: Type, apply: Apply | None) -> Type:
        """The type of the result; text whose only values are known stays so."""
        if self.gives is not Kind.TEXT or type_.symbols is None or apply is None:
            return Type(self.gives or type_.kind)
        results = {apply(symbol) for symbol in type_.symbols}
        return Type(Kind.TEXT, frozenset(text for text in results if isinstance(text, str)))


def _number(name: str, least: int, most: int) -> Argument:
    return Argument(name, Kind.INT, f"{least} to {most}", lambda value: type(value) is int and least <= value <= most)


def _text(name: str, words: str = "a text", allowed: Callable[[str], bool] = lambda text: True) -> Argument:
    return Argument(name, Kind.TEXT, words, lambda value: isinstance(value, str) and allowed(value))


def _of_text(apply: Callable[[str], Value]) -> Callable[..., Apply]:
    """A filter without arguments on text."""
    return lambda: lambda value: apply(value) if isinstance(value, str) else UNREADABLE


def _to_int() -> Apply:
    def run(value: Known) -> Value:
        if isinstance(value, str):
            return parse_int(value)
        if isinstance(value, Decimal):
            return number(int(value)) if value == EXACT.to_integral_value(value) else UNREADABLE
        return value if isinstance(value, int) else UNREADABLE

    return run


def _to_text() -> Apply:
    def run(value: Known) -> Value:
        text = text_of(value)
        return fits_text(text) if isinstance(text, str) else text

    return run


def _as_decimal(value: Known) -> Decimal | Unavailable:
    if isinstance(value, str):
        return parse_decimal(value)
    return Decimal(value) if isinstance(value, (int, Decimal)) else UNREADABLE


def _to_decimal(scale: int) -> Apply:
    def run(value: Known) -> Value:
        given = _as_decimal(value)
        if isinstance(given, Unavailable):
            return given
        exact = given.quantize(Decimal(1).scaleb(-scale), context=EXACT)
        return number(exact) if exact == given else UNREADABLE

    return run


def _round(scale: int) -> Apply:
    def run(value: Known) -> Value:
        if not isinstance(value, (int, Decimal)):
            return UNREADABLE
        return number(Decimal(value).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, EXACT))

    return run


def _to_date(layout: str) -> Apply:
    def run(value: Known) -> Value:
        text = text_of(value)
        return date_in(layout, text) if isinstance(text, str) else UNREADABLE

    return run


def _chars(first: int, last: int) -> Apply:
    return lambda value: fits_text(value[first - 1 : last]) if isinstance(value, str) else UNREADABLE


def _replace(old: str, new: str) -> Apply:
    def run(value: Known) -> Value:
        if not isinstance(value, str):
            return UNREADABLE
        if len(value) + value.count(old) * (len(new) - len(old)) > MAX_TEXT:
            return UNREADABLE
        return fits_text(value.replace(old, new))

    return run


def _pad_left(width: int, fill: str) -> Apply:
    return lambda value: fits_text(value.rjust(width, fill)) if isinstance(value, str) else UNREADABLE


def _mask(keep: int) -> Apply:
    def run(value: Known) -> Value:
        if not isinstance(value, str):
            return UNREADABLE
        hidden = max(len(value) - keep, 0)
        return fits_text("*" * hidden + value[hidden:])

    return run


_ALL = frozenset(Kind) - {Kind.NULL}
_TEXT = frozenset({Kind.TEXT})
_NUMBERS = frozenset({Kind.INT, Kind.DECIMAL})

_REGISTERED = (
    Filter(
        "default",
        "the value, or another one if it is null; unavailable stays unavailable",
        _ALL,
        None,
        (("null | default('x')", "x"), ("'a' | default('x')", "a")),
    ),
    Filter(
        "if_unavailable",
        "the value, or another one if it is unavailable; null stays null",
        _ALL,
        None,
        (("'abc' | int | if_unavailable(0)", 0), ("'7' | int | if_unavailable(0)", 7)),
    ),
    Filter(
        "int",
        "text or a number without fraction as a whole number; else unavailable",
        _NUMBERS | _TEXT,
        Kind.INT,
        (
            ("'0042' | int", 42),
            ("'-7' | int", -7),
            ("'abc' | int", UNREADABLE),
            ("'1.5' | decimal(1) | int", UNREADABLE),
        ),
        bind=_to_int,
    ),
    Filter(
        "text",
        "the value as text: numbers in digits, dates as 2026-01-02, true or false",
        _ALL - {Kind.BYTES},
        Kind.TEXT,
        (("42 | text", "42"), ("'1.50' | decimal(2) | text", "1.50"), ("true | text", "true")),
        bind=_to_text,
    ),
    Filter(
        "decimal",
        "text or a number as an exact decimal of that scale; unavailable if digits would be lost",
        _NUMBERS | _TEXT,
        Kind.DECIMAL,
        (("'1.5' | decimal(2)", Decimal("1.50")), ("'1.55' | decimal(1)", UNREADABLE), ("3 | decimal(0)", Decimal(3))),
        (_number("scale", 0, MAX_DIGITS),),
        _to_decimal,
    ),
    Filter(
        "date",
        "digits as a date, laid out as yyyymmdd, yymmdd (00-49 is 20xx), ddmmyyyy or yyyyddd",
        frozenset({Kind.TEXT, Kind.INT}),
        Kind.DATE,
        (("'20260102' | date('yyyymmdd')", dt.date(2026, 1, 2)), ("20261399 | date('yyyymmdd')", UNREADABLE)),
        (_text("layout", " | ".join(DATE_FORMATS), lambda text: text in DATE_FORMATS),),
        _to_date,
    ),
    Filter(
        "decode",
        "the value of a code in a shared code table; unavailable if the table does not list it",
        frozenset({Kind.TEXT, Kind.INT}),
        None,
        (("'M' | decode('sex')", "male"), ("'?' | decode('sex')", UNREADABLE)),
    ),
    Filter(
        "lookup",
        "a column of the reference record under this key, as text; in `data` only (see `lookups`)",
        frozenset(Kind) - {Kind.BYTES, Kind.NULL},
        Kind.TEXT,
        (("'B1' | lookup('branch', 'name')", "Bern"), ("null | lookup('branch', 'name')", None)),
        (_text("lookup", "the name of a lookup"), _text("column", "a field of its records, or `value`")),
    ),
    Filter(
        "upper",
        "in upper case",
        _TEXT,
        Kind.TEXT,
        (("'abc' | upper", "ABC"),),
        bind=_of_text(lambda t: fits_text(t.upper())),
    ),
    Filter(
        "lower",
        "in lower case",
        _TEXT,
        Kind.TEXT,
        (("'ABC' | lower", "abc"),),
        bind=_of_text(lambda t: fits_text(t.lower())),
    ),
    Filter(
        "trim",
        "without blanks at both ends",
        _TEXT,
        Kind.TEXT,
        (("' a b ' | trim", "a b"),),
        bind=_of_text(lambda text: fits_text(text.strip(" "))),
    ),
    Filter(
        "chars",
        "the characters from one place to another, both counted from 1 and both included",
        _TEXT,
        Kind.TEXT,
        (("'abcdef' | chars(1, 4)", "abcd"), ("'abcdef' | chars(5, 9)", "ef"), ("'ab' | chars(3, 4)", "")),
        (_number("from", 1, 1_000_000), _number("to", 1, 1_000_000)),
        _chars,
    ),
    Filter(
        "replace",
        "every occurrence of one text by another",
        _TEXT,
        Kind.TEXT,
        (("'a-b-c' | replace('-', '')", "abc"),),
        (_text("old", "a text that is not empty", bool), _text("new")),
        _replace,
    ),
    Filter(
        "pad_left",
        "filled up at the left to a width of at most 256",
        _TEXT,
        Kind.TEXT,
        (("'42' | pad_left(5, '0')", "00042"), ("'abc' | pad_left(2, ' ')", "abc")),
        (_number("width", 0, 256), _text("fill", "one character", lambda text: len(text) == 1)),
        _pad_left,
    ),
    Filter(
        "mask",
        "all but the last characters as *",
        _TEXT,
        Kind.TEXT,
        (("'NL91ABNA' | mask(4)", "****ABNA"), ("'ab' | mask(4)", "ab")),
        (_number("keep", 0, 256),),
        _mask,
    ),
    Filter(
        "round",
        "rounded to a scale, halves away from zero",
        _NUMBERS,
        Kind.DECIMAL,
        (("'2.345' | decimal(3) | round(2)", Decimal("2.35")), ("7 | round(1)", Decimal("7.0"))),
        (_number("scale", 0, MAX_DIGITS),),
        _round,
    ),
    Filter(
        "length",
        "the number of characters of a text, or of rows of a companion",
        _TEXT,
        Kind.INT,
        (("'abc' | length", 3),),
        bind=_of_text(len),
    ),
)
FILTERS = {each.name: each for each in _REGISTERED}
