"""Data templates against contracts: payloads as fastavro writes them, or a dead letter that names rule and field."""

import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pytest

from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load_text
from gateway.model.errors import ConfigError, LetterClass, RecordError
from gateway.model.values import MISSING, UNREADABLE, UNSENT, Value

from .rows import FakeRow, scope_of

HEAD = """
mapping: things
source: {topics: [legacy.thing.raw]}
aggregate: {type: Thing, key: [id]}
tables:
  s.thing:
    as: thing
    row: [id]
    groups: {both: [name, count]}
    columns:
      id:     {type: int}
      name:   {}
      count:  {type: int}
      price:  {type: "decimal(9,3)"}
      born:   {type: date}
      seen:   {type: timestamp}
      flag:   {type: bool}
      blob:   {type: bytes}
      status: {decode: {A: active, M: merged, '': null}}
rules:
  - rule: made
    event: Made
    each: {table: thing, op: [insert, delete]}
    with:
      many: {table: thing, op: insert, count: any}
      one: {table: thing, op: insert, count: at most one}
    data: """


def contract(folder: Path, *fields: dict[str, object]) -> None:
    (folder / "events").mkdir(exist_ok=True)
    schema = {"type": "record", "name": "Made", "namespace": "x.v1", "fields": list(fields)}
    (folder / "events" / "Made.v1.avsc").write_text(json.dumps(schema))


def field(type_: object, name: str = "f", **more: object) -> dict[str, object]:
    return {"name": name, "type": type_, "doc": "A field.", **more}


def mapping_of(folder: Path, data: str) -> CompiledMapping:
    return load_text(HEAD + data + "\n", folder)


def build(folder: Path, data: str, row: dict[str, Value] | None = None, **companions: object) -> dict[str, Any]:
    mapping = mapping_of(folder, data)
    builder = mapping.rules[0].data
    assert builder is not None
    scope = scope_of(FakeRow("insert", None, row or {}), {"id": 7}, **{"many": [], "one": None, **companions})
    payload = builder(scope)
    schema = fastavro.parse_schema(json.loads(json.dumps(mapping.events["Made"].schema)))
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema, payload, strict=True)
    stream.seek(0)
    again = fastavro.schemaless_reader(stream, schema, schema)
    assert again == {name: value[1] if isinstance(value, tuple) else value for name, value in payload.items()}
    return payload


def fails(folder: Path, data: str, row: dict[str, Value], **companions: object) -> RecordError:
    with pytest.raises(RecordError) as caught:
        build(folder, data, row, **companions)
    assert (caught.value.rule, caught.value.stage) == ("made", "interpret")
    return caught.value


def faults(folder: Path, data: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        mapping_of(folder, data)
    return [fault.what for fault in caught.value.faults]


SEEN = dt.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("type_", "template", "column", "value", "written"),
    [
        ("string", "{{ row.name }}", "name", "a", "a"),
        ("int", "{{ row.count }}", "count", 5, 5),
        ("long", "{{ row.count }}", "count", 2**40, 2**40),
        ("boolean", "{{ row.flag }}", "flag", True, True),
        ("bytes", "{{ row.blob }}", "blob", b"x", b"x"),
        ("double", "{{ row.price }}", "price", Decimal("1.5"), 1.5),
        ({"type": "int", "logicalType": "date"}, "{{ row.born }}", "born", dt.date(2026, 1, 2), dt.date(2026, 1, 2)),
        ({"type": "long", "logicalType": "timestamp-millis"}, "{{ row.seen }}", "seen", SEEN, SEEN),
        ({"type": "long", "logicalType": "timestamp-micros"}, "{{ row.seen }}", "seen", SEEN, SEEN),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
            "{{ row.price }}",
            "price",
            Decimal("1.500"),
            Decimal("1.50"),
        ),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
            "{{ row.count }}",
            "count",
            3,
            Decimal("3.00"),
        ),
        (
            {"type": "enum", "name": "E", "symbols": ["active", "merged"]},
            "{{ row.status }}",
            "status",
            "merged",
            "merged",
        ),
        (["null", "string"], "{{ row.name }}", "name", None, None),
        (["null", "string"], "{{ row.name }}", "name", "a", "a"),
        (["null", "int", "string"], "{{ row.name }}", "name", "a", "a"),
        ("string", "T-{{ key.id }}", "name", None, "T-7"),
        ("string", "{{ row.name }}/{{ row.born | default('1900-01-01') }}", "born", None, None),
    ],
)
def test_a_template_gives_the_contracts_type(
    tmp_path: Path, type_: object, template: str, column: str, value: Value, written: object
) -> None:
    contract(tmp_path, field(type_))
    if "1900" in template:
        assert faults(tmp_path, f'{{f: "{template}"}}') == ["date with a default of text"]
        return
    payload = build(tmp_path, f'{{f: "{template}"}}', {column: value})
    assert payload["f"] == written
    assert type(payload["f"]) is type(written)


