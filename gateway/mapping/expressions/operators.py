"""What expressions are made of beside filters: roots, operators and tests, with examples that one test runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from gateway.model.values import UNREADABLE, Value

__all__ = ["OPERATORS", "REFUSED_FORMS", "ROOTS", "SAMPLE", "Sample", "Shown"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A form as it is written, what it gives, and expressions with their results in the sample transaction."""

    form: str
    doc: str
    examples: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """The transaction that all examples speak of: an updated customer, a row inserted beside it."""

    key: Mapping[str, Value]
    before: Mapping[str, Value]
    after: Mapping[str, Value]
    log: Mapping[str, Value]


SAMPLE = Sample(
    key={"customerId": 7},
    before={"name": "Lia Meier", "status": "active", "visits": 3, "note": None},
    after={"name": "Lia Roth", "status": "active", "visits": 4, "note": None},
    log={"reason": "nameChange", "channel": None},
)

ROOTS = (
    Shown(
        "before.COLUMN; after.COLUMN",
        "the row as it was, and as it is. There is no `after` of a deleted row and no `before` of an inserted one: "
        "naming it where the operation may be that is a load error",
        (("before.name", "Lia Meier"), ("after.name", "Lia Roth")),
    ),
    Shown(
        "row.COLUMN",
        "the row whatever happened to it: as it is, or as it was where it is deleted or left",
        (("row.name", "Lia Roth"),),
    ),
    Shown("op", "what happened: insert, update, delete, leaves, arrives or snapshot", (("op", "update"),)),
    Shown(
        "NAME.before.COLUMN; NAME.after.COLUMN; NAME.row.COLUMN; NAME.op",
        "the same of a companion, named under `with` or `once`; the columns of an absent companion read as null",
        (("log.after.reason", "nameChange"), ("log.op", "insert")),
    ),
    Shown("key.COLUMN", "the aggregate's key", (("key.customerId", 7),)),
    Shown("other.COLUMN", "the key on the far side, where the row leaves or arrives", ()),
    Shown("item.row.COLUMN", "the row at hand inside `$each` (`item.before`, `item.after`, `item.op` as well)", ()),
    Shown("transaction.id; transaction.time", "the database transaction's number, and its commit time in UTC", ()),
    Shown(
        "value; row.COLUMN",
        "in `is:` of a part only: the packed column's raw text, and the plain columns beside it",
        (),
    ),
)

OPERATORS = (
    Shown(
        "a == b; a != b",
        "equal, not equal; null equals null and nothing else",
        (("after.status == 'active'", True), ("after.note == null", True), ("after.note != 'x'", True)),
    ),
    Shown(
        "a < b; a <= b; a > b; a >= b",
        "in order; false where either is null",
        (("after.visits > before.visits", True), ("after.note < 'x'", False)),
    ),
    Shown(
        "a in [x, y]; a not in [x, y]",
        "one of these; none of these",
        (("after.status in ['active', 'merged']", True), ("after.note not in ['x', null]", False)),
    ),
    Shown(
        "a and b; a or b; not a",
        "of tests; what cannot be known stays unknown unless the other side decides",
        (
            ("after.visits == 4 and not after.status == 'merged'", True),
            ("'abc' | int == 1 or true", True),
            ("'abc' | int == 1 and true", UNREADABLE),
        ),
    ),
    Shown("a if test else b", "one of two values", (("'new' if after.visits == 1 else 'known'", "known"),)),
    Shown(
        "a ~ b",
        "joined as text; null if either is null",
        (("after.name ~ ' (' ~ key.customerId ~ ')'", "Lia Roth (7)"), ("after.name ~ after.note", None)),
    ),
    Shown(
        "a + b; a - b; a * b; -a",
        "of numbers, exact; null if either is null. A product has the decimal places of both factors together, a sum "
        "or difference those of the one that has more; `(a * b) | round(s)` leaves fewer "
        "(filters bind tightest, hence the brackets)",
        (
            ("after.visits * 2 + 1", 9),
            ("before.visits - after.visits", -1),
            ("after.visits * ('1.50' | decimal(2))", Decimal("6.00")),
            ("(('0.25' | decimal(2)) * ('0.5' | decimal(1))) | round(2)", Decimal("0.13")),
        ),
    ),
    Shown(
        "a * ('0.1' | decimal(1)); a * ('0.01' | decimal(2))",
        "a tenth, a hundredth: there is no division, so multiply by what one part is (tenths of a cubic metre, cents)",
        (("after.visits * ('0.1' | decimal(1))", Decimal("0.4")), ("1995 * ('0.01' | decimal(2))", Decimal("19.95"))),
    ),
    Shown(
        "a is null; a is not null",
        "null is a known value: this is never unknown for it",
        (("after.note is null", True), ("log.after.reason is not null", True)),
    ),
    Shown(
        "row.COLUMN is changed",
        "the transaction changed the column's domain value in the end; false outside updates",
        (("row.name is changed", True), ("row.status is changed", False)),
    ),
    Shown(
        "NAME is present",
        "a companion of `count: at most one` is there, or a list has rows",
        (("log is present", True),),
    ),
    Shown(
        "a is unavailable",
        "the record does not tell the value (not sent, not in the record, or not readable); never unknown itself",
        (("'abc' | int is unavailable", True), ("after.note is unavailable", False)),
    ),
    Shown("'text'; 42; true; false; null", "constants; a decimal is a text with the filter `decimal`", (("42", 42),)),
)

REFUSED_FORMS = (
    "calls and functions",
    "indexes and slices (use `chars(from, to)`)",
    "division (a tenth is `* ('0.1' | decimal(1))`), remainder, powers",
    "floats (use `'1.5' | decimal(1)`)",
    "chained comparisons",
    "maps and lists, but for the list right of `in`",
    "statements and comments",
)
