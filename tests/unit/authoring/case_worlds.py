"""A small mapping, and its case files in a folder of their own: for the tests of cases."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.authoring.case_files import read_cases
from gateway.authoring.cases import CaseResult, run_case
from gateway.authoring.offline import books_of
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load

MAPPING = """mapping: shop
source: {topics: [shop.raw], unit: transaction}
aggregate: {type: Customer, key: [customerId]}
capability: shop
tables:
  s.cust:
    as: customer
    row: [customerId]
    columns:
      id: {as: customerId, type: int}
      nm: {as: name, pii: true}
      born: {as: birthDate, type: date(yyyymmdd), null_when: [0], pii: true}
      sts: {as: status, decode: {A: active, C: closed}}
  s.addr:
    as: address
    row: [addressId]
    columns:
      aid: {as: addressId, type: int}
      id: {as: customerId, type: int}
      str: {as: street, pii: true}
      cty: {as: city}
      geo: {as: position}
rules:
  - rule: renamed
    event: Renamed
    each: {table: customer, changed: [name]}
    data: {customerId: "{{ key.customerId }}", name: "{{ after.name }}", was: "{{ before.name }}"}
  - rule: registered
    event: Registered
    each: {table: customer, op: insert}
    with: {homes: {table: address, op: insert, count: any}}
    data:
      customerId: "{{ key.customerId }}"
      name: "{{ after.name }}"
      birthDate: "{{ after.birthDate }}"
      homes: {$each: homes, $from: item.after, $take: [street, city]}
  - rule: moved
    event: Moved
    each: {table: address, changed: [street, city]}
    data: {customerId: "{{ key.customerId }}", street: "{{ after.street }}", city: "{{ after.city }}"}
  - noise: geocoding
    because: derived from the address
    each: {table: address, changed: [position]}
"""
TEXT = ["null", "string"]
DATE = ["null", {"type": "int", "logicalType": "date"}]
HOME = {"type": "record", "name": "Home", "fields": [{"name": n, "type": TEXT, "doc": n} for n in ("street", "city")]}
FIELDS: dict[str, dict[str, object]] = {
    "Renamed": {"customerId": "int", "name": TEXT, "was": TEXT},
    "Registered": {
        "customerId": "int", "name": TEXT, "birthDate": DATE, "homes": {"type": "array", "items": HOME}},
    "Moved": {"customerId": "int", "street": TEXT, "city": TEXT},
}  # fmt: skip


def shop(folder: Path, cases: str = "") -> Path:
    """The mappings' folder; ``cases`` is the text of its case file."""
    events = folder / "shop" / "events"
    events.mkdir(parents=True, exist_ok=True)
    (folder / "shop" / "shop.yaml").write_text(MAPPING)
    for name, fields in FIELDS.items():
        described = [{"name": field, "type": kind, "doc": field} for field, kind in fields.items()]
        contract = {"type": "record", "name": name, "namespace": "shop.v1", "doc": name, "fields": described}
        (events / f"{name}.v1.avsc").write_text(json.dumps(contract))
    if cases:
        (folder / "shop" / "shop_test.yaml").write_text(cases)
    return folder


def mapping_in(folder: Path) -> CompiledMapping:
    """The mapping, compiled."""
    [mapping] = load(folder)
    return mapping


def run_all(folder: Path) -> list[CaseResult]:
    """The results of all its cases."""
    mapping = mapping_in(folder)
    book = books_of([mapping])[mapping.name]
    path = folder / "shop" / "shop_test.yaml"
    return [run_case(case, mapping, book) for case in read_cases(path, "shop_test.yaml")]