@pytest.mark.parametrize(
    ("type_", "spelled", "written"),
    [
        ("string", "abc", "abc"),
        ("string", "5", "5"),
        ("string", "'null'", "null"),
        ("string", "true", "true"),
        ("int", "5", 5),
        ("long", "'-5'", -5),
        ("boolean", "false", False),
        (["null", "string"], "null", None),
        (["null", "string"], "'null'", "null"),
        ({"type": "enum", "name": "E", "symbols": ["NO", "YES"]}, "NO", "NO"),
        ({"type": "int", "logicalType": "date"}, "2026-01-02", dt.date(2026, 1, 2)),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, "1.5", Decimal("1.50")),
    ],
)
def test_a_constant_has_the_contracts_type(tmp_path: Path, type_: object, spelled: str, written: object) -> None:
    contract(tmp_path, field(type_))
    payload = build(tmp_path, f"{{f: {spelled}}}")
    assert payload == {"f": written}
    assert type(payload["f"]) is type(written)


@pytest.mark.parametrize(
    ("type_", "data", "what"),
    [
        ("int", "{f: x}", "`f`: `x` is no int"),
        ("int", "{f: 3000000000}", "`f`: 3000000000 is too large for int"),
        ("string", "{f: null}", "`f`: null, where the contract wants string"),
        ("string", '{f: "{{ null }}"}', "`f`: null, where the contract wants string"),
        ("string", '{f: "{{ row.count }}"}', "`f`: int, where the contract wants string"),
        ("int", '{f: "{{ row.name }}"}', "`f`: text, where the contract wants int"),
        ("int", '{f: "{{ row.price }}"}', "`f`: decimal, where the contract wants int"),
        (["null", "int", "long"], '{f: "{{ row.name }}"}', "`f`: text, where the contract wants null or int or long"),
        ("string", '{f: "a {{ row.blob }}"}', "bytes cannot be joined to text"),
        (
            {"type": "enum", "name": "E", "symbols": ["active"]},
            '{f: "{{ row.status }}"}',
            "`f`: enum E has no symbol merged",
        ),
        (
            {"type": "enum", "name": "E", "symbols": ["ACTIVE", "X"]},
            '{f: "{{ row.status | upper }}"}',
            "`f`: enum E has no symbol MERGED",
        ),
        ("string", "{f: [a]}", "a list for `f`"),
        ("string", "{f: {a: b}}", "a map for `f`, where the contract wants string"),
        ({"type": "array", "items": "string"}, "{f: {$each: one, $item: x}}", "`one` is one row, not a list"),
        ({"type": "array", "items": "string"}, "{f: {$item: x}}", "`$item` without `$each`"),
        (
            {"type": "map", "values": "string"},
            "{f: {$each: many, $item: x}}",
            "an array for `f`, where the contract wants map of string",
        ),
        ({"type": "array", "items": "string"}, "{f: {$each: many, $item: x, g: y}}", "`g` beside `$item`"),
        ("string", "[a]", "`data` is a map of fields, not a list"),
    ],
)
def test_what_cannot_fit_the_contract_is_a_load_error(tmp_path: Path, type_: object, data: str, what: str) -> None:
    contract(tmp_path, field(type_))
    assert what in faults(tmp_path, data)


