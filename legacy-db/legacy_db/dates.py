"""Legacy dates: integers YYYYMMDD."""

from __future__ import annotations

import datetime as dt

__all__ = ["iso", "legacy", "shifted"]


def legacy(day: dt.date) -> int:
    """A date as legacy writes it."""
    return day.year * 10_000 + day.month * 100 + day.day


def _date(number: int) -> dt.date:
    return dt.date(number // 10_000, number // 100 % 100, number % 100)


def iso(number: int) -> str | None:
    """A legacy date as ISO text; None for 0, for "open", and for what is no date."""
    if number in (0, 99991231):
        return None
    try:
        return _date(number).isoformat()
    except ValueError:
        # such a row belongs to an aggregate that is parked: the truth compares nothing of it
        return None


def shifted(number: int, days: int) -> int:
    """A legacy date some days later (or earlier). Raises ValueError for what is no date."""
    return legacy(_date(number) + dt.timedelta(days=days))
