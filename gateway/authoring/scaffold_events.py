"""The events that a draft begins with: what was inserted, changed or removed, table by table, with their contracts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.authoring.scaffold_draft import Draft, DraftColumn, DraftTable

__all__ = ["DraftEvent", "contract", "events_of"]


@dataclass(frozen=True, slots=True)
class DraftEvent:
    """An event of one table. ``op``: insert, update or delete; ``columns``: what its data takes, keys first."""

    name: str
    rule: str
    table: DraftTable
    op: str
    columns: tuple[DraftColumn, ...]


_WORDS = {"insert": ("Created", "Added"), "update": ("Changed", "Changed"), "delete": ("Removed", "Removed")}


def events_of(draft: Draft) -> tuple[DraftEvent, ...]:
    """Three for each table; an update event only where something but the key may change."""
    return tuple(
        _event(draft, table, op)
        for index, table in enumerate(draft.tables)
        for op in ("insert", "update", "delete")
        if op != "update" or table.facts
    )


def _event(draft: Draft, table: DraftTable, op: str) -> DraftEvent:
    root = table is draft.tables[0]
    word = _WORDS[op][0 if root else 1]
    part = "" if root else table.name[0].upper() + table.name[1:]
    if part.startswith(draft.type):
        part = part.removeprefix(draft.type)
    identity = tuple(one for one in table.columns if one.name in (*draft.key, *table.row))
    columns = identity if op == "delete" else (*identity, *(one for one in table.facts if one not in identity))
    rule = f"{table.name}-{word}".lower() if not root else word.lower()
    return DraftEvent(f"{draft.type}{part}{word}", rule, table, op, columns)


def contract(draft: Draft, event: DraftEvent) -> str:
    """Its Avro contract as JSON text; all but keys may be null, since legacy columns are."""
    done = {"insert": "was inserted", "update": "was changed", "delete": "was removed"}[event.op]
    record = {
        "type": "record",
        "name": event.name,
        "namespace": f"{draft.name.replace('-', '_')}.v1",
        "doc": f"A row of {event.table.shape.name} {done}. Say here what that means to the business.",
        "fields": [_field(draft, event, column) for column in event.columns],
    }
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def _field(draft: Draft, event: DraftEvent, column: DraftColumn) -> Mapping[str, object]:
    guess = column.guess
    doc = guess.comment.strip().rstrip(".") or f"Legacy column {event.table.shape.name}.{guess.raw}; say what it means"
    pii: dict[str, object] = {"pii": True} if guess.pii else {}
    doc = f"{doc}. Personal data." if guess.pii else f"{doc}."
    if column.name in (*draft.key, *event.table.row):
        return {"name": column.name, "type": _avro(guess.type, guess.decode), "doc": doc, **pii}
    return {"name": column.name, "type": ["null", _avro(guess.type, guess.decode)], "doc": doc, "default": None, **pii}


def _avro(kind: str, decode: Mapping[str, object] | None) -> object:
    if decode is not None:
        symbols = {value for value in decode.values() if value is not None}
        return "boolean" if symbols <= {True, False} else "string"
    if kind.startswith("decimal"):
        precision, scale = kind.removeprefix("decimal(").rstrip(")").split(",")
        return {"type": "bytes", "logicalType": "decimal", "precision": int(precision), "scale": int(scale)}
    if kind.startswith("date"):
        return {"type": "int", "logicalType": "date"}
    plain = {"int": "long", "bool": "boolean", "bytes": "bytes"}
    if kind == "timestamp":
        return {"type": "long", "logicalType": "timestamp-micros"}
    return plain.get(kind, "string")