def test_text_that_may_be_an_enum_is_checked_at_run_time(tmp_path: Path) -> None:
    contract(tmp_path, field({"type": "enum", "name": "E", "symbols": ["a"]}))
    assert build(tmp_path, '{f: "{{ row.name }}"}', {"name": "a"}) == {"f": "a"}
    error = fails(tmp_path, '{f: "{{ row.name }}"}', {"name": "b"})
    assert (error.letter_class, error.where) == (LetterClass.CONTRACT, "f")


@pytest.mark.parametrize(
    ("value", "letter"),
    [
        (None, LetterClass.CONTRACT),
        (UNREADABLE, LetterClass.DECODE),
        (MISSING, LetterClass.DRIFT),
        (UNSENT, LetterClass.RULE),
        ("half \ud800", LetterClass.CONTRACT),
    ],
)
def test_a_value_that_is_null_or_unavailable_dead_letters_by_its_reason(
    tmp_path: Path, value: Value, letter: LetterClass
) -> None:
    contract(tmp_path, field({"type": "record", "name": "R", "fields": [field("string", "g")]}))
    error = fails(tmp_path, '{f: {g: "{{ row.name }}"}}', {"name": value})
    assert (error.letter_class, error.where) == (letter, "f.g")


@pytest.mark.parametrize(
    ("type_", "column", "value"),
    [
        ("int", "count", 2**31),
        ("long", "count", 2**63),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, "price", Decimal("1.555")),
        ({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 2}, "price", Decimal("12.00")),
        ({"type": "fixed", "name": "F", "size": 2}, "blob", b"abc"),
        ({"type": "long", "logicalType": "timestamp-millis"}, "seen", SEEN.replace(microsecond=1)),
    ],
)
def test_a_value_outside_the_contracts_range_is_a_dead_letter(
    tmp_path: Path, type_: object, column: str, value: Value
) -> None:
    contract(tmp_path, field(type_))
    error = fails(tmp_path, f'{{f: "{{{{ row.{column} }}}}"}}', {column: value})
    assert error.letter_class is LetterClass.CONTRACT


def test_take_copies_columns_and_groups_beside_ordinary_fields(tmp_path: Path) -> None:
    contract(tmp_path, field("string", "name"), field(["null", "int"], "count"), field("string", "x"))
    payload = build(tmp_path, "{$from: row, $take: [both], x: y}", {"name": "a", "count": None})
    assert payload == {"name": "a", "count": None, "x": "y"}


def test_the_columns_of_an_absent_row_read_as_null(tmp_path: Path) -> None:
    record = {"type": "record", "name": "R", "fields": [field(["null", "string"], "name")]}
    contract(tmp_path, field(record))
    assert build(tmp_path, "{f: {$from: one.after, $take: name}}") == {"f": {"name": None}}
    row = FakeRow("insert", None, {"name": "a"})
    assert build(tmp_path, "{f: {$from: one.after, $take: name}}", one=row) == {"f": {"name": "a"}}


