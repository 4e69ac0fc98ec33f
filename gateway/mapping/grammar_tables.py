"""The keys of `tables:`: tables, columns and the parts of packed columns."""

from __future__ import annotations

from gateway.mapping.forms import Choice, Constant, ListOf, MapOf, Shapes, Text, Word
from gateway.mapping.grammar_words import (
    CODE_TABLE,
    CODES,
    COLUMN_NAME,
    COLUMN_OR_KEPT,
    FLAG,
    GROUP,
    TABLE_NAME,
    UNDECLARED,
    UNEXPLAINED,
)
from gateway.mapping.kinds import DATE_FORMATS
from gateway.mapping.records import Key, Record

__all__ = ["COLUMN", "PART", "TABLE"]

_TYPES = (
    r"text|raw|int|bool|bytes|date|timestamp|decimal\( *[0-9]{1,2} *, *[0-9]{1,2} *\)|date\(("
    + "|".join(DATE_FORMATS)
    + r")\)"
)
_reading = (
    Key(
        "type",
        Text("a column type", _TYPES),
        "how the raw value is read; text is the default",
        examples=("int", "date(yyyymmdd)"),
    ),
    Key("null_when", ListOf(Constant("a raw value")), "raw values that mean null", examples=("[0, 99991231]",)),
    Key(
        "decode",
        Shapes(scalar=CODE_TABLE, map=CODES),
        "raw code to value: a map, or a shared code table's name",
        examples=("{A: active, P: prospect, '': null}", "consent_purposes"),
    ),
    Key(
        "otherwise",
        Constant("a value"),
        "the value of codes that `decode` does not list; without it, such a code is a dead letter",
        examples=("unknown",),
    ),
    Key("pii", FLAG, "true for personal data: masked where values are shown", examples=("true",)),
    Key("bookkeeping", FLAG, "true for a column that is readable but never a fact by itself", examples=("true",)),
)
PART = Record(
    "a part",
    (
        Key(
            "is",
            Text("a template"),
            "the part, computed from `value` (the packed column) and `row` (the plain columns beside it)",
            True,
            ('"{{ value | chars(1, 2) }}"',),
        ),
        *_reading,
    ),
)
COLUMN = Record(
    "a column",
    (
        Key(
            "as",
            COLUMN_NAME,
            "the domain name: a small letter, then letters and digits, no underscore; without it the legacy name stays",
            examples=("customerId",),
        ),
        *_reading,
        Key(
            "parts",
            MapOf(COLUMN_NAME, PART),
            "several domain columns packed into this one",
            examples=('{language: {is: "{{ value | chars(1, 2) }}"}}',),
        ),
    ),
)
TABLE = Record(
    "a table",
    (
        Key(
            "as",
            TABLE_NAME,
            "the domain name: a small letter, then letters and digits, no underscore",
            True,
            ("address",),
        ),
        Key("row", ListOf(COLUMN_OR_KEPT), "the domain columns that identify one row", True, ("[addressId]",)),
        Key(
            "groups",
            MapOf(GROUP, ListOf(COLUMN_OR_KEPT)),
            "one name for several columns, usable in any list of columns",
            examples=("{place: [street, postcode, city]}",),
        ),
        Key(
            "columns",
            MapOf(Word("a legacy column", r"[^\s.\"'`]{1,128}"), COLUMN),
            "every column the rules may know, by its legacy name",
            True,
            ("{cust_id: {as: customerId, type: int}, upd_ts: {bookkeeping: true}}",),
        ),
        Key(
            "truncate",
            Choice("a policy", ("drift", "ignore")),
            "what a TRUNCATE is: drift (dead letter) or ignored",
            examples=("ignore",),
        ),
        Key(
            "unexplained",
            UNEXPLAINED,
            "what to do when a declared column changed and no rule took it",
            examples=("report",),
        ),
        Key(
            "undeclared",
            UNDECLARED,
            "what to do when a column changed that this file does not know",
            examples=("report",),
        ),
    ),
)
