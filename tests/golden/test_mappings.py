"""The mappings of the insurer, as a whole: they load, know every legacy column, and answer every fact of the truth."""

from __future__ import annotations

import re
from collections import defaultdict
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from gateway.mapping.compiled import CompiledMapping, Pattern
from gateway.mapping.loader import load
from legacy_db.facts import EVENTS, STATES, EventSpec

MAPPINGS = Path(__file__).parents[2] / "mappings"
FACTS = {**EVENTS, **STATES}
AGGREGATES = {
    "customer": ("Customer", "customerId", "legacy.customer.raw"),
    "policy": ("Policy", "policyId", "legacy.policy.raw"),
    "billing": ("BillingAccount", "accountId", "legacy.billing.raw"),
    "claim": ("Claim", "claimId", "legacy.claim.raw"),
}
NO_FUNCTION_CHANGES = [
    ("crm.cust", "brth_dt"),
    ("crm.cust", "cust_typ"),
    ("bil.acct", "iban"),
    ("pol.pol", "end_dt"),
    ("clm.claim", "rpt_dt"),
]


@pytest.fixture(scope="module")
def mappings() -> dict[str, CompiledMapping]:
    return {mapping.name: mapping for mapping in load(MAPPINGS)}


def legacy_columns() -> dict[str, list[str]]:
    """Columns by table, as the schema creates them."""
    text = files("legacy_db").joinpath("schema.sql").read_text()
    tables = re.findall(r"CREATE TABLE IF NOT EXISTS (\S+) \((.*?)\n\);", text, re.DOTALL)
    return {name: re.findall(r"^  ([a-z_]+) ", body, re.MULTILINE) for name, body in tables}


def test_each_mapping_speaks_for_its_aggregate(mappings: dict[str, CompiledMapping]) -> None:
    assert {name: (m.aggregate, *m.key, *m.topics) for name, m in mappings.items()} == AGGREGATES


def test_every_column_of_every_legacy_table_is_declared(mappings: dict[str, CompiledMapping]) -> None:
    declared = {table.physical: table.raw_columns for mapping in mappings.values() for table in mapping.tables.values()}
    assert declared == {table: frozenset(columns) for table, columns in legacy_columns().items()}


def test_the_column_that_comes_while_the_system_runs_is_not_declared(mappings: dict[str, CompiledMapping]) -> None:
    assert "mkt_opt" not in mappings["customer"].tables["crm.cust"].raw_columns


@pytest.mark.parametrize("spec", FACTS.values(), ids=FACTS.keys())
def test_every_fact_has_an_event_of_its_aggregate_with_exactly_its_intents(
    spec: EventSpec, mappings: dict[str, CompiledMapping]
) -> None:
    found = defaultdict(set)
    for mapping in mappings.values():
        for rule in mapping.rules:
            if rule.event == spec.name:
                found[mapping.aggregate].add(rule.intent)
    assert found == {spec.aggregate: set(spec.intents)}


def test_nothing_is_told_that_the_truth_does_not_know(mappings: dict[str, CompiledMapping]) -> None:
    assert {event for mapping in mappings.values() for event in mapping.events} == FACTS.keys()


@pytest.mark.parametrize("name", AGGREGATES)
def test_who_wrote_it_proves_nothing_so_no_rule_reads_a_bookkeeping_column(
    name: str, mappings: dict[str, CompiledMapping]
) -> None:
    written = {
        column.name
        for table in mappings[name].tables.values()
        for column in table.columns.values()
        if column.bookkeeping
    }
    tree = yaml.safe_load((MAPPINGS / name / f"{name}.yaml").read_text())
    said = yaml.safe_dump({"rules": tree["rules"], "conditions": tree.get("conditions")})
    assert written
    assert not written & set(re.findall(r"\w+", said))


@pytest.mark.parametrize(("physical", "raw"), NO_FUNCTION_CHANGES)
def test_what_no_function_changes_is_claimed_by_no_rule_but_anonymising(
    physical: str, raw: str, mappings: dict[str, CompiledMapping]
) -> None:
    mapping = next(mapping for mapping in mappings.values() if physical in mapping.tables)
    table = mapping.tables[physical]
    column = next(column.name for column in table.columns.values() if column.raw == raw)

    def claims(pattern: Pattern | None) -> bool:
        return pattern is not None and pattern.table in (table.name, physical) and column in pattern.takes

    claimed = {rule.name for rule in mapping.rules if any(claims(p) for p in (rule.anchor, *rule.companions))}
    assert claimed <= {"anonymised"}


def test_every_noise_rule_says_why(mappings: dict[str, CompiledMapping]) -> None:
    noise = [rule for mapping in mappings.values() for rule in mapping.rules if rule.event is None]
    assert noise
    assert all(rule.because for rule in noise)


def test_names_addresses_contacts_and_free_text_are_marked_as_personal(mappings: dict[str, CompiledMapping]) -> None:
    marked = {
        f"{table.physical}.{column.raw}"
        for mapping in mappings.values()
        for table in mapping.tables.values()
        for column in table.columns.values()
        if column.pii
    }
    assert marked >= {
        *(f"crm.cust.{raw}" for raw in ("nm", "fst_nm", "brth_dt", "mtch_cd", "note_txt")),
        *(f"crm.cust_addr.{raw}" for raw in ("str", "zip", "city", "lat", "lon", "old_plc")),
        *(f"clm.clmnt.{raw}" for raw in ("nm", "tel", "eml")),
        *("crm.cntct_log.txt", "pol.endrs.txt", "bil.acct.iban", "clm.claim.note_txt"),
    }
