"""Ids of aggregates near one that is not there: other padding or case first, then other spellings."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["near_keys"]

_MOST = 3
_COMPARED = 20_000
"""Above so many ids only padding and case are looked at; comparing spellings would take long."""


def near_keys(key: str, known: Iterable[str]) -> list[str]:
    """At most three of the known ids, the nearest first; none where nothing is near."""
    ids = list(dict.fromkeys(known))
    plain = _plain(key)
    alike = [each for each in ids if _plain(each) == plain]
    if not alike and len(ids) <= _COMPARED:
        alike = difflib.get_close_matches(key, ids, n=_MOST, cutoff=0.7)
    return alike[:_MOST]


def _plain(key: str) -> str:
    """Without blanks, without zeros before numbers, in one case."""
    return "|".join("".join(part.split()).lstrip("0").lower() for part in key.split("|"))
