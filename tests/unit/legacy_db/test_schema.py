"""The legacy schema and its seed data are as old systems have them; nothing here needs a database."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from legacy_db import __main__ as command_line
from legacy_db.apps import applications
from legacy_db.oracle.legacy_view import QUERIES
from legacy_db.seeding import seed_world
from legacy_db.tables import SCHEMA_FILE, TABLES

SCHEMA = SCHEMA_FILE.read_text()
COLUMNS = {
    name: dict(re.findall(r"^  ([a-z_]+) +([a-z0-9]+(?:\([\d,]+\))?)", body, re.M))
    for name, body in re.findall(r"CREATE TABLE IF NOT EXISTS (\S+) \((.*?)\n\);", SCHEMA, re.S)
}
"""Types by table and column."""
CORE = {
    "customers": "crm.cust", "addresses": "crm.cust_addr", "consents": "crm.cust_cons", "preferences": "crm.cust_pref",
    "contact log": "crm.cntct_log", "merge log": "crm.mrg_log", "policies": "pol.pol", "endorsements": "pol.endrs",
    "policy-customer roles": "pol.pol_role", "billing accounts": "bil.acct", "payments": "bil.pay",
    "claims": "clm.claim",
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict[str, object]]]:
    """Seeded rows by table."""
    return {name: list(found.values()) for name, found in seed_world(1, 400).rows.items()}


def values(rows: dict[str, list[dict[str, object]]], table: str, column: str) -> Counter[object]:
    return Counter(row[column] for row in rows[table])


def test_it_has_an_insurers_core_tables() -> None:
    assert set(CORE.values()) <= COLUMNS.keys()
    assert COLUMNS.keys() == TABLES.keys()


def test_addresses_are_typed_and_valid_from_to(rows: dict[str, list[dict[str, object]]]) -> None:
    assert values(rows, "crm.cust_addr", "addr_typ").keys() == {"RES", "BIL", "SHP", "LEG"}
    until = values(rows, "crm.cust_addr", "val_to")
    assert until[99991231] > 0
    assert len(until) > 1


def test_roles_are_those_of_an_insurer(rows: dict[str, list[dict[str, object]]]) -> None:
    assert values(rows, "pol.pol_role", "role_cd").keys() >= {"HOL", "INS", "PAY"}
    assert "CLM claimant" in SCHEMA
    assert rows["clm.clmnt"]


def test_names_are_abbreviated_codes_short_and_chars_padded() -> None:
    names = list(chain(*COLUMNS.values()))
    assert max(len(name) for name in names) <= 8
    types = Counter(kind.split("(")[0] for kind in chain(*(table.values() for table in COLUMNS.values())))
    assert types["char"] > 40
    one_letter = [name for table in COLUMNS.values() for name, kind in table.items() if kind == "char(1)"]
    assert len(one_letter) >= 10
    assert "date" not in types


def test_dates_are_integers_and_flags_have_three_states(rows: dict[str, list[dict[str, object]]]) -> None:
    dates = [
        kind for table in COLUMNS.values() for name, kind in table.items() if name.endswith(("_dt", "_frm", "_to"))
    ]
    assert set(dates) == {"int4"}
    assert values(rows, "crm.cust_cons", "cons_flg").keys() == {"Y", "N", ""}
    assert values(rows, "crm.cust", "del_flg").keys() == {"Y", "N", ""}


def test_columns_are_packed_and_overloaded(rows: dict[str, list[dict[str, object]]]) -> None:
    assert all(len(str(row["attrs"]).rstrip()) >= 7 for row in rows["crm.cust"])
    by_kind = {str(row["pref_typ"]): row["pref_val"] for row in rows["crm.cust_pref"]}
    assert len(by_kind) == 2
    assert values(rows, "clm.claim", "ref_typ").keys() == {"P", "C"}


def test_rows_say_who_wrote_them_last_and_notes_are_long(rows: dict[str, list[dict[str, object]]]) -> None:
    stamped = [name for name, table in COLUMNS.items() if {"upd_usr", "upd_pgm", "upd_ts"} <= table.keys()]
    assert len(stamped) >= 10
    assert max(len(str(row["note_txt"])) for row in rows["crm.cust"]) > 2_000


def test_the_seed_is_two_thousand_customers_unless_told_otherwise() -> None:
    parser = command_line._parser()
    assert parser.parse_args(["seed"]).customers == 2_000
    assert parser.parse_args(["seed", "--customers", "70"]).customers == 70
    assert len(seed_world(3, 70).rows["crm.cust"]) == 70


def test_people_are_believable(rows: dict[str, list[dict[str, object]]]) -> None:
    """Names and cities repeat as in life, but no name is everybody's."""
    names = values(rows, "crm.cust", "nm")
    assert len(names) > 200
    assert all(re.fullmatch(r"[^\W\d].{1,59}", str(name)) for name in names)


def test_reconcile_reads_the_tables_by_views_of_its_own() -> None:
    """Customers, addresses current and requested, consents, roles, balances, claimants, and both statuses."""
    text = " ".join(query for _, query in QUERIES.values())
    for table in ("crm.cust", "crm.cust_addr", "crm.cust_cons", "pol.pol_role", "bil.acct", "clm.clmnt"):
        assert table in text
    assert len(QUERIES) >= 7


def test_a_folder_named_in_the_environment_adds_applications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the documentation shows it; without the variable there are the built-in ones alone."""
    (tmp_path / "outside.py").write_text(
        "from legacy_db.application import Application, Function\n"
        "def plan(desk):\n    return None\n"
        'APPLICATIONS = [Application("outside", "OUTSIDE", ["OUT"], (Function("outside", 1, plan),))]\n'
    )
    monkeypatch.delenv("GATEWAY_APPLICATIONS", raising=False)
    own = {each.name for each in applications()}
    monkeypatch.setenv("GATEWAY_APPLICATIONS", str(tmp_path))
    assert {each.name for each in applications()} - own == {"outside"}
