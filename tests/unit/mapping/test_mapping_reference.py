"""What is generated from the one declaration of keys, filters and operators: JSON Schema and the reference pages."""

from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from gateway.mapping.compiled import RowOp, Scope
from gateway.mapping.examples import example_of, node_of
from gateway.mapping.expressions.compiler import compile_expression
from gateway.mapping.expressions.names import Companion, Names, RowShape
from gateway.mapping.expressions.operators import OPERATORS, ROOTS, SAMPLE
from gateway.mapping.grammar import MAPPING, PAYLOAD, SHARED
from gateway.mapping.kinds import Kind, Type
from gateway.mapping.nodes import Faults
from gateway.mapping.records import Key, Record
from gateway.mapping.reference import functions_page, language_page
from gateway.mapping.schema import json_schema
from gateway.model.values import Value

from .rows import FakeRow

GOLDEN = Path(__file__).parents[2] / "golden/mapping"


def all_keys(record: Record) -> Iterator[tuple[str, Key]]:
    """Every key of a record and of the records beneath it."""
    for key in record.keys:
        yield f"{record.what}: {key.name}", key
        forms = [key.form]
        while forms:
            form = forms.pop()
            if isinstance(form, Record):
                yield from all_keys(form)
            forms += [
                getattr(form, name)
                for name in ("item", "value", "map")
                if getattr(form, name, None) is not None and not isinstance(form, Record)
            ]


KEYS = dict([*all_keys(MAPPING), *all_keys(SHARED), *((f"payload: {key.name}", key) for key in PAYLOAD)])


def parsed(text: str) -> object:
    return YAML(typ="safe", pure=True).load(text)


def test_the_schema_accepts_good_mappings_and_refuses_unknown_keys() -> None:
    validator = jsonschema.Draft7Validator(json_schema())
    good = parsed((GOLDEN / "faults/good.yaml").read_text())
    assert isinstance(good, dict)
    assert list(validator.iter_errors(good)) == []
    assert list(validator.iter_errors({**good, "colour": "red"}))


@pytest.mark.parametrize("shared", [False, True])
def test_the_schema_is_a_schema(shared: bool) -> None:
    jsonschema.Draft7Validator.check_schema(json_schema(shared=shared))


@pytest.mark.parametrize("name", KEYS)
def test_every_key_has_an_example_that_its_form_reads_and_its_schema_accepts(name: str) -> None:
    key = KEYS[name]
    assert key.doc
    assert key.examples
    for example in key.examples:
        faults = Faults("example")
        assert key.form.read(node_of(example), faults) is not None
        assert faults.found == []
        schema = {**key.schema(), "definitions": json_schema()["definitions"]}
        assert [str(error) for error in jsonschema.Draft7Validator(schema).iter_errors(example_of(example))] == []


def test_the_pages_name_every_key_filter_and_operator() -> None:
    page = language_page()
    for _, key in KEYS.items():
        assert f"| `{key.name}` |" in page
    assert "### `rules[].each.where.*`" in page
    assert "`pad_left(width, fill)`" in functions_page()


TYPES = {str: Type(Kind.TEXT), int: Type(Kind.INT), type(None): Type(Kind.TEXT)}


def types_of(image: object) -> dict[str, Type]:
    assert isinstance(image, dict)
    return {name: TYPES[type(value)] for name, value in image.items()}


@pytest.mark.parametrize(("source", "result"), [one for each in (*ROOTS, *OPERATORS) for one in each.examples], ids=str)
def test_every_example_of_names_and_operators_holds(source: str, result: Value) -> None:
    shape = RowShape("customer", types_of(SAMPLE.after), frozenset({RowOp.UPDATE}))
    log = RowShape("log", types_of(SAMPLE.log), frozenset({RowOp.INSERT}))
    names = Names(anchor=shape, companions={"log": Companion(log, is_list=False)}, key=types_of(SAMPLE.key))
    changed = frozenset(name for name in SAMPLE.after if SAMPLE.after[name] != SAMPLE.before[name])
    rows = {"log": FakeRow("insert", None, SAMPLE.log)}
    anchor = FakeRow("update", SAMPLE.before, SAMPLE.after, changed)
    scope = Scope(anchor, rows, SAMPLE.key, {})
    got = compile_expression(source, names).run(scope)
    assert got == result
    assert type(got) is type(result)
