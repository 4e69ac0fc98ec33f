"""Older versions of an event (`also`): what is carried over, renamed and set, and what no older contract can take."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load_text
from gateway.model.errors import ConfigError, LetterClass, RecordError

MAPPING = """
mapping: branch
source: {topics: [legacy.branch.raw]}
aggregate: {type: Branch, key: [branchId]}
tables:
  crm.branch:
    as: branch
    row: [branchId]
    columns:
      id: {as: branchId, type: int}
events:
  Opened: {version: 2, also: {1: ALSO}}
rules:
  - rule: opened
    event: Opened
    each: {table: branch, op: insert}
    data: {}
"""
TEXT, NULLABLE = "string", ["null", "string"]


def record(name: str, /, **fields: Any) -> dict[str, Any]:
    """A record; a field given as a pair has its second part as default."""
    parts = {key: value if isinstance(value, tuple) else (value,) for key, value in fields.items()}
    listed = [{"name": key, "type": value[0], **({"default": value[1]} if value[1:] else {})}
              for key, value in parts.items()]  # fmt: skip
    return {"type": "record", "name": name, "fields": listed}


def loaded(folder: Path, newer: dict[str, Any], older: dict[str, Any], also: str) -> CompiledMapping:
    """A mapping whose event has the fields ``newer``, all with defaults, in version 2 and ``older`` in version 1."""
    events = folder / "branch" / "events"
    events.mkdir(parents=True, exist_ok=True)
    for version, fields in ((2, newer), (1, older)):
        schema = {**record("Opened", **fields), "namespace": f"bank.branch.v{version}"}
        (events / f"Opened.v{version}.avsc").write_text(json.dumps(schema))
    return load_text(MAPPING.replace("ALSO", also), folder, "branch/branch.yaml")


def derived(folder: Path, newer: dict[str, Any], older: dict[str, Any], also: str, payload: dict[str, Any]) -> object:
    """What version 1 is made of a payload of version 2."""
    return loaded(folder, newer, older, also).events["Opened"].also[0].derive(payload)


def faults(folder: Path, newer: dict[str, Any], older: dict[str, Any], also: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, newer, older, also)
    return [fault.what for fault in caught.value.faults]


def test_fields_are_dropped_then_renamed_then_set_and_templates_see_the_whole_newest_payload(tmp_path: Path) -> None:
    got = derived(
        tmp_path,
        {"name": ("string", ""), "town": ("string", ""), "since": ("int", 0)},
        {"label": TEXT, "town": TEXT, "note": TEXT},
        """{drop: [since], rename: {name: label}, set: {note: "{{ data.name ~ ' since ' ~ data.since }}"}}""",
        {"name": "Mitte", "town": "Bern", "since": 1999},
    )
    assert got == {"label": "Mitte", "town": "Bern", "note": "Mitte since 1999"}


def test_nested_fields_are_named_by_their_path_through_arrays_and_nullable_records(tmp_path: Path) -> None:
    place = record("Place", street=TEXT, town=TEXT)
    older = record("Place", street=TEXT, city=TEXT)
    got = derived(
        tmp_path,
        {"seat": (["null", {**place, "fields": [*place["fields"], {"name": "zip", "type": TEXT}]}], None),
         "sites": ({"type": "array", "items": "Place"}, [])},
        {"seat": (["null", older], None), "sites": ({"type": "array", "items": "Place"}, [])},
        "{drop: [seat.zip, sites.zip], rename: {seat.town: seat.city, sites.town: sites.city}}",
        {"seat": None, "sites": [{"street": "A 1", "town": "Bern", "zip": "3000"}]},
    )  # fmt: skip
    assert got == {"seat": None, "sites": [{"street": "A 1", "city": "Bern"}]}


def test_a_field_that_nothing_fills_takes_the_older_contracts_default(tmp_path: Path) -> None:
    older = {"a": "long", "b": (["null", "int"], None)}
    got = derived(tmp_path, {"a": ("int", 0)}, older, "{sunset: 2027-01-31}", {"a": 1})
    assert got == {"a": 1, "b": None}


def test_records_in_a_union_get_the_name_they_have_in_the_older_contract(tmp_path: Path) -> None:
    one, two = record("One", a=TEXT), record("Two", b=TEXT)
    got = derived(
        tmp_path,
        {"which": (["null", one, two], None)},
        {"which": (["null", one, two], None)},
        "{sunset: 2027-01-31}",
        {"which": ("bank.branch.v2.Two", {"b": "x"})},
    )
    assert got == {"which": ("bank.branch.v1.Two", {"b": "x"})}


@pytest.mark.parametrize(
    ("newer", "older", "fits"),
    [
        ("int", "long", True),
        ("long", "int", False),
        ("int", "double", True),
        ("string", "bytes", False),
        ("string", NULLABLE, True),
        (NULLABLE, "string", False),
        ({"type": "enum", "name": "K", "symbols": ["a"]}, {"type": "enum", "name": "K", "symbols": ["a", "b"]}, True),
        ({"type": "enum", "name": "K", "symbols": ["a", "b"]}, {"type": "enum", "name": "K", "symbols": ["a"]}, False),
        ({"type": "enum", "name": "K", "symbols": ["a"]}, "string", True),
        ("string", {"type": "enum", "name": "K", "symbols": ["a"]}, False),
        ({"type": "int", "logicalType": "date"}, "int", False),
        ({"type": "long", "logicalType": "timestamp-millis"},
         {"type": "long", "logicalType": "timestamp-micros"}, True),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
         {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 3}, True),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
         {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3}, False),
        ({"type": "array", "items": "int"}, {"type": "array", "items": "long"}, True),
        ({"type": "map", "values": NULLABLE}, {"type": "map", "values": "string"}, False),
        (["null", "string", "int"], ["null", "int", "string"], True),
        (["null", "string", "int"], NULLABLE, False),
    ],
    ids=str,
)  # fmt: skip
def test_a_type_is_carried_over_only_where_every_value_fits(tmp_path: Path, newer: Any, older: Any, fits: bool) -> None:
    wrapped = {"x": (["null", record("R", y=newer)], None)}
    into = {"x": (["null", record("R", y=older)], None)}
    if fits:
        assert loaded(tmp_path, wrapped, into, "{sunset: 2027-01-31}").events["Opened"].also
    else:
        assert "x.y" in faults(tmp_path, wrapped, into, "{sunset: 2027-01-31}")[0]


def test_a_value_that_the_older_contract_forbids_is_an_error_that_names_the_field(tmp_path: Path) -> None:
    older = loaded(tmp_path, {"a": (NULLABLE, None)}, {"b": TEXT}, """{drop: [a], set: {b: "{{ data.a }}"}}""")
    with pytest.raises(RecordError) as caught:
        older.events["Opened"].also[0].derive({"a": None})
    assert (caught.value.letter_class, caught.value.where) == (LetterClass.CONTRACT, "b")


def test_several_older_versions_come_newest_first_and_each_is_derived_of_the_newest(tmp_path: Path) -> None:
    text = MAPPING.replace("{version: 2, also: {1: ALSO}}", "{version: 3, also: {1: {drop: [b, c]}, 2: {drop: [c]}}}")
    events = tmp_path / "branch" / "events"
    events.mkdir(parents=True)
    for version, names in ((1, "a"), (2, "ab"), (3, "abc")):
        schema = {**record("Opened", **dict.fromkeys(names, ("int", 0))), "namespace": f"bank.branch.v{version}"}
        (events / f"Opened.v{version}.avsc").write_text(json.dumps(schema))
    event = load_text(text, tmp_path, "branch/branch.yaml").events["Opened"]
    assert [one.version for one in event.versions] == [3, 2, 1]
    assert [older.derive({"a": 1, "b": 2, "c": 3}) for older in event.also] == [{"a": 1, "b": 2}, {"a": 1}]


def test_what_is_registered_of_an_older_version_says_that_it_is_deprecated_and_until_when(tmp_path: Path) -> None:
    event = loaded(tmp_path, {"a": ("int", 0)}, {"a": "int"}, "{sunset: 2027-06-30}").events["Opened"]
    newest, older = (dict(one.schema) for one in event.versions)
    assert "deprecated" not in newest
    assert (older["deprecated"], older["sunset"]) == (True, "2027-06-30")


def test_the_digest_covers_the_older_contract(tmp_path: Path) -> None:
    first = loaded(tmp_path, {"a": ("int", 0)}, {"a": "int"}, "{sunset: 2027-06-30}").digest
    assert loaded(tmp_path, {"a": ("int", 0)}, {"a": "long"}, "{sunset: 2027-06-30}").digest != first
