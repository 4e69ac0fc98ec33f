"""The table of changes to a contract: each with what the gateway says of it and what Avro's own resolution says."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.mapping.compatibility import ChangeKind

Schema = dict[str, Any]

EARLIER: Schema = {
    "type": "record",
    "name": "AddressChanged",
    "namespace": "insurer.customer.v1",
    "doc": "A customer moved.",
    "fields": [
        {"name": "customerId", "type": "long", "doc": "Who."},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["HOME", "BILLING"]}, "doc": "Which."},
        {
            "name": "purpose",
            "type": {"type": "enum", "name": "Purpose", "symbols": ["A", "OTHER"], "default": "OTHER"},
            "default": "OTHER",
            "doc": "Why.",
        },
        {"name": "city", "type": "string", "doc": "Where."},
        {"name": "note", "type": ["null", "string"], "default": None, "doc": "More."},
        {"name": "since", "type": {"type": "int", "logicalType": "date"}, "doc": "From when."},
        {
            "name": "fee",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2},
            "doc": "What it costs.",
        },
        {
            "name": "place",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "Place",
                    "fields": [{"name": "street", "type": "string"}, {"name": "floor", "type": "int", "default": 0}],
                },
            ],
            "default": None,
            "doc": "Nested.",
        },
        {"name": "tags", "type": {"type": "array", "items": "string"}, "default": [], "doc": "Many."},
        {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 8}, "doc": "Fixed."},
        {"name": "count", "type": "int", "doc": "How often."},
    ],
}


@dataclass(frozen=True)
class Case:
    """``kind`` None: the gateway accepts it. ``avro``: whether Avro's resolution accepts it both ways."""

    name: str
    change: Callable[[Schema], object]
    kind: ChangeKind | None
    avro: bool
    field: str = ""

    @property
    def later(self) -> Schema:
        schema = copy.deepcopy(EARLIER)
        self.change(schema)
        return schema


def field(schema: Schema, name: str) -> Schema:
    return next(entry for entry in schema["fields"] if entry["name"] == name)


def _add(entry: Schema) -> Callable[[Schema], object]:
    return lambda schema: schema["fields"].append(entry)


def _remove(name: str) -> Callable[[Schema], object]:
    return lambda schema: schema["fields"].remove(field(schema, name))


def _set(which: str, /, **changes: Any) -> Callable[[Schema], object]:
    return lambda schema: field(schema, which).update(changes)


def _place(schema: Schema) -> list[Schema]:
    return field(schema, "place")["type"][1]["fields"]


CASES = (
    Case("nothing", lambda schema: None, None, True),
    Case("a field with a default is added", _add({"name": "x", "type": "int", "default": 0}), None, True),
    Case("a nullable field is added", _add({"name": "x", "type": ["null", "int"], "default": None}), None, True),
    Case("a field without default is added", _add({"name": "x", "type": "int"}), ChangeKind.FIELD_ADDED, False, "x"),
    Case("a field with a default is removed", _remove("note"), None, True),
    Case("a field without default is removed", _remove("city"), ChangeKind.FIELD_REMOVED, False, "city"),
    Case("a field is renamed", _set("city", name="town"), ChangeKind.FIELD_ADDED, False, "town"),
    Case(
        "a field without default is renamed with an alias",
        _set("city", name="town", aliases=["city"]),
        ChangeKind.FIELD_REMOVED,
        False,
        "city",
    ),
    Case("a field with a default is renamed with an alias", _set("note", name="more", aliases=["note"]), None, True),
    Case("an int becomes a long", _set("count", type="long"), ChangeKind.TYPE, False, "count"),
    Case("a long becomes an int", _set("customerId", type="int"), ChangeKind.TYPE, False, "customerId"),
    Case("a string becomes an int", _set("city", type="int"), ChangeKind.TYPE, False, "city"),
    Case("a string becomes bytes", _set("city", type="bytes"), None, True),
    Case(
        "a decimal gets another scale",
        lambda schema: field(schema, "fee")["type"].update(scale=3),
        ChangeKind.DECIMAL,
        True,
        "fee",
    ),
    Case(
        "a decimal gets more digits",
        lambda schema: field(schema, "fee")["type"].update(precision=12),
        ChangeKind.DECIMAL,
        True,
        "fee",
    ),
    Case(
        "a symbol is added to an enum without default",
        lambda schema: field(schema, "kind")["type"]["symbols"].append("LEGAL"),
        ChangeKind.SYMBOL_ADDED,
        False,
        "kind",
    ),
    Case(
        "a symbol is added to an enum with a default",
        lambda schema: field(schema, "purpose")["type"]["symbols"].append("B"),
        None,
        True,
    ),
    Case(
        "a symbol is removed from an enum without default",
        lambda schema: field(schema, "kind")["type"]["symbols"].remove("HOME"),
        ChangeKind.SYMBOL_REMOVED,
        False,
        "kind",
    ),
    Case(
        "a symbol is removed from an enum with a default",
        lambda schema: field(schema, "purpose")["type"]["symbols"].remove("A"),
        None,
        True,
    ),
    Case(
        "the symbols of an enum change places",
        lambda schema: field(schema, "kind")["type"]["symbols"].reverse(),
        None,
        True,
    ),
    Case("a field becomes nullable", _set("city", type=["null", "string"]), ChangeKind.NULLABLE, False, "city"),
    Case("a field is no longer nullable", _set("note", type="string", default=""), ChangeKind.NULLABLE, False, "note"),
    Case("a union gets a branch", _set("note", type=["null", "string", "long"]), ChangeKind.BRANCH, False, "note"),
    Case("the branches of a union change places", _set("note", type=["string", "null"], default=""), None, True),
    Case("the description changes", _set("city", doc="The town."), None, True),
    Case("the fields change places", lambda schema: schema["fields"].reverse(), None, True),
    Case("the namespace changes", lambda schema: schema.update(namespace="other.v1"), ChangeKind.NAME, True),
    Case("the record is renamed", lambda schema: schema.update(name="Moved"), ChangeKind.NAME, False),
    Case("a date becomes a plain int", _set("since", type="int"), ChangeKind.LOGICAL_TYPE, True, "since"),
    Case(
        "a string becomes a uuid",
        _set("city", type={"type": "string", "logicalType": "uuid"}),
        ChangeKind.LOGICAL_TYPE,
        True,
        "city",
    ),
    Case("a default value changes", lambda schema: _place(schema)[1].update(default=1), None, True),
    Case("a default value appears", _set("city", default=""), None, True),
    Case(
        "a nested field without default is added",
        lambda schema: _place(schema).append({"name": "door", "type": "int"}),
        ChangeKind.FIELD_ADDED,
        False,
        "place.door",
    ),
    Case(
        "a nested field without default is removed",
        lambda schema: _place(schema).pop(0),
        ChangeKind.FIELD_REMOVED,
        False,
        "place.street",
    ),
    Case(
        "the items of an array change their type",
        lambda schema: field(schema, "tags")["type"].update(items="int"),
        ChangeKind.TYPE,
        False,
        "tags[]",
    ),
    Case(
        "an array becomes a single value",
        _set("tags", type="string", default=""),
        ChangeKind.TYPE,
        False,
        "tags",
    ),
    Case(
        "a fixed gets another size",
        lambda schema: field(schema, "hash")["type"].update(size=16),
        ChangeKind.FIXED_SIZE,
        False,
        "hash",
    ),
)
