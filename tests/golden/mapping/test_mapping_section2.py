"""The example of the language's own specification (section 2), with contracts made for it."""

import datetime as dt
from pathlib import Path

import pytest

from gateway.mapping.compiled import CompiledMapping, Count, RowOp
from gateway.mapping.loader import load
from gateway.model.event import Intent

FOLDER = Path(__file__).parent / "section2" / "mappings"
PLACE = {"street", "postcode", "city", "country"}


@pytest.fixture(scope="module")
def mapping() -> CompiledMapping:
    return load(FOLDER)[0]


def test_the_example_as_it_stands_loads_with_its_rules_in_file_order(mapping: CompiledMapping) -> None:
    assert [rule.name for rule in mapping.rules] == [
        "registered",
        "address-change-requested",
        "address-change-rejected",
        "address-verified",
        "address-corrected",
        "domicile-changed",
        "address-moved",
        "address-replaced",
        "consent",
        "geocoding",
    ]
    assert (mapping.aggregate, mapping.key, mapping.topics) == ("Customer", ("customerId",), ("legacy.customer.raw",))


def test_an_event_takes_capability_version_and_topic_from_its_entry_or_the_defaults(mapping: CompiledMapping) -> None:
    changed, registered = mapping.events["CustomerAddressChanged"], mapping.events["CustomerRegistered"]
    assert (changed.version, changed.capability, changed.topic) == (2, "addresses", "customer.events")
    assert changed.full_name == "insurer.customer.v2.CustomerAddressChanged"
    assert (registered.version, registered.capability) == (1, "customer-profile")


def test_an_older_version_stands_beside_the_newest_with_its_own_name_and_its_end(mapping: CompiledMapping) -> None:
    newest, older = mapping.events["CustomerAddressChanged"].versions
    assert (newest.deprecated, older.deprecated, older.sunset) == (False, True, dt.date(2027, 6, 30))
    assert (older.version, older.full_name) == (1, "insurer.customer.v1.CustomerAddressChanged")
    assert (older.topic, older.capability) == (newest.topic, newest.capability)
    payload = {"customerId": 7, "kind": "legal", "old": None, "address": {"city": "Bern"}, "validFrom": None}
    derived = mapping.events["CustomerAddressChanged"].also[0].derive(payload)
    assert derived == {"customerId": 7, "kind": "legal", "old": None, "newAddress": {"city": "Bern"}}


def test_from_and_to_imply_an_update_and_are_taken_with_what_explains_names(mapping: CompiledMapping) -> None:
    anchor = next(rule.anchor for rule in mapping.rules if rule.name == "address-verified")
    assert anchor is not None
    assert anchor.ops == {RowOp.UPDATE}
    assert anchor.changed is None
    assert anchor.takes == PLACE | {"check"}
    test = anchor.where[0]
    assert (test.column, test.transition, test.was, test.became) == ("check", True, ("pending",), ("verified",))


def test_in_a_list_with_insert_changed_binds_the_updates_only(mapping: CompiledMapping) -> None:
    anchor = next(rule.anchor for rule in mapping.rules if rule.name == "consent")
    assert anchor is not None
    assert anchor.ops == {RowOp.INSERT, RowOp.UPDATE}
    assert anchor.takes == {"decision"}


def test_a_companion_says_how_many_rows_and_what_they_share_with_the_anchor(mapping: CompiledMapping) -> None:
    replaced = next(rule for rule in mapping.rules if rule.name == "address-replaced")
    closed = replaced.companions[0]
    assert (closed.name, closed.count, closed.same, closed.ops) == ("closed", Count.ONE, ("kind",), {RowOp.UPDATE})
    assert (closed.where[0].was, closed.where[0].became) == ((None,), None)


def test_noise_has_neither_event_nor_data_and_says_why(mapping: CompiledMapping) -> None:
    noise = mapping.rules[-1]
    assert (noise.event, noise.data, noise.because) == (None, None, "coordinates are derived from the address")
    assert noise.anchor is not None
    assert noise.anchor.takes == {"latitude", "longitude"}


def test_intents_are_read(mapping: CompiledMapping) -> None:
    intents = {rule.name: rule.intent for rule in mapping.rules}
    assert intents["address-corrected"] is Intent.CORRECTION
    assert intents["address-change-requested"] is Intent.PENDING
    assert intents["address-moved"] is Intent.FACT


def test_the_table_reads_the_raw_values_of_the_specification(mapping: CompiledMapping) -> None:
    address = mapping.tables["crm.cust_addr"]
    row = address.read({"addr_typ": "LEG ", "str": "Rue 1   ", "ctry": "NO", "val_to": 99991231, "chk": " "})
    assert (row["kind"], row["street"], row["country"]) == ("legal", "Rue 1", "NO")
    assert (row["validTo"], row["check"]) == (None, None)
