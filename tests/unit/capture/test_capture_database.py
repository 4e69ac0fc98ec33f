"""What the database must offer, and what differs from the plan."""

from __future__ import annotations

import pytest

from gateway.model.capture import PublicationFacts, RoleFacts, TableFacts
from gateway.model.errors import ConfigError
from gateway.services.capture_database import DatabaseFacts, Superfluous, check_tables, granted, superfluous, wanted
from gateway.services.capture_plan import capture_plan
from tests.unit.capture.samples import aggregate, insurer

PLAN = capture_plan(insurer(), prefix="", topic_prefix="legacy", user="gateway_capture")
TABLES = {
    "crm.cust": TableFacts({"cust_id": "integer", "nm": "text"}, True),
    "crm.cust_addr": TableFacts({"addr_id": "integer", "cust_id": "bigint"}, True),
    "crm.cust_cons": TableFacts({"typ": "character(3)", "cust_id": "smallint"}, True),
    "crm.pol": TableFacts({"pol_id": "integer"}, True),
}
SELECT = frozenset({"SELECT"})
ROLE = RoleFacts(True, True, False, dict.fromkeys(TABLES, SELECT), frozenset({"crm"}))
EVERYTHING = frozenset({"insert", "update", "delete", "truncate"})
PUBLICATION = PublicationFacts(frozenset(TABLES), EVERYTHING)


def facts(**changes: object) -> DatabaseFacts:
    known: dict[str, object] = {"tables": TABLES, "role": ROLE, "publication": PUBLICATION, **changes}
    return DatabaseFacts(**known)  # type: ignore[arg-type]


def test_a_database_as_planned_differs_in_nothing() -> None:
    check_tables(PLAN, facts())
    assert granted(PLAN, facts()) == wanted(PLAN)
    assert superfluous(PLAN, facts()) == Superfluous()


def test_an_empty_database_lacks_everything() -> None:
    assert granted(PLAN, DatabaseFacts({}, None, None)) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"role": RoleFacts(True, True, True, ROLE.privileges, ROLE.schemas)}, "superuser"),
        ({"role": RoleFacts(True, False, False, ROLE.privileges, ROLE.schemas)}, "login"),
        ({"publication": PublicationFacts(PUBLICATION.tables, frozenset({"insert"}))}, "insert"),
        ({"publication": PublicationFacts(frozenset({"crm.cust"}), EVERYTHING)}, "table"),
        ({"tables": {**TABLES, "crm.pol": TableFacts({"pol_id": "integer"}, False)}}, "replica"),
    ],
)
def test_each_difference_shows(changed: dict[str, object], told: str) -> None:
    now, then = granted(PLAN, facts(**changed)), wanted(PLAN)
    assert now != then
    assert any(told in line for line in set(now) ^ set(then))


def test_rights_beyond_select_on_captured_tables_are_superfluous() -> None:
    more = {**ROLE.privileges, "crm.secret": SELECT, "crm.pol": frozenset({"SELECT", "INSERT"})}
    role = RoleFacts(True, True, False, more, frozenset({"crm", "hr"}))
    assert superfluous(PLAN, facts(role=role)) == Superfluous(("crm.pol", "crm.secret"), ("hr",))


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({**TABLES, "crm.cust_addr": TableFacts({"cust_id": "character(8)"}, True)}, "differ in their bytes"),
        ({**TABLES, "crm.cust_addr": TableFacts({"cust_id": "numeric(9,0)"}, True)}, "differ in their bytes"),
        (
            {**TABLES, "crm.cust_addr": TableFacts({"addr_id": "integer"}, True)},
            "no column cust_id, the key customerId",
        ),
        ({name: one for name, one in TABLES.items() if name != "crm.pol"}, r"crm\.pol does not exist"),
    ],
)
def test_keys_that_cannot_be_alike_are_refused(tables: dict[str, TableFacts], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        check_tables(PLAN, facts(tables=tables))


def test_key_columns_in_another_order_are_refused() -> None:
    """Debezium puts them in the table's own order."""
    columns = {"tenant": "ten", "id": "id"}
    mapping = aggregate("A", "a.raw", ("tenant", "id"), {"s.one": columns, "s.two": columns})
    plan = capture_plan([mapping], prefix="", topic_prefix="legacy", user="u")
    one, two = {"ten": "integer", "id": "integer"}, {"id": "integer", "ten": "integer"}
    check_tables(plan, facts(tables={"s.one": TableFacts(one, True), "s.two": TableFacts(one, True)}))
    with pytest.raises(ConfigError, match="differ in their bytes"):
        check_tables(plan, facts(tables={"s.one": TableFacts(one, True), "s.two": TableFacts(two, True)}))


def test_a_server_without_logical_decoding_is_refused() -> None:
    with pytest.raises(ConfigError, match="wal_level is replica"):
        check_tables(PLAN, facts(wal_level="replica"))
