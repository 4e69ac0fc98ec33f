"""The three states of a column: a value, null (None), or unavailable for one of three reasons (language.md 3)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum

__all__ = ["MISSING", "UNREADABLE", "UNSENT", "Scalar", "Unavailable", "Value"]


class Unavailable(Enum):
    """What the record does not tell. Never null: doubt never decides."""

    UNSENT = "unsent"
    """The connector sent its placeholder for a large value that the update did not touch."""
    MISSING = "missing"
    """The column is not in the record."""
    UNREADABLE = "unreadable"
    """The raw value has no decoding."""

    def __bool__(self) -> bool:
        raise TypeError("unavailable has no truth value: ask `is True`")


UNSENT = Unavailable.UNSENT
MISSING = Unavailable.MISSING
UNREADABLE = Unavailable.UNREADABLE

Scalar = None | bool | int | str | bytes | Decimal | dt.date | dt.datetime
"""A known domain value; None is null. Dates are naive ``date``, timestamps aware UTC ``datetime``."""
Value = Scalar | Unavailable
"""A column of a row as a rule sees it."""
