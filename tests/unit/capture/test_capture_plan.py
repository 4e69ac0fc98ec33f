"""Keys, renames, routes and names follow from prefix and mappings."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapping.compiled import Column
from gateway.model.errors import ConfigError
from gateway.services.capture_plan import CapturePlan, capture_plan, identifier
from tests.unit.capture.samples import aggregate, insurer


def plan(prefix: str = "", **more: str) -> CapturePlan:
    return capture_plan(insurer(), prefix=prefix, **{"topic_prefix": "legacy", "user": "gateway_capture", **more})


def test_every_table_is_keyed_by_its_aggregate() -> None:
    assert plan().message_key_columns == (
        r"crm\.cust:cust_id;crm\.cust_addr:cust_id;crm\.cust_cons:cust_id;crm\.pol:pol_id"
    )
    assert plan().include_list == r"crm\.cust,crm\.cust_addr,crm\.cust_cons,crm\.pol"


def test_key_columns_get_their_domain_names_before_the_topic_forgets_the_table() -> None:
    assert [(one.renames, one.pattern) for one in plan().renames] == [
        ("cust_id:customerId", r"^legacy\.(?:crm\.cust|crm\.cust_addr|crm\.cust_cons)$"),
        ("pol_id:policyId", r"^legacy\.(?:crm\.pol)$"),
    ]
    assert plan().transforms == ("key1", "key2", "route1", "route2")


def test_each_table_s_topic_is_taken_by_one_route_whole() -> None:
    """``crm.cust`` is the beginning of ``crm.cust_addr``; Java replaces the first find."""
    found = plan("p.")
    for table in found.tables:
        taken = [re.sub(one.pattern, one.topic, f"p.legacy.{table.name}", count=1) for one in found.routes]
        assert [topic for topic in taken if topic != f"p.legacy.{table.name}"] == [table.topic]
    assert not any(re.search(one.pattern, "p.legacy.crm.cust_other") for one in found.routes)


def test_a_domain_name_that_is_the_legacy_name_needs_no_rename() -> None:
    mapping = aggregate("A", "a.raw", ("id",), {"s.t": {"id": "id"}})
    assert capture_plan([mapping], prefix="", topic_prefix="legacy", user="u").renames == ()


def test_a_key_of_several_columns_keeps_the_aggregate_s_order() -> None:
    mapping = aggregate("A", "a.raw", ("tenant", "id"), {"s.t": {"id": "t_id", "tenant": "ten"}})
    found = capture_plan([mapping], prefix="", topic_prefix="legacy", user="u")
    assert found.message_key_columns == r"s\.t:ten,t_id"
    assert found.renames[0].renames == "ten:tenant,t_id:id"


def test_a_prefix_stands_before_everything() -> None:
    found = plan("p.")
    assert (found.source_name, found.connector) == ("p.legacy", "p.legacy")
    assert (found.transaction_topic, found.heartbeat_topic) == (
        "p.legacy.transaction",
        "p.__debezium-heartbeat.p.legacy",
    )
    assert all(one.topic.startswith("p.") for one in found.routes)


@pytest.mark.parametrize(("one", "other"), [("a-b.", "a.b."), ("A.", "a."), ("a.", "a_"), ("x" * 80, "x" * 81)])
def test_installations_never_share_a_slot_a_publication_or_a_role(one: str, other: str) -> None:
    first, second = plan(one), plan(other)
    for name in ("slot", "publication", "role"):
        assert getattr(first, name) != getattr(second, name)


@given(st.text("abcXYZ019._-", min_size=1, max_size=100))
def test_every_name_of_an_installation_is_one_that_postgresql_takes_for_a_slot(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9_]{1,63}", identifier("gateway", text))


@pytest.mark.parametrize("prefix", ["a b", "ü", "a/b", "$"])
def test_a_prefix_that_no_topic_can_have_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="topic's name"):
        plan(prefix)


def test_a_table_without_the_key_is_refused_with_the_file() -> None:
    mapping = aggregate("A", "a.raw", ("id",), {"s.t": {"other": "o"}})
    with pytest.raises(ConfigError, match=r"mappings/a\.yaml: s\.t has no column of its own for the key id"):
        capture_plan([mapping], prefix="", topic_prefix="legacy", user="u")


def test_a_key_that_is_a_part_of_a_packed_column_is_refused() -> None:
    mapping = aggregate("A", "a.raw", ("id",), {"s.t": {"id": "packed"}})
    part = Column("id", "packed", "text", lambda value: value, part=lambda scope: None)  # type: ignore[arg-type,return-value]
    mapping.tables["s.t"].columns["id"] = part  # type: ignore[index]
    with pytest.raises(ConfigError, match="no column of its own"):
        capture_plan([mapping], prefix="", topic_prefix="legacy", user="u")


@pytest.mark.parametrize("name", ["cust", "a.b.c", "s.t-x", "s.ta,ble", 's."t"'])
def test_a_table_that_is_no_plain_name_is_refused(name: str) -> None:
    mapping = aggregate("A", "a.raw", ("id",), {name: {"id": "id"}})
    with pytest.raises(ConfigError, match=r"no plain schema\.table|not a plain schema\.table"):
        capture_plan([mapping], prefix="", topic_prefix="legacy", user="u")


def test_mappings_without_tables_are_refused() -> None:
    with pytest.raises(ConfigError, match="nothing to capture"):
        capture_plan([], prefix="", topic_prefix="legacy", user="u")
