"""Whether a live column's values, as the connector sends them, decode as the type that a mapping declares. Pure."""

from __future__ import annotations

import re
from enum import Enum

__all__ = ["Fit", "fit"]


class Fit(Enum):
    """How a live type goes with a declared one."""

    YES = "fits"
    NARROW = "some values do not fit"
    NO = "no value fits"


_WHOLE = frozenset({"smallint", "integer", "bigint", "oid"})
_FLOAT = frozenset({"real", "double precision"})
_NUMERIC = re.compile(r"numeric(?:\(([0-9]+),(-?[0-9]+)\))?")
_DECIMAL = re.compile(r"decimal\( *([0-9]+) *, *([0-9]+) *\)")

_GOES: dict[str, dict[str, Fit]] = {
    "int": {"whole": Fit.YES, "text": Fit.YES},
    "decimal": {"whole": Fit.YES, "text": Fit.YES, "float": Fit.NARROW},
    "bool": {"bool": Fit.YES, "text": Fit.YES},
    "bytes": {"bytes": Fit.YES, "text": Fit.YES},
    "date": {"date": Fit.YES, "text": Fit.YES},
    "timestamp": {"timestamp": Fit.YES, "text": Fit.YES},
    "digits": {"whole": Fit.YES, "text": Fit.YES},
    "code": {
        "whole": Fit.YES,
        "text": Fit.YES,
        "bool": Fit.YES,
        "numeric": Fit.YES,
        "date": Fit.YES,
        "timestamp": Fit.YES,
    },
}
"""Declared kind → family of the live type. Text carries anything: its values decide, one by one."""


def fit(live: str, declared: str, *, coded: bool = False) -> Fit:
    """How PostgreSQL's type ``live`` (as ``format_type`` spells it) goes with a column's type in a mapping.

    ``coded``: a code table reads the values as text.
    """
    family = _family(live)
    if family == "array":
        return Fit.NO
    if coded:
        return _GOES["code"].get(family, Fit.NO)
    if declared in ("text", "raw"):
        return Fit.NARROW if family == "bytes" else Fit.YES
    if family == "numeric":
        return _numeric(live, declared)
    kind = "digits" if declared.startswith("date(") else "decimal" if declared.startswith("decimal") else declared
    return _GOES.get(kind, {}).get(family, Fit.NO)


def _family(live: str) -> str:
    plain = live.partition("(")[0].strip()
    if live.endswith("[]"):
        return "array"
    if plain in _WHOLE:
        return "whole"
    if plain in _FLOAT:
        return "float"
    if plain.startswith("timestamp"):
        return "timestamp"
    known = {"numeric": "numeric", "boolean": "bool", "bytea": "bytes", "date": "date"}
    return known.get(plain, "text")


def _numeric(live: str, declared: str) -> Fit:
    """Decimals come as text, exactly: whole numbers may be read as int, others need the digits."""
    match = _NUMERIC.fullmatch(live)
    digits, scale = (int(match[1]), int(match[2])) if match and match[1] else (None, None)
    if declared == "int" or declared.startswith("date("):
        return Fit.NARROW if scale is None else Fit.YES if scale <= 0 else Fit.NO
    wanted = _DECIMAL.fullmatch(declared)
    if wanted is None:
        return Fit.NO
    if digits is None or scale is None:
        return Fit.NARROW
    room, places = int(wanted[1]) - int(wanted[2]), int(wanted[2])
    return Fit.YES if digits - scale <= room and scale <= places else Fit.NARROW
