"""The 24 situations of the language's specification, from raw records to events (language.md 12)."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from gateway.authoring.case_files import Case, read_cases
from gateway.authoring.cases import run_case
from gateway.authoring.offline import books_of
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.pipeline.rulebook import Rulebook

SITUATIONS = Path(__file__).parent / "situations"
FOLDERS = {"customer": "Customer", "policy": "Policy", "billing": "BillingAccount", "claim": "Claim"}
DATE = {"type": "int", "logicalType": "date"}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
TEXT = ["null", "string"]
PLACE_FIELDS = [{"name": "street", "type": TEXT, "default": None}, {"name": "city", "type": TEXT, "default": None}]
PLACE = {"type": "record", "name": "Place", "fields": PLACE_FIELDS}


def record(name: str, *fields: tuple[str, object]) -> dict:
    return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields]}


def array(items: object) -> dict:
    return {"type": "array", "items": items}


CUSTOMER_ADDRESS = record("Lived", ("kind", "string"), ("street", "string"), ("city", "string"))
CONSENT = record("Given", ("purpose", "string"), ("decision", "string"))
CONTRACTS: dict[str, dict[str, list[tuple[str, object]]]] = {
    "customer": {
        "CustomerAnonymised": [],
        "CustomerMerged": [("survivorId", "int")],
        "CustomerDeactivated": [],
        "CustomerReactivated": [],
        "CustomerRenumbered": [("newCustomerId", "int")],
        "CustomerRegistered": [
            ("name", "string"), ("addresses", array(CUSTOMER_ADDRESS)), ("consents", array(CONSENT))],
        "CustomerStated": [("name", "string")],
        "CustomerAddressChangeRequested": [("kind", "string"), ("requested", PLACE)],
        "CustomerAddressChangeRejected": [("kind", "string")],
        "CustomerAddressChanged": [
            ("kind", "string"), ("old", ["null", PLACE]), ("address", "Place"), ("validFrom", ["null", DATE])],
        "CustomerAddressCorrected": [("kind", "string"), ("address", PLACE)],
        "CustomerLegalDomicileChanged": [("domicile", PLACE)],
        "CustomerConsentUpdated": [("purpose", "string"), ("decision", "string")],
        "CustomerShippingPreferenceChanged": [("address", "int")],
        "CustomerRenamed": [("name", "string")],
        "CustomerNoted": [("note", "string")],
    },
    "policy": {
        "PolicyEndorsed": [("premium", ["null", MONEY]), ("parties", array("int"))],
        "PolicyHolderChanged": [("holder", "int")],
        "PolicyPartiesSwapped": [("removed", array("int")), ("added", array("int"))],
    },
    "billing": {"PaymentReceived": [("before", MONEY), ("after", MONEY), ("payments", array("int"))]},
    "claim": {"ClaimPolicyChanged": [("policyId", "int")], "ClaimantChanged": [("claimantId", "int")]},
}  # fmt: skip
KEYS = {"customer": "customerId", "policy": "policyId", "billing": "accountId", "claim": "claimId"}


def contract(event: str, folder: str, fields: list[tuple[str, object]]) -> dict:
    described = []
    for name, kind in [(KEYS[folder], "int"), *fields]:
        optional = isinstance(kind, list) and kind[0] == "null"
        described.append({"name": name, "type": kind, "doc": name, **({"default": None} if optional else {})})
    return {"type": "record", "name": event, "namespace": f"insurer.{folder}.v1", "doc": event, "fields": described}


@cache
def mappings() -> dict[str, CompiledMapping]:
    folder = Path(mkdtemp())
    shutil.copytree(SITUATIONS, folder, dirs_exist_ok=True)
    for name, events in CONTRACTS.items():
        (folder / name / "events").mkdir()
        for event, fields in events.items():
            text = json.dumps(contract(event, name, fields))
            (folder / name / "events" / f"{event}.v1.avsc").write_text(text)
    return {mapping.name: mapping for mapping in load(folder)}


@cache
def book(name: str) -> Rulebook:
    return books_of([mappings()[name]])[name]


def cases() -> list[object]:
    return [
        pytest.param(name, case, id=f"{name}: {case.name}")
        for name in FOLDERS
        for case in read_cases(SITUATIONS / name / f"{name}_test.yaml")
    ]


@pytest.mark.parametrize(("name", "case"), cases())
def test_the_situation_gives_what_the_specification_says(name: str, case: Case) -> None:
    assert run_case(case, mappings()[name], book(name)).differences == ()


def test_every_situation_has_a_case() -> None:
    names = [case.values[1].name for case in cases()]
    numbers = {int(number) for name in names for number in re.findall(r"^\((\d+)\)", name)}
    assert numbers == set(range(1, 25))
