"""A unit becomes events, letters and parking; each record has one outcome (protocol.md 9, language.md 8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.authoring.forge import Forge, Position
from gateway.authoring.offline import assemble, books_of, replay
from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import LetterClass, PartitionHalted
from gateway.model.letter import ParkEntry
from gateway.model.record import RawRecord
from gateway.pipeline.encode import WireSettings
from tests.property.small_mapping import ADDRESS, CUSTOMER, RULES, small_mapping

TOPIC = "legacy.customer.raw"
ROW = {"addr_id": 1, "cust_id": 7, "str": "Old", "city": "Bern", "lat": "1", "upd_pgm": "X"}
CUST = {"cust_id": 7, "nm": "Ann", "sts": "A", "upd_pgm": "X"}


class Log:
    """Records of one partition, one transaction after the other."""

    def __init__(self) -> None:
        self.records: list[RawRecord] = []
        self.lsn, self.commit, self.tx = 1000, 1000, 700

    def begin(self) -> Log:
        self.commit, self.lsn, self.tx = self.lsn, self.lsn + 10, self.tx + 1
        return self

    def change(self, table: str, op: str, before: dict | None, after: dict | None, key: int = 7, other=None) -> Log:
        self.lsn += 1
        position = Position(self.tx, self.commit, self.lsn, 1_700_000_000_123)
        place = (0, len(self.records))
        record = Forge(TOPIC).change(place, {"customerId": key}, table, op, before, after, position, other)
        self.records.append(record)
        return self

    def moved(self, street: str, key: int = 7) -> Log:
        row = {**ROW, "addr_id": key, "cust_id": key}
        return self.change("crm.cust_addr", "u", row, {**row, "str": street}, key)

    def bad(self, key: int = 7) -> Log:
        return self.change("crm.cust", "u", CUST, {**CUST, "sts": "?"}, key)

    def raw(self, value: bytes | None, key: bytes | None = b'{"customerId":7}') -> Log:
        self.records.append(RawRecord(TOPIC, 0, len(self.records), 5, key, value, (("h", b"1"),)))
        return self

    def read(self, mapping: CompiledMapping | None = None, wire: WireSettings | None = None):
        mapping = mapping or small_mapping()
        result = replay(assemble(self.records, [mapping]), [mapping], books_of([mapping], wire=wire))
        shown = [outcome.reason or str(outcome.kind) for _, outcome in sorted(result.outcomes.items())]
        return result, shown


def headers(thing) -> dict[str, str]:
    return {name: (value or b"").decode() for name, value in thing.headers}


def test_a_failed_change_set_parks_its_aggregate_and_no_other() -> None:
    result, shown = Log().begin().moved("A").bad().moved("B", key=8).begin().moved("C").moved("D", key=8).read()
    assert shown == ["decode", "decode", "published", "parked", "published"]
    assert [event.key for event in result.events] == [b"8", b"8"]
    assert result.parked == {(TOPIC, 0, "7"): ParkEntry(0, 3, 3, 1, LetterClass.DECODE)}
    assert [letter.letter_class for letter in result.letters] == ["decode", "decode", "order-blocked"]
    counters = result.counters
    assert (counters.dead_sets, counters.parked_sets, counters.events) == (1, 1, 2)


def test_a_letter_keeps_the_record_and_says_what_was_wrong() -> None:
    log = Log().begin().bad().moved("A")
    result, _ = log.read()
    first, second = result.letters
    assert (first.topic, first.partition) == (f"{TOPIC}.dlq", 0)
    assert (first.key, first.value, first.timestamp_ms) == (
        log.records[0].key, log.records[0].value, log.records[0].timestamp_ms,
    )  # fmt: skip
    told = headers(first)
    assert (told["__connect.errors.topic"], told["__connect.errors.offset"]) == (TOPIC, "0")
    assert "crm.cust.sts does not decode" in told["__connect.errors.exception.message"]
    assert (told["gateway.class"], told["gateway.mapping"], told["gateway.attempt"]) == (
        "decode", "3f9c2a1b00000000", "1",
    )  # fmt: skip
    assert [headers(one)["unit"] for one in (first, second)] == ["701:1/2", "701:2/2"]


def test_a_broken_record_amid_a_transaction_takes_its_aggregates_change_set_along() -> None:
    result, shown = Log().begin().moved("A").raw(b"broken").moved("B", key=8).begin().moved("C", key=8).read()
    assert shown == ["decode", "decode", "published", "published"]
    assert [headers(letter)["unit"] for letter in result.letters] == ["701:1/2", "701:2/2"]
    assert headers(result.letters[1])["h"] == "1"
    assert list(result.parked) == [(TOPIC, 0, "7")]


def test_a_broken_record_without_rows_beside_it_stands_alone() -> None:
    result, shown = Log().raw(b"broken").begin().moved("A").moved("B", key=8).read()
    assert shown == ["decode", "parked", "published"]
    assert headers(result.letters[0])["unit"] == "@0:1/1"


def test_an_unreadable_key_parks_nothing() -> None:
    result, shown = Log().raw(b"broken", key=None).raw(b"broken", key=b"\xff").begin().moved("A").read()
    assert shown == ["decode", "decode", "published"]
    assert result.parked == {}


def test_an_undecodable_snapshot_row_parks_nothing() -> None:
    mapping = small_mapping(rules=(*RULES, stating()))
    log = Log().begin()
    log.change("crm.cust", "r", None, {**CUST, "sts": "?"}).change("crm.cust", "r", None, CUST).begin().moved("A")
    result, shown = log.read(mapping)
    assert shown == ["decode", "published", "published"]
    assert result.parked == {}


def stating():
    """A rule for snapshot rows of customers."""
    from gateway.mapping.compiled import RowOp
    from gateway.model.event import Intent
    from tests.property.small_mapping import pattern, rule

    each = pattern("each", "customer", {RowOp.SNAPSHOT})
    return rule("stated", "CustomerRegistered", each, intent=Intent.STATE)


def test_snapshot_rows_state_at_the_place_of_the_last_row_taken() -> None:
    mapping = small_mapping(rules=(*RULES, stating()))
    log = Log().begin().change("crm.cust", "r", None, CUST).moved("A", key=8)
    log.change("crm.cust", "r", None, CUST).moved("B", key=8).begin().change("crm.cust", "r", None, CUST)
    log.moved("C", key=8)
    result, _ = log.read(mapping)
    stated = [headers(event)["ce_sequence"] for event in result.events if event.event.intent == "state"]
    assert stated[0] == stated[1] == "0000.0000.0000000000000000.00000000.000000"
    assert stated[2] == "0000.0001.00000000000003e8.00000000.ffffff"


def test_a_truncate_is_drift_or_ignored_where_the_mapping_says_so() -> None:
    value = Forge(TOPIC).change((0, 0), None, "crm.cust", "t", None, None, Position(1, 1, 1, 1)).value
    _, shown = Log().raw(value, key=None).read()
    assert shown == ["drift"]
    tables = {CUSTOMER.physical: replace(CUSTOMER, truncate="ignore"), ADDRESS.physical: ADDRESS}
    _, shown = Log().raw(value, key=None).read(small_mapping(tables=tables))
    assert shown == ["truncate"]


def test_on_error_halt_stops_before_the_unit() -> None:
    with pytest.raises(PartitionHalted, match="halt"):
        Log().begin().bad().read(small_mapping(on_error="halt"))


def test_on_error_deadletter_lets_the_next_change_through() -> None:
    _, shown = Log().begin().bad().begin().moved("A").read(small_mapping(on_error="deadletter"))
    assert shown == ["decode", "published"]


def test_a_row_without_before_image_is_drift() -> None:
    _, shown = Log().begin().change("crm.cust", "u", None, CUST).read()
    assert shown == ["drift"]


def test_a_payload_that_breaks_its_contract_is_a_dead_letter() -> None:
    def misfit(scope):
        return {"customerId": "seven", "street": 5}

    rules = tuple(replace(rule, data=misfit) if rule.data else rule for rule in RULES)
    result, shown = Log().begin().moved("A").read(small_mapping(rules=rules))
    assert shown == ["contract"]
    assert result.letters[0].rule == "moved"


def test_an_unexplained_change_is_reported_or_parks() -> None:
    left = Log().begin().change("crm.cust", "u", CUST, {**CUST, "nm": "Eve"})
    result, shown = left.read()
    assert shown == ["unexplained"]
    assert result.counters.unexplained == 1
    tables = {CUSTOMER.physical: replace(CUSTOMER, unexplained="park"), ADDRESS.physical: ADDRESS}
    _, shown = left.read(small_mapping(tables=tables))
    assert shown == ["unexplained"]
    assert left.read(small_mapping(tables=tables))[0].counters.dead_lettered == 1


def test_undeclared_columns_are_found_ignored_or_parked() -> None:
    log = Log().begin().change("crm.cust", "u", {**CUST, "vip": None}, {**CUST, "vip": "Y"})
    result, shown = log.read()
    assert shown == ["undeclared"]
    assert "undeclared column crm.cust.vip" in result.findings
    for policy, outcome in (("ignore", "no-change"), ("park", "drift")):
        tables = {CUSTOMER.physical: replace(CUSTOMER, undeclared=policy), ADDRESS.physical: ADDRESS}
        assert log.read(small_mapping(tables=tables))[1] == [outcome]


def test_a_missing_column_is_found_and_changes_nothing() -> None:
    short = {name: value for name, value in CUST.items() if name != "nm"}
    result, shown = Log().begin().change("crm.cust", "u", CUST, short).read()
    assert shown == ["no-change"]
    assert "missing column crm.cust.nm" in result.findings


def test_two_events_with_one_id_are_a_dead_letter() -> None:
    twice = (RULES[1], replace(RULES[1], name="again", anchor=replace(RULES[1].anchor, witness=True)))
    _, shown = Log().begin().moved("A").read(small_mapping(rules=twice))
    assert shown == ["rule"]


def test_headers_say_who_what_when_and_whence() -> None:
    result, _ = Log().begin().moved("A").read(wire=WireSettings("site."))
    [event] = result.events
    told = headers(event)
    assert event.topic == "site.customer.events"
    assert event.value[:5] == b"\x00\x00\x00\x00\x01"
    assert list(told) == [
        "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_sequence", "content-type",
        "lineage",
    ]  # fmt: skip
    assert (told["ce_source"], told["ce_subject"]) == ("/site/legacy", "7")
    assert told["ce_type"] == "insurer.customer.v1.CustomerAddressChanged"
    assert told["ce_time"] == "2023-11-14T22:13:20.123Z"
    assert told["lineage"] == (
        "intent=fact,rule=customer/moved,mapping=3f9c2a1b,origin=cdc,capability=customer-profile,tx=701,pos=1.1000.1011"
    )


@pytest.mark.parametrize(("style", "count"), [("minimal", 1), ("cloudevents", 9), ("full", 15)])
def test_header_styles(style: str, count: int) -> None:
    result, _ = Log().begin().moved("A").read(wire=WireSettings("", style))
    told = headers(result.events[0])
    assert len(told) == count
    assert "ce_id" in told
    assert ("ce_intent" in told) == (style == "full")


def test_rolled_up_rows_of_one_transaction_count_as_their_net() -> None:
    steps = Log().begin()
    steps.change("crm.cust_addr", "u", ROW, {**ROW, "str": "A"})
    steps.change("crm.cust_addr", "u", {**ROW, "str": "A"}, {**ROW, "str": "B", "lat": "9"})
    result, shown = steps.read()
    assert shown == ["published", "published"]
    account = result.interpretations[0].accounting
    assert (account.units, account.by_event, account.by_noise, account.undone) == (2, 1, 1, 0)


def test_a_second_insert_of_a_row_says_that_the_row_key_is_wrong() -> None:
    _, shown = Log().begin().change("crm.cust", "c", None, CUST).change("crm.cust", "c", None, CUST).read()
    assert shown == ["drift", "drift"]
