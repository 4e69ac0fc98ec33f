"""`gateway explain` over a recording: an answer for every record, and what it prints gives the same outcome again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.adapters.files import read_recording
from gateway.authoring.again import evaluate
from gateway.authoring.explain import explain_settled
from gateway.authoring.offline import books_of, replay
from gateway.authoring.settled import Settled, Stretch, gather
from gateway.cli.main import main
from gateway.mapping.loader import load

ROOT = Path(__file__).parents[3]
RECORDING = ROOT / "tests" / "e2e" / "recording.jsonl.gz"
MOVED = "legacy.customer.raw[0]@3162"
MAPPINGS = load(ROOT / "mappings")
BOOKS = books_of(MAPPINGS)


@pytest.fixture(scope="module")
def stretch() -> Stretch:
    return gather(read_recording(RECORDING), MAPPINGS, BOOKS)


def every(stretch: Stretch) -> Iterator[Settled]:
    for topic in dict.fromkeys(topic for topic, _ in stretch.partitions):
        for aggregate in stretch.aggregates(topic):
            yield from stretch.of_aggregate(topic, aggregate)


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["explain", "--mappings", str(ROOT / "mappings"), *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    status, out, err = asked(capsys, "--recording", str(RECORDING), "-o", "json", *arguments)
    assert status == 0, err
    return json.loads(out)


def test_every_record_has_the_outcome_that_the_worker_gives_it_and_its_explanation_gives_it_again(
    stretch: Stretch,
) -> None:
    replayed = replay(stretch.units, MAPPINGS, BOOKS)
    answered = 0
    for settled in every(stretch):
        for entry in settled.unit.entries:
            record = entry.record
            explanation = explain_settled(settled, record)
            outcome = replayed.outcomes[record.topic, record.partition, record.offset]
            assert (explanation.outcome, explanation.reason) == (str(outcome.kind), outcome.reason), record.place
            answered += 1
        again = evaluate(msgspec.json.decode(msgspec.json.encode(explanation)), MAPPINGS, BOOKS)
        assert again is not None
        assert again[0].translation.outcomes == settled.translation.outcomes
        assert again[0].translation.events == settled.translation.events
    assert answered == len(replayed.outcomes) == 900


def test_a_record_is_told_with_rows_rules_events_and_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    answer = told(capsys, MOVED)
    assert (answer["outcome"], answer["change_set"]["aggregate"], answer["change_set"]["id"]) == (
        "published", "Customer", "82",
    )  # fmt: skip
    (row,) = answer["change_set"]["rows"]
    (street,) = [column for column in row["columns"] if column["name"] == "street"]
    assert (street["raw"], street["changed"], street["taken_by"]) == ("str", True, "address-moved")
    assert street["before"] != street["after"] == street["raw_after"].rstrip()
    fired = [rule for rule in answer["change_set"]["rules"] if rule["fired"]]
    assert [rule["rule"] for rule in fired] == ["address-moved"]
    assert {check["truth"] for check in fired[0]["checks"]} == {"true"}
    (event,) = answer["change_set"]["events"]
    assert event["subject"] == "customer.events-insurer.customer.v2.CustomerAddressChanged"
    assert event["head"].startswith("00 00 00 00") and event["size"] > 24
    assert event["id"] and event["sequence"] and event["schema_id"] is None


def test_text_says_where_each_rule_stopped_and_what_it_saw(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = asked(capsys, "--recording", str(RECORDING), MOVED)
    assert status == 0
    assert "✗ domicile-moved → CustomerLegalDomicileChanged" in out
    assert "✗ where kind: legal  it is residential" in out
    assert "place]  city, postcode, street: taken by address-moved" in out
    assert "✓ row.validFrom is changed  row.validFrom = 2026-11-10" in out


def test_a_record_is_found_by_event_by_key_and_time_and_without_the_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    answer = told(capsys, MOVED)
    event = answer["change_set"]["events"][0]
    assert told(capsys, "--event", event["id"])["record"] == MOVED
    assert told(capsys, "customer.raw[0]@3162")["record"] == MOVED
    (nearest,) = told(capsys, "--key", "82", "--mapping", "customer", "--at", event["time"])
    assert nearest["record"] == MOVED
    assert len(told(capsys, "--key", "6", "--mapping", "customer")) == 2


def test_a_dead_letter_tells_class_and_error(capsys: pytest.CaptureFixture[str]) -> None:
    answer = told(capsys, "legacy.billing.raw[3]@1049")
    failure = answer["change_set"]["failure"]
    assert (answer["outcome"], failure["letter_class"]) == ("dead_lettered", "decode")
    assert "bil.pay.meth does not decode" in failure["what"]
    assert [record["offset"] for record in answer["records"]] == [1049, 1050]


def test_a_transaction_marker_is_answered_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "legacy.transaction[0]@" + _first_marker())["said"].startswith("a transaction's BEGIN or END")


def _first_marker() -> str:
    return str(next(each.offset for each in read_recording(RECORDING) if each.topic.endswith(".transaction")))


def test_what_was_printed_and_single_records_are_explained_from_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answer = told(capsys, MOVED)
    line = answer["records"][0]["raw"]
    shown = {"topic": line[0], "partition": 0, "offset": 7, "timestamp": line[3], "key": json.loads(line[4])}
    forms = [answer, line, {**shown, "headers": {}, "value": json.loads(line[5])}, json.loads(line[5])]
    for form in forms:
        (tmp_path / "one.json").write_text(json.dumps(form))
        status, out, err = asked(capsys, "-o", "json", str(tmp_path / "one.json"))
        assert status == 0, err
        again = json.loads(out)
        assert [event["event"] for event in again["change_set"]["events"]] == ["CustomerAddressChanged"]
        assert again["change_set"]["events"][0]["data"] == answer["change_set"]["events"][0]["data"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "neither a record's place nor a file"),
        ([], "say one of"),
        (["--key", "1", "--event", "x"], "say one of"),
        (["--recording", str(RECORDING), "customer.raw[0]@999999"], "there is no record"),
        (["--recording", str(RECORDING), "--key", "82"], "several aggregates have the key 82"),
        (["--recording", str(RECORDING), "--event", "x"], "no record here gives an event"),
        (["--recording", str(RECORDING), "--key", "82", "--since", "soon"], "`soon` is no time"),
        (["--recording", str(RECORDING), "--why-not", "Nothing", "--key", "82"], "no mapping has an event Nothing"),
        (["--recording", str(RECORDING), "--why-not", "CustomerAddressChanged"], "say one of"),
        ([str(ROOT / "README.md")], "not a JSON document"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    status, out, err = asked(capsys, *arguments)
    assert (status, out) == (2, "")
    assert said in err


def test_help_has_examples() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "gateway.cli.main", "explain", "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert "gateway explain --why-not CustomerAddressChanged --key 42 --since yesterday" in shown.stdout
