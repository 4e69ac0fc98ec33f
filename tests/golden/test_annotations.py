"""Annotations: what the applications say of a change, from raw records to events."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from gateway.authoring.case_files import Case, read_cases
from gateway.authoring.cases import run_case
from gateway.authoring.forge import Forge, Position
from gateway.authoring.offline import assemble, books_of, replay
from gateway.mapping.loader import load
from gateway.model.errors import LetterClass
from gateway.model.record import RawRecord
from gateway.pipeline.redact import Redactor

FOLDER = Path(__file__).parents[1] / "faults" / "annotated"
MAPPINGS = load(FOLDER)
FORGE = Forge("thing.raw")
THING = {"thing_id": 7, "val": 3}


def case_id(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", read_cases(FOLDER / "thing" / "thing_test.yaml"), ids=case_id)
def test_annotated_changes(case: Case) -> None:
    assert run_case(case, MAPPINGS[0], books_of(MAPPINGS)["thing"]).differences == ()


def message(offset: int, content: str, order: int = 1) -> RawRecord:
    """As the connector writes it once the transforms are through (seen live)."""
    position = Position(749, 1000, 1010 + offset, 1_767_225_600_000, order)
    record = FORGE.change((0, offset), {"thingId": 7}, "message", "m", None, None, position)
    value = json.loads(record.value or b"")
    told = {"prefix": "7", "content": b64encode(content.encode()).decode()}
    value = {"op": "m", "ts_ms": value["ts_ms"], "source": {**value["source"], "schema": "", "table": ""}} | {
        "message": told,
        "transaction": value["transaction"],
    }
    return FORGE.record((0, offset), {"thingId": 7}, value, record.timestamp_ms)


def change(offset: int) -> RawRecord:
    position = Position(749, 1000, 1010 + offset, 1_767_225_600_000, 1 + offset)
    return FORGE.change((0, offset), {"thingId": 7}, "shop.thing", "u", THING, {**THING, "val": 4}, position)


def reasons(records: list[RawRecord]) -> list[object]:
    result = replay(assemble(records, MAPPINGS), MAPPINGS)
    assert result.letters == []
    return [event.event.data.get("reason") for event in result.events]


def test_a_message_joins_its_transaction_wherever_it_stands_in_it() -> None:
    told = '{"reason": "stocktaking", "actor": "lia"}'
    assert reasons([message(0, told), change(1)]) == ["stocktaking"]
    assert reasons([change(0), message(1, told)]) == ["stocktaking"]


def test_a_message_told_twice_counts_once() -> None:
    told = '{"reason": "stocktaking"}'
    first, second = message(0, told), change(1)
    again = [FORGE.record((0, 2), {"thingId": 7}, json.loads(first.value or b""), first.timestamp_ms)]
    assert reasons([first, second, *again]) == ["stocktaking"]


def test_members_that_no_column_names_are_reported_and_do_no_harm() -> None:
    records = [message(0, '{"reason": "stocktaking", "ticket": 17}'), change(1)]
    assert reasons(records) == ["stocktaking"]
    result = replay(assemble(records, MAPPINGS), MAPPINGS)
    assert any("ticket" in finding for finding in result.findings)


def test_a_message_that_is_no_json_object_takes_its_change_set_with_it() -> None:
    result = replay(assemble([message(0, "stocktaking"), change(1)], MAPPINGS), MAPPINGS)
    assert result.events == []
    assert {letter.aggregate_id for letter in result.letters} == {"7"}
    assert [letter.letter_class for letter in result.letters] == [LetterClass.DECODE, LetterClass.ORDER_BLOCKED]


def test_personal_data_of_a_message_is_masked_in_recordings() -> None:
    masked = Redactor(MAPPINGS, b"salt")(message(0, '{"reason": "stocktaking", "actor": "lia"}'))
    assert masked is not None
    content = json.loads(b64decode(json.loads(masked.value or b"")["message"]["content"]))
    assert content["reason"] == "stocktaking"
    assert content["actor"] != "lia"
