"""What is generated from the one declaration of keys: JSON Schema and the reference page."""

from pathlib import Path

import jsonschema
import yaml

from gateway.mapping.grammar import MAPPING
from gateway.mapping.reference import json_schema, reference

GOLDEN = Path(__file__).parents[2] / "golden/mapping"


def test_the_schema_accepts_good_mappings_and_refuses_unknown_keys() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    good = yaml.safe_load((GOLDEN / "faults/good.yaml").read_text())
    good["tables"]["crm.addr"]["columns"]["val_to"]["null_when"] = ["99991231"]
    assert list(validator.iter_errors(good)) == []
    assert list(validator.iter_errors({**good, "colour": "red"}))


def test_the_schema_of_shared_files_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(shared=True))


def test_the_reference_names_every_key_and_every_filter() -> None:
    page = reference()
    for key in MAPPING.keys:
        assert f"`{key.name}`" in page
    assert "`rules.each.where.*.from`" in page
    assert "`pad_left(width, fill)`" in page