def test_each_makes_arrays_of_records_and_of_scalars_and_maps(tmp_path: Path) -> None:
    rows = [FakeRow("insert", None, {"name": name, "count": n}) for n, name in enumerate("ab")]
    record = {"type": "record", "name": "R", "fields": [field("string", "name"), field("string", "op")]}
    contract(tmp_path, field({"type": "array", "items": record}))
    data = '{f: {$each: many, $from: item.after, $take: [name], op: "{{ item.op }}"}}'
    assert build(tmp_path, data, many=rows)["f"] == [{"name": "a", "op": "insert"}, {"name": "b", "op": "insert"}]
    contract(tmp_path, field({"type": "array", "items": "int"}))
    assert build(tmp_path, '{f: {$each: many, $item: "{{ item.row.count }}"}}', many=rows)["f"] == [0, 1]
    contract(tmp_path, field({"type": "map", "values": "int"}))
    data = '{f: {$each: many, $key: "{{ item.row.name }}", $item: "{{ item.row.count }}"}}'
    assert build(tmp_path, data, many=rows)["f"] == {"a": 0, "b": 1}
    assert fails(tmp_path, data, {}, many=[rows[0], rows[0]]).letter_class is LetterClass.CONTRACT
    assert fails(tmp_path, data, {}, many=UNREADABLE).letter_class is LetterClass.DECODE


def test_each_inside_each_is_refused(tmp_path: Path) -> None:
    inner = {"type": "record", "name": "R", "fields": [field({"type": "array", "items": "string"}, "g")]}
    contract(tmp_path, field({"type": "array", "items": inner}))
    assert faults(tmp_path, "{f: {$each: many, g: {$each: many, $item: x}}}") == ["`$each` inside `$each`"]


def test_when_gives_null_unless_the_test_is_true(tmp_path: Path) -> None:
    record = {"type": "record", "name": "R", "fields": [field("string", "g")]}
    contract(tmp_path, field(["null", record]))
    data = "{f: {$when: row.count == 1, g: x}}"
    assert build(tmp_path, data, {"count": 1}) == {"f": {"g": "x"}}
    assert build(tmp_path, data, {"count": 2}) == {"f": None}
    assert fails(tmp_path, data, {"count": UNSENT}).letter_class is LetterClass.RULE


def test_record_picks_the_branch_of_a_union_of_records(tmp_path: Path) -> None:
    records = [{"type": "record", "name": name, "fields": [field("string", "g")]} for name in ("A", "B")]
    contract(tmp_path, field(["null", *records]))
    assert build(tmp_path, "{f: {$record: B, g: x}}") == {"f": ("x.v1.B", {"g": "x"})}
    assert faults(tmp_path, "{f: {g: x}}") == ["`f` is one of several records"]
    assert faults(tmp_path, "{f: {$record: C, g: x}}") == ["`f` has no record `C`"]


def test_a_field_left_out_takes_the_contracts_default_as_fastavro_writes_it(tmp_path: Path) -> None:
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
    inner = {"type": "record", "name": "R", "fields": [field("int", "a"), field("string", "b", default="z")]}
    contract(
        tmp_path,
        field("string", "s", default="x"),
        field(["null", "string"], "n", default=None),
        field({"type": "int", "logicalType": "date"}, "d", default=1),
        field({"type": "long", "logicalType": "timestamp-millis"}, "t", default=1000),
        field(decimal, "m", default="\u0001"),
        field({"type": "array", "items": "int"}, "l", default=[1]),
        field({"type": "map", "values": "int"}, "o", default={"k": 1}),
        field({"type": "enum", "name": "E", "symbols": ["a"]}, "e", default="a"),
        field(inner, "r", default={"a": 1}),
    )
    assert build(tmp_path, "{}") == {
        "s": "x",
        "n": None,
        "d": dt.date(1970, 1, 2),
        "t": dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC),
        "m": Decimal("0.01"),
        "l": [1],
        "o": {"k": 1},
        "e": "a",
        "r": {"a": 1, "b": "z"},
    }


def test_a_default_that_does_not_fit_is_a_load_error(tmp_path: Path) -> None:
    contract(tmp_path, field("int", default="x"))
    assert faults(tmp_path, "{}") != []


def test_a_record_may_name_itself(tmp_path: Path) -> None:
    contract(tmp_path, field("int"), field(["null", "Made"], "next", default=None))
    assert build(tmp_path, "{f: 1, next: {f: 2}}") == {"f": 1, "next": {"f": 2, "next": None}}
