"""What editors get: committed schemas and pages are what the declarations give; good files pass, faulty ones do not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from gateway.authoring.case_grammar import CASES
from gateway.authoring.editor import reference_pages, schemas
from gateway.cli.docs import app
from gateway.mapping.examples import example_of, node_of
from gateway.mapping.nodes import Faults
from gateway.mapping.records import Key, Record

ROOT = Path(__file__).parents[3]
SCHEMAS = {name: jsonschema.Draft7Validator(json.loads(text)) for name, text in schemas().items()}
FILES = sorted((ROOT / "mappings").rglob("*.yaml"))


def kind_of(path: Path) -> str:
    if path.name.endswith("_test.yaml"):
        return "cases.schema.json"
    return "shared.schema.json" if "shared" in path.parts else "mapping.schema.json"


def as_editors_read(path: Path) -> Any:
    """YAML 1.2, dates as text."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(path.read_text()), default=str))


@pytest.mark.parametrize("name", schemas())
def test_a_committed_schema_is_what_the_grammar_gives(name: str) -> None:
    hint = "run: gateway docs schema docs/schema"
    assert (ROOT / "docs" / "schema" / name).read_text() == schemas()[name], hint


@pytest.mark.parametrize("name", reference_pages())
def test_a_committed_reference_page_is_what_the_declarations_give(name: str) -> None:
    hint = "run: gateway docs reference docs/reference"
    assert (ROOT / "docs" / "reference" / name).read_text() == reference_pages()[name], hint


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_of_draft_7(name: str) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMAS[name].schema)


@pytest.mark.parametrize("path", [one for one in FILES if one.name != "consumers.yaml"], ids=lambda path: path.name)
def test_every_shipped_file_passes_its_schema(path: Path) -> None:
    errors = [
        f"{error.json_path}: {error.message}" for error in SCHEMAS[kind_of(path)].iter_errors(as_editors_read(path))
    ]
    assert errors == []


def rule(mapping: Any, name: str) -> Any:
    return next(one for one in mapping["rules"] if one.get("rule", one.get("noise")) == name)


FAULTS: dict[str, Callable[[Any], object]] = {
    "a key that is misspelled": lambda m: m["tables"]["crm.cust"].update(colums={}),
    "a required key is missing": lambda m: m.pop("aggregate"),
    "an unknown unit": lambda m: m["source"].update(unit="batch"),
    "a table without its schema": lambda m: m["tables"].update(cust=m["tables"].pop("crm.cust")),
    "a column type that there is not": lambda m: m["tables"]["crm.cust"]["columns"]["nm"].update(type="varchar"),
    "a flag that is a word": lambda m: m["tables"]["crm.cust"]["columns"]["nm"].update(pii="maybe"),
    "an unknown operation": lambda m: rule(m, "registered")["each"].update(op="upsert"),
    "an unknown count": lambda m: rule(m, "registered")["with"]["addresses"].update(count="many"),
    "an unknown intent": lambda m: rule(m, "registered").update(intent="guess"),
    "a rule that is noise, too": lambda m: rule(m, "registered").update(noise="x", because="y"),
    "a rule without an event": lambda m: rule(m, "registered").pop("event"),
    "a noise rule without a reason": lambda m: rule(m, "scoring").pop("because"),
    "each beside once": lambda m: rule(m, "registered").update(once={"a": {"table": "customer", "op": "insert"}}),
    "an event in lower case": lambda m: m["events"].update(customerMoved={"version": 1}),
    "a version that is no number": lambda m: m["events"]["CustomerMerged"].update(version="two"),
    "a special key of data that there is not": lambda m: rule(m, "registered")["data"].update({"$copy": "after"}),
    "a list where data wants a value": lambda m: rule(m, "registered")["data"].update(name=["a"]),
    "an empty list": lambda m: m["source"].update(topics=[]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_mapping_does_not_pass(fault: str) -> None:
    mapping = copy.deepcopy(as_editors_read(ROOT / "mappings/customer/customer.yaml"))
    FAULTS[fault](mapping)
    assert list(SCHEMAS["mapping.schema.json"].iter_errors(mapping))


def test_faulty_cases_do_not_pass() -> None:
    cases = as_editors_read(ROOT / "mappings/customer/customer_test.yaml")
    cases["cases"][0]["given"][0]["op"] = "upsert"
    cases["cases"][1]["expect"] = []
    assert len(list(SCHEMAS["cases.schema.json"].iter_errors(cases))) >= 2


def test_every_key_is_described_where_an_editor_shows_it() -> None:
    properties = json.loads(schemas()["mapping.schema.json"])["properties"]
    assert all(each["description"] and each["examples"] for each in properties.values())


def keys_of(form: object, path: str = "") -> dict[str, Key]:
    """Every key within a form by its path, however deep."""
    if isinstance(form, Record):
        found = {f"{path}{key.name}": key for key in form.keys}
        for name, key in list(found.items()):
            found |= keys_of(key.form, f"{name}.")
        return found
    parts = [getattr(form, each.name) for each in fields(form)] if is_dataclass(form) else []
    return {name: key for part in parts for name, key in keys_of(part, path).items()}


CASE_KEYS = keys_of(CASES)


@pytest.mark.parametrize("name", CASE_KEYS)
def test_every_key_of_a_case_has_an_example_that_its_form_reads_and_its_schema_accepts(name: str) -> None:
    key = CASE_KEYS[name]
    assert key.doc and key.examples
    for example in key.examples:
        faults = Faults("example")
        assert key.form.read(node_of(example), faults) is not None
        assert faults.found == []
        assert list(jsonschema.Draft7Validator(key.schema()).iter_errors(example_of(example))) == []


def test_the_command_writes_them_and_says_where(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["schema", str(tmp_path / "schema"), "-o", "json"])
    assert done.exit_code == 0
    written = json.loads(done.stdout)["written"]
    assert sorted(Path(one).name for one in written) == sorted(schemas())
    assert all(Path(one).is_file() for one in written)


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, ["reference", str(tmp_path / "file" / "below")])
    assert done.exit_code == 2
    assert "cannot write" in done.stderr
