"""Tables as raw records show them: columns, keys, values and which columns each update changed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.model.shape import ColumnShape, TableShape

__all__ = ["shapes_of"]

_KEPT, _FRESH = 2_000, 50_000
_ID = re.compile(r"(id|no|nr|num|key|seq|lfd|pos|typ|type|cd)$", re.IGNORECASE)
_PLACEHOLDER = "__debezium_unavailable_value"


class _Seen:
    """What was seen of one table."""

    def __init__(self) -> None:
        self.columns: dict[str, str] = {}
        self.nullable: set[str] = set()
        self.rows: list[Mapping[str, object]] = []
        self.fresh: list[Mapping[str, object]] = []
        self.updates: list[frozenset[str]] = []
        self.key: dict[str, str] | None = None
        self.keys: tuple[str, ...] | None = None

    def note(self, key: Mapping[str, object], before: Any, after: Any) -> None:
        image = after or before or {}
        for name, value in image.items():
            self.columns[name] = _kind(self.columns.get(name, ""), value)
            if value is None:
                self.nullable.add(name)
        if len(self.rows) < _KEPT:
            self.rows.append({name: None if value == _PLACEHOLDER else value for name, value in image.items()})
        if after and not before and len(self.fresh) < _FRESH:
            self.fresh.append(image)
        if before and after and len(self.updates) < _KEPT:
            self.updates.append(frozenset(name for name in after if before.get(name) != after[name]))
        names = {raw: own for own, value in key.items() for raw in self._same(own, value, image)}
        self.key = names if self.key is None else {raw: own for raw, own in self.key.items() if names.get(raw) == own}

    @staticmethod
    def _same(own: str, value: object, image: Mapping[str, object]) -> list[str]:
        """Columns that may be the key column: of its name, else of its value."""
        return [own] if own in image else [raw for raw, one in image.items() if str(one) == str(value)]


def shapes_of(records: Iterable[RawRecord], tables: Iterable[str] = ()) -> list[TableShape]:
    """The tables that the records tell of, in the order of their first record; those named, if any are.

    ConfigError: there are none, or the records are no JSON envelopes.
    """
    wanted, seen = set(tables), dict[str, _Seen]()
    for record in records:
        change = _change(record)
        if change is not None and (not wanted or change[0] in wanted):
            table, key, before, after = change
            seen.setdefault(table, _Seen()).note(key, before, after)
    lacking = sorted(wanted - seen.keys())
    if lacking or not seen:
        what = f"no record of {', '.join(lacking)}" if lacking else "no record of any table"
        raise ConfigError(what, where="the records", hint="capture more of them, or scaffold from the live table")
    return [_shape(table, one) for table, one in seen.items()]


def _change(record: RawRecord) -> tuple[str, Mapping[str, object], Any, Any] | None:
    """Table, key, before and after of a record; None for those that change no row."""
    if record.value is None:
        return None
    if record.value[:1] == b"\x00":
        hint = "scaffold from the live table: --url"
        raise ConfigError("the record is Avro, and only JSON is read here", where=record.place, hint=hint)
    try:
        value, key = json.loads(record.value), json.loads(record.key or b"{}")
    except ValueError as error:
        raise ConfigError(f"the record is no JSON: {error}", where=record.place) from error
    value, key = _payload(value), _payload(key)
    if not isinstance(value, dict) or not isinstance(value.get("source"), dict) or "op" not in value:
        return None
    source = value["source"]
    if value["op"] not in ("c", "u", "d", "r") or "table" not in source:
        return None
    return f"{source.get('schema', 'public')}.{source['table']}", key or {}, value.get("before"), value.get("after")


def _payload(value: Any) -> Any:
    return value["payload"] if isinstance(value, dict) and "payload" in value and "schema" in value else value


def _kind(known: str, value: object) -> str:
    """The database type that values like this come from, as far as JSON tells."""
    if value is None or value == _PLACEHOLDER:
        return known
    found = "text"
    if isinstance(value, bool):
        found = "boolean"
    elif isinstance(value, int):
        found = "bigint"
    elif isinstance(value, float):
        found = "numeric"
    return found if known in ("", found) else "text"


def _shape(table: str, seen: _Seen) -> TableShape:
    columns = tuple(ColumnShape(name, kind or "text", name in seen.nullable) for name, kind in seen.columns.items())
    identity = _identity(seen)
    told = (
        "the columns of the records' key" if set(identity) == set(seen.key or {}) else "no other row has these values"
    )
    return TableShape(
        table,
        columns,
        identity,
        rows=tuple(seen.rows),
        updates=tuple(seen.updates),
        record_key=seen.key,
        guessed_key=f"its rows are told apart by {', '.join(identity)}: {told}" if identity else "",
    )


def _identity(seen: _Seen) -> tuple[str, ...]:
    """Columns that hardly any update changed and that tell rows apart: the aggregate's key, or an id beside it."""
    changes = Counter(name for update in seen.updates for name in update)
    fixed = [name for name in seen.columns if changes[name] <= len(seen.updates) // 100]
    key = tuple(name for name in fixed if name in (seen.key or {}))
    others = sorted((name for name in fixed if name not in key and _ID.search(name)), key=_rank)
    for names in (key, *((one,) for one in others), *((*key, one) for one in others)):
        told = {tuple(str(row.get(name)) for name in names) for row in seen.fresh}
        if names and len(told) >= 0.99 * len(seen.fresh):  # a row may go and come again
            return names
    return key


def _rank(name: str) -> int:
    """Ids before numbers before types: the more a name promises to be unique, the sooner it is tried."""
    endings = (("id", "key"), ("no", "nr", "num", "seq", "lfd", "pos"), ("typ", "type", "cd"))
    return next((rank for rank, ends in enumerate(endings) if name.lower().endswith(ends)), len(endings))
