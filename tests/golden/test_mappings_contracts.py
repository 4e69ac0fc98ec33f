"""The contracts of the insurer's events: they say what the truth knows, explain themselves, and read their history."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fastavro
import pytest

from gateway.mapping.compatibility import compare
from legacy_db.facts import EVENTS, STATES, EventSpec, FieldType, Maybe

MAPPINGS = Path(__file__).parents[2] / "mappings"
CONTRACTS = sorted(MAPPINGS.glob("*/events/*.avsc"))
FACTS = {**EVENTS, **STATES}
NAMESPACES = {"Customer": "customer", "Policy": "policy", "BillingAccount": "billing", "Claim": "claim"}
SCALARS = {
    "int": {"int", "long"},
    "text": {"string"},
    "bool": {"boolean"},
    "date": {"date"},
    "decimal": {"decimal"},
}
Schema = Any


def names_of(path: Path) -> str:
    return path.name.removesuffix(".avsc")


def read(path: Path) -> dict[str, Schema]:
    contract: dict[str, Schema] = json.loads(path.read_text())
    return contract


def parts(schema: Schema) -> Iterator[dict[str, Schema]]:
    """Every schema object inside a contract, itself included."""
    if isinstance(schema, list):
        for branch in schema:
            yield from parts(branch)
    elif isinstance(schema, dict):
        yield schema
        for inner in (schema.get("items"), *(field["type"] for field in schema.get("fields", ()))):
            yield from parts(inner)


def contract_of(spec: EventSpec) -> dict[str, Schema]:
    (path,) = [path for path in CONTRACTS if path.name.split(".")[0] == spec.name]
    return read(path)


class Fitting:
    """What a contract lacks to carry a fact's fields."""

    def __init__(self, contract: dict[str, Schema]) -> None:
        self.named = {part["name"]: part for part in parts(contract) if "name" in part}

    def record(self, fields: Mapping[str, FieldType], schema: Schema, path: str = "") -> Iterator[str]:
        found = {field["name"]: field["type"] for field in schema["fields"]}
        for name, wanted in fields.items():
            if name not in found:
                yield f"{path}{name} is not in the contract"
            else:
                yield from self.field(wanted, found[name], f"{path}{name}")

    def field(self, wanted: FieldType, schema: Schema, path: str) -> Iterator[str]:
        nullable = isinstance(wanted, Maybe) or (isinstance(wanted, str) and wanted.endswith("?"))
        if isinstance(schema, list) != nullable:
            yield f"{path}: null or not?"
            return
        inner = next(branch for branch in schema if branch != "null") if nullable else schema
        inner = self.named.get(inner, inner) if isinstance(inner, str) else inner
        if isinstance(wanted, Maybe):
            yield from self.record(wanted.record, inner, f"{path}.")
        elif isinstance(wanted, list):
            yield from self.field(wanted[0], inner["items"], f"{path}[]")
        elif isinstance(wanted, str):
            yield from self.scalar(wanted.rstrip("?"), inner, path)
        else:
            yield from self.record(wanted, inner, f"{path}.")

    def scalar(self, wanted: str, schema: Schema, path: str) -> Iterator[str]:
        if wanted not in SCALARS:
            missing = set(wanted.split("|")) - set(schema.get("symbols", ()) if isinstance(schema, dict) else ())
            if missing:
                yield f"{path} has no symbols {missing}"
            return
        kind = schema.get("logicalType", schema["type"]) if isinstance(schema, dict) else schema
        if kind not in SCALARS[wanted]:
            yield f"{path} is {kind}, not {wanted}"


@pytest.mark.parametrize("spec", FACTS.values(), ids=FACTS.keys())
def test_every_fact_fits_its_contract_field_by_field(spec: EventSpec) -> None:
    contract = contract_of(spec)
    assert list(Fitting(contract).record(spec.fields, contract)) == []


@pytest.mark.parametrize("path", CONTRACTS, ids=names_of)
def test_the_namespace_names_the_domain_and_the_major_version(path: Path) -> None:
    name, version = names_of(path).split(".")
    contract = read(path)
    assert contract["name"] == name
    assert contract["namespace"] == f"insurer.{NAMESPACES[FACTS[name].aggregate]}.{version}"
    fastavro.parse_schema(contract)


@pytest.mark.parametrize("path", CONTRACTS, ids=names_of)
def test_every_record_field_and_enum_is_documented(path: Path) -> None:
    for part in parts(read(path)):
        if part["type"] in ("record", "enum"):
            assert part.get("doc", "").endswith("."), part["name"]
        for field in part.get("fields", ()):
            assert field.get("doc", "").endswith("."), field["name"]


@pytest.mark.parametrize("path", CONTRACTS, ids=names_of)
def test_every_enum_has_a_default_and_every_nullable_field_is_null_by_default(path: Path) -> None:
    for part in parts(read(path)):
        if part["type"] == "enum":
            assert part["default"] in part["symbols"], part["name"]
        for field in part.get("fields", ()):
            if isinstance(field["type"], list):
                assert field["type"][0] == "null", field["name"]
                assert field["default"] is None, field["name"]


def test_a_name_means_the_same_in_all_contracts_of_a_namespace() -> None:
    meanings: dict[str, set[str]] = {}
    for contract in map(read, CONTRACTS):
        for part in parts(contract):
            if part["type"] in ("record", "enum"):
                meanings.setdefault(f"{contract['namespace']}.{part['name']}", set()).add(
                    json.dumps(part, sort_keys=True)
                )
    assert [name for name, texts in meanings.items() if len(texts) > 1] == []


@pytest.mark.parametrize("path", CONTRACTS, ids=names_of)
def test_an_earlier_minor_version_stands_beside_it_and_both_read_each_other(path: Path) -> None:
    earlier = sorted((path.parent / "history").glob(f"{names_of(path)}.*.avsc"))
    assert earlier
    for older in map(read, earlier):
        present = read(path)
        assert compare(older, present) == ()
        assert {field["name"] for field in older["fields"]} < {field["name"] for field in present["fields"]}


@pytest.mark.parametrize("path", CONTRACTS, ids=names_of)
def test_the_earlier_version_carries_all_that_the_truth_knows(path: Path) -> None:
    (older,) = (path.parent / "history").glob(f"{names_of(path)}.*.avsc")
    contract = read(older)
    assert list(Fitting(contract).record(FACTS[names_of(path).split(".")[0]].fields, contract)) == []
