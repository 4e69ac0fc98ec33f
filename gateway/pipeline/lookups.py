"""What one event's data asks of reference data: found, noted for its lineage, or missed (language.md 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote

import xxhash

from gateway.model.errors import LetterClass, LookupMissed, RecordError
from gateway.model.lookup import LookupUse, ReferenceTables

__all__ = ["LookupDesk", "as_told", "lineage_of", "uses_in"]

_SHOWN = 64
"""Longer values stand in the lineage as a hash: it says that a value was another one, not which."""


class LookupDesk:
    """``Lookups`` for the data of one event. ``tables`` None: nobody gave any."""

    def __init__(self, tables: ReferenceTables | None) -> None:
        self._tables = tables
        self._uses: dict[tuple[str, str, str], LookupUse] = {}

    def value(self, lookup: str, key: str, column: str) -> str | None:
        """The value of a column. LookupMissed: no entry; RecordError (lookup): no such column, or unreadable."""
        entry = None if self._tables is None else self._tables.find(lookup, key)
        if entry is None:
            raise LookupMissed(lookup, key)
        place = f"{entry.topic}[{entry.partition}]@{entry.offset}"
        if entry.values is None:
            raise _lacking(f"the entry `{key[:200]}` of the lookup `{lookup}` is not readable", place)
        if column not in entry.values:
            raise _lacking(f"the entry `{key[:200]}` of the lookup `{lookup}` has no column `{column}`", place)
        value = entry.values[column]
        use = LookupUse(lookup, key, column, value, entry.topic, entry.partition, entry.offset)
        self._uses[lookup, key, column] = use
        return value

    @property
    def uses(self) -> tuple[LookupUse, ...]:
        """What was found, each once, in the order it was first asked for."""
        return tuple(self._uses.values())


def _lacking(what: str, place: str) -> RecordError:
    return RecordError(
        LetterClass.LOOKUP, what, where=place, hint="publish a whole reference record under this key", stage="interpret"
    )


def lineage_of(uses: Iterable[LookupUse]) -> str:
    """``name/key/column:value@topic/partition/offset`` for each, joined by ``;``, every part percent-encoded."""
    return ";".join(map(_one, uses))


def _one(use: LookupUse) -> str:
    what = "/".join(quote(part, safe="", errors="replace") for part in (use.lookup, use.key, use.column))
    told = as_told(use.value)
    value = told if told.startswith("~") else quote(told, safe="", errors="replace").replace("~", "%7E")
    return f"{what}:{value}@{quote(use.topic, safe='')}/{use.partition}/{use.offset}"


def as_told(value: str | None) -> str:
    """A value as a lineage tells it: ``~`` for null, ``~`` and a hash for a long one or one that begins so."""
    if value is None:
        return "~"
    if len(value) <= _SHOWN and not value.startswith("~"):
        return value
    return "~" + xxhash.xxh3_64_hexdigest(value.encode("utf-8", "surrogatepass"))


def uses_in(lineage: str) -> Iterator[LookupUse]:
    """What a lineage header says was looked up, values as told; nothing where it says nothing or what is unreadable."""
    members = dict(part.split("=", 1) for part in lineage.split(",") if "=" in part)
    for part in filter(None, members.get("lookup", "").split(";")):
        try:
            what, _, rest = part.partition(":")
            value, _, place = rest.partition("@")
            lookup, key, column = map(unquote, what.split("/"))
            topic, partition, offset = map(unquote, place.split("/"))
            yield LookupUse(lookup, key, column, unquote(value), topic, int(partition), int(offset))
        except ValueError:
            continue
