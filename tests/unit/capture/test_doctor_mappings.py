"""Mappings against live tables, types against types, contracts against the registry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.memory_registry import MemoryRegistry
from gateway.mapping.columns import reader_of
from gateway.mapping.compiled import CompiledMapping
from gateway.model.preflight import ColumnFacts, TableDetails
from gateway.model.values import UNREADABLE
from gateway.services.doctor_mappings import examine_mappings
from gateway.services.doctor_registry import examine_registry, subjects
from gateway.services.doctor_report import Severity
from gateway.services.doctor_types import Fit, fit
from gateway.services.schemas import Contract, Version
from tests.unit.capture.surroundings import LIVE, MAPPINGS, PLAN, table

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
POLICY = MAPPINGS[1]


def policy(**changes: Any) -> tuple[CompiledMapping, ...]:
    """The sample with other policies or types in its policy table."""
    declared = POLICY.tables["crm.pol"]
    types = changes.pop("types", {})
    columns = {name: replace(one, type=types.get(name, one.type)) for name, one in declared.columns.items()}
    return (MAPPINGS[0], replace(POLICY, tables={"crm.pol": replace(declared, columns=columns, **changes)}))


def with_pol(columns: dict[str, str], key: tuple[str, ...] = ("pol_id",), **more: Any) -> dict[str, TableDetails]:
    return {**LIVE, "crm.pol": table(columns, key, **more)}


def test_tables_as_declared_give_no_finding() -> None:
    report = examine_mappings(PLAN, MAPPINGS, LIVE)
    assert report.findings == ()
    assert report.fine == (
        "mappings/customer.yaml: 8 columns of 3 tables are there and fit",
        "mappings/policy.yaml: 2 columns of 1 tables are there and fit",
    )


@pytest.mark.parametrize(
    ("live", "severity", "where", "reason", "remedy"),
    [
        ({name: one for name, one in LIVE.items() if name != "crm.pol"}, ERROR, "crm.pol", "no such table", "tables:"),
        (with_pol({"pol_id": "integer"}), ERROR, "crm.pol.prem", "park", "take `prem` out of mappings/policy.yaml"),
        (with_pol({"pol_id": "integer", "prem": "numeric(11,2)", "xtra": "text"}), NOTE, "crm.pol.xtra",
         "does not know", "undeclared: ignore"),
        (with_pol({"pol_id": "integer", "prem": "numeric(11,2)"}, ("pol_id", "prem")), ERROR, "crm.pol", "two rows",
         "pol_id, prem"),
        (with_pol({"pol_id": "integer", "prem": "bytea"}), WARNING, "crm.pol.prem", "bytea", "gateway test"),
        (with_pol({"pol_id": "integer", "prem": "integer[]"}), ERROR, "crm.pol.prem", "no value decodes",
         "gateway test"),
    ],
)  # fmt: skip
def test_each_fault_of_a_table_is_one_finding(
    live: dict[str, TableDetails], severity: Severity, where: str, reason: str, remedy: str
) -> None:
    report = examine_mappings(PLAN, MAPPINGS, live)
    assert [(one.severity, one.object) for one in report.findings] == [(severity, where)]
    assert reason in report.findings[0].reason
    assert "policy.yaml" in report.findings[0].reason
    assert remedy in report.findings[0].remedy


def test_a_renamed_column_is_told_with_its_likely_new_name() -> None:
    live = with_pol({"pol_id": "integer", "premium": "numeric(11,2)"})
    missing, undeclared = examine_mappings(PLAN, MAPPINGS, live).findings
    assert "perhaps it was renamed to premium" in missing.reason
    assert "`premium: {as: premium, …}` instead of `prem`" in missing.remedy
    assert (undeclared.severity, undeclared.object) == (NOTE, "crm.pol.premium")


def test_an_undeclared_column_counts_as_its_policy_says() -> None:
    live = with_pol({"pol_id": "integer", "prem": "numeric(11,2)", "xtra": "text"})
    assert examine_mappings(PLAN, policy(undeclared="ignore"), live).findings == ()
    assert [one.severity for one in examine_mappings(PLAN, policy(undeclared="park"), live).findings] == [WARNING]


def test_a_generated_column_is_never_captured() -> None:
    columns = {**LIVE["crm.pol"].columns, "prem": ColumnFacts("numeric(11,2)", nullable=False, generated=True)}
    report = examine_mappings(PLAN, MAPPINGS, {**LIVE, "crm.pol": replace(LIVE["crm.pol"], columns=columns)})
    assert "generated" in report.findings[0].reason


def test_a_key_that_may_be_null_is_told() -> None:
    columns = {**LIVE["crm.cust_addr"].columns, "cust_id": ColumnFacts("bigint", nullable=True)}
    live = {**LIVE, "crm.cust_addr": replace(LIVE["crm.cust_addr"], columns=columns)}
    (found,) = examine_mappings(PLAN, MAPPINGS, live).findings
    assert found.severity is WARNING
    assert found.remedy == 'ALTER TABLE "crm"."cust_addr" ALTER COLUMN "cust_id" SET NOT NULL;'


def test_keys_with_other_bytes_are_told() -> None:
    live = {**LIVE, "crm.cust_addr": table({"addr_id": "integer", "cust_id": "text", "city": "text"}, ("addr_id",))}
    (found,) = examine_mappings(PLAN, MAPPINGS, live).findings
    assert (found.severity, found.object) == (ERROR, "keys")
    assert "differ in their bytes" in found.reason


def test_a_type_that_does_not_go_with_the_declared_one_is_told() -> None:
    (found,) = examine_mappings(PLAN, policy(types={"premium": "int"}), LIVE).findings
    assert (found.severity, found.object) == (ERROR, "crm.pol.prem")
    assert "numeric(11,2)" in found.reason


SENT = {
    "smallint": 7, "bigint": 7, "integer": 7, "boolean": True, "date": "2026-01-02Z", "bytea": "AQ==",
    "timestamp without time zone": "2026-01-02T03:04:05Z", "timestamp(3) with time zone": "2026-01-02T03:04:05Z",
    "numeric(9,0)": "7", "numeric(9,2)": "7.25", "double precision": 7.25, "integer[]": [7],
}  # fmt: skip
"""What the connector sends of each type, under the options of connect/connector.yaml."""
TYPES = ("text", "raw", "int", "decimal(9,2)", "bool", "bytes", "date", "timestamp", "date(yyyymmdd)")


@pytest.mark.parametrize("live", SENT)
@pytest.mark.parametrize("declared", TYPES)
def test_no_value_fits_means_that_the_reader_finds_none_readable(live: str, declared: str) -> None:
    found = reader_of(declared)
    assert found is not None
    read = found[1](SENT[live])
    if fit(live, declared) is Fit.NO:
        assert read is UNREADABLE or declared == "date"  # a bare number would be read as days: no type to take it from
    elif fit(live, declared) is Fit.YES and not declared.startswith("date("):
        assert read is not UNREADABLE


@pytest.mark.parametrize(
    ("live", "declared", "coded", "wanted"),
    [
        ("numeric(9,2)", "decimal(11,2)", False, Fit.YES),
        ("numeric(12,4)", "decimal(11,2)", False, Fit.NARROW),
        ("numeric", "decimal(11,2)", False, Fit.NARROW),
        ("numeric", "int", False, Fit.NARROW),
        ("character varying(20)", "int", False, Fit.YES),
        ("character(1)", "text", True, Fit.YES),
        ("bytea", "text", True, Fit.NO),
        ("crm.colour", "text", False, Fit.YES),
    ],
)
def test_types_go_together_as_far_as_their_values_do(live: str, declared: str, coded: bool, wanted: Fit) -> None:
    assert fit(live, declared, coded=coded) is wanted


SCHEMA = {"type": "record", "name": "Moved", "namespace": "insurer.customer.v1", "fields": []}


def contract(tmp_path: Path) -> Contract:
    file = tmp_path / "Moved.v1.avsc"
    file.write_text('{"type": "record", "name": "Moved", "namespace": "insurer.customer.v1", "fields": []}')
    return Contract("customer.events-insurer.customer.v1.Moved", "Moved", Version("1", file, SCHEMA), ())


def test_each_fault_of_a_subject_is_one_finding(tmp_path: Path) -> None:
    one, registry = contract(tmp_path), MemoryRegistry()
    (missing,) = examine_registry([one], subjects(registry, [one])).findings
    assert (missing.severity, missing.remedy) == (ERROR, "gateway schemas push")
    registry.register(one.subject, SCHEMA)
    (level,) = examine_registry([one], subjects(registry, [one])).findings
    assert "the registry's default, not FULL_TRANSITIVE" in level.reason
    registry.set_compatibility(one.subject, "FULL_TRANSITIVE")
    report = examine_registry([one], subjects(registry, [one]))
    assert report.findings == ()
    assert report.fine == ("1 of 1 contracts are registered, each under FULL_TRANSITIVE",)


def test_a_contract_that_would_break_its_readers_is_told_with_its_place(tmp_path: Path) -> None:
    one, registry = contract(tmp_path), MemoryRegistry()
    registry.register(one.subject, {**SCHEMA, "fields": [{"name": "city", "type": "string"}]})
    registry.set_compatibility(one.subject, "FULL_TRANSITIVE")
    (found,) = examine_registry([one], subjects(registry, [one])).findings
    assert "would break its readers" in found.reason
    assert "Moved.v1.avsc:1:" in found.reason
