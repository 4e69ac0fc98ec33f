"""Logical messages on their way into an aggregate's raw topic: what the connector's configuration says of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.capture import TableFacts
from gateway.model.errors import ConfigError
from gateway.services.capture_database import DatabaseFacts, check_tables
from gateway.services.capture_plan import CapturePlan, MessageRoute, capture_plan
from gateway.services.capture_render import DatabaseAddress, connector_config, database_script
from gateway.services.capture_settings import CaptureSettings

ROOT = Path(__file__).parents[3]
ANNOTATED = ROOT / "tests" / "faults" / "annotated"
ADDRESS = DatabaseAddress("db.example", 5432, "legacy", "s")


def annotated() -> CompiledMapping:
    return load(ANNOTATED)[0]


def plan(mapping: CompiledMapping | None = None) -> CapturePlan:
    return capture_plan([mapping or annotated()], prefix="p.", topic_prefix="legacy", user="u")


def retyped(kind: str) -> CompiledMapping:
    mapping = annotated()
    tables = {
        name: replace(table, columns={**table.columns, "thingId": replace(table.columns["thingId"], type=kind)})
        for name, table in mapping.tables.items()
    }
    return replace(mapping, tables=tables)


def test_messages_are_no_table_of_the_database() -> None:
    assert [one.name for one in plan().tables] == ["shop.thing", "shop.thing_context"]
    script = database_script(ROOT / "connect", plan(), database="legacy")
    assert "message" not in script


def test_a_message_s_prefix_becomes_the_key_and_its_topic_the_aggregate_s() -> None:
    config = connector_config(ROOT / "connect", plan(), CaptureSettings(), ADDRESS)
    assert config["transforms"] == "key1,messages,number,route1,routed"
    assert config["predicates"] == "key1,messages"
    assert config["transforms.messages.renames"] == "prefix:thingId"
    assert config["transforms.number.spec"] == "thingId:int64"
    assert config["transforms.routed.replacement"] == "p.thing.raw"
    assert re.sub(config["transforms.routed.regex"], "to", "p.legacy.message") == "to"
    assert not re.search(config["transforms.routed.regex"], "p.legacy.shop.message")


@pytest.mark.parametrize(
    ("prefix", "taken"), [("7", True), ("-7", True), ("gateway", False), ("7 ", False), ("", False), ("9" * 19, False)]
)
def test_only_prefixes_that_fit_the_key_are_captured(prefix: str, taken: bool) -> None:
    """Another would stop the connector: its cast to a number fails."""
    option = connector_config(ROOT / "connect", plan(), CaptureSettings(), ADDRESS)["message.prefix.include.list"]
    assert "," not in option
    assert bool(re.fullmatch(option, prefix)) is taken


def test_a_key_of_text_needs_no_cast_and_leaves_our_own_messages_out() -> None:
    config = connector_config(ROOT / "connect", plan(retyped("text")), CaptureSettings(), ADDRESS)
    assert config["transforms"] == "key1,messages,route1,routed"
    assert re.fullmatch(config["message.prefix.include.list"], "A-17")
    assert not re.fullmatch(config["message.prefix.include.list"], "gateway")


def test_without_a_table_message_the_configuration_says_nothing_of_messages() -> None:
    mapping = annotated()
    tables = {name: table for name, table in mapping.tables.items() if name != "message"}
    found = plan(replace(mapping, tables=tables))
    assert found.messages is None
    config = connector_config(ROOT / "connect", found, CaptureSettings(), ADDRESS)
    assert [name for name in config if "message.prefix" in name or "messages" in name] == []


def test_a_key_of_several_columns_is_refused_with_the_way_out() -> None:
    mapping = annotated()
    tables = {"shop.thing": mapping.tables["shop.thing"], "message": mapping.tables["message"]}
    with pytest.raises(ConfigError, match="context-table"):
        capture_plan([replace(mapping, key=("thingId", "amount"), tables=tables)], **NAMES)


def test_the_key_of_messages_keeps_its_own_name() -> None:
    mapping = annotated()
    message = mapping.tables["message"]
    column = replace(message.columns["thingId"], raw="thing_id")
    named = replace(message, columns={**message.columns, "thingId": column})
    tables = {"shop.thing": mapping.tables["shop.thing"], "message": named}
    with pytest.raises(ConfigError, match="message has no column thingId"):
        capture_plan([replace(mapping, tables=tables)], **NAMES)


NAMES = {"prefix": "", "topic_prefix": "legacy", "user": "u"}


@pytest.mark.parametrize(("kind", "fits"), [("bigint", True), ("smallint", True), ("numeric(9,0)", False)])
def test_rows_whose_keys_would_have_other_bytes_than_messages_are_refused(kind: str, fits: bool) -> None:
    facts = TableFacts({"context_id": "bigint", "thing_id": kind, "val": "integer"}, True)
    found = DatabaseFacts({"shop.thing": facts, "shop.thing_context": facts}, None, None)
    if fits:
        check_tables(plan(), found)
    else:
        with pytest.raises(ConfigError, match="smallint, integer or bigint"):
            check_tables(plan(), found)


def test_the_route_says_what_it_takes() -> None:
    assert plan().messages == MessageRoute(r"^p\.legacy\.message$", "thingId", True, "p.thing.raw")
