"""`gateway recording capture` copies what stands in the raw topics, transaction markers too, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from typer.testing import CliRunner

from gateway.adapters.files import read_header, read_recording
from gateway.authoring.forge import Forge, Position
from gateway.cli import coverage, diff, recording, scaffold, translate
from gateway.mapping.loader import load
from gateway.stack import Stack

pytestmark = pytest.mark.stack
MAPPINGS = Path(__file__).parents[2] / "mappings"
RAW = ("legacy.customer.raw", "legacy.policy.raw", "legacy.billing.raw", "legacy.claim.raw")
CUSTOMER = {"cust_id": 7, "nm": "Ann Example", "sts": "A"}


@pytest.fixture
def environment(stack: Stack, prefix: str) -> dict[str, str]:
    """An installation of its own, with two customer records, one of them in a transaction that was aborted."""
    bootstrap = stack.endpoints.bootstrap
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topics = [NewTopic(prefix + name, 2, 1) for name in RAW] + [NewTopic(f"{prefix}legacy.transaction", 1, 1)]
    for future in admin.create_topics(topics).values():
        future.result(30)
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"{prefix}test", "log_level": 0})
    producer.init_transactions()
    for aborted in (False, True):
        producer.begin_transaction()
        forge = Forge(prefix + RAW[0], source_name=f"{prefix}legacy")
        at = Position(700 + aborted, 100, 110, 1_700_000_000_000)
        record = forge.change((1, 0), {"customerId": 7}, "crm.cust", "c", None, CUSTOMER, at)
        producer.produce(record.topic, record.value, record.key, 1, headers=[("h", b"\xff")])
        producer.produce(f"{prefix}legacy.transaction", b'{"status":"END","id":"700:120","ts_ms":1}', partition=0)
        if aborted:
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    return {"GATEWAY_PREFIX": prefix, "GATEWAY_BOOTSTRAP": bootstrap, "GATEWAY_MAPPINGS": str(MAPPINGS)}


def test_a_capture_holds_the_committed_records_and_translates(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "raw.jsonl.gz"
    result = CliRunner().invoke(recording.app, ["capture", str(file)], env=environment)
    assert result.exit_code == 0, result.output
    records = list(read_recording(file))
    assert sorted(record.topic.removeprefix(environment["GATEWAY_PREFIX"]) for record in records) == [
        "legacy.customer.raw",
        "legacy.transaction",
    ]
    [row] = [record for record in records if record.topic.endswith(".raw")]
    assert (row.partition, row.offset, row.key, row.headers) == (1, 0, b'{"customerId":7}', (("h", b"\xff"),))
    assert json.loads(row.value or b"")["after"] == CUSTOMER
    translated = CliRunner().invoke(translate.app, [str(file)], env=environment)
    assert translated.exit_code == 0, translated.output
    assert "consumed 1" in translated.stderr


def test_a_masked_capture_holds_no_personal_data(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "raw.jsonl"
    result = CliRunner().invoke(recording.app, ["capture", str(file), "--mask"], env=environment)
    assert result.exit_code == 0, result.output
    assert read_header(file).masked
    assert "Ann Example" not in file.read_text()
    assert '\\"cust_id\\":7' in file.read_text()


@pytest.mark.parametrize(
    "chosen", [("--at", "{}legacy.customer.raw[1]@0"), ("--at", "legacy.customer.raw[1]@0"), ("--key", "7")]
)
def test_a_case_is_made_of_a_record_that_stands_in_its_topic(
    environment: dict[str, str], chosen: tuple[str, ...]
) -> None:
    arguments = [each.format(environment["GATEWAY_PREFIX"]) for each in chosen]
    result = CliRunner().invoke(recording.app, ["cases", *arguments, "-o", "json"], env=environment)
    assert result.exit_code == 0, result.output
    [made] = json.loads(result.stdout)
    assert made["place"] == f"{environment['GATEWAY_PREFIX']}legacy.customer.raw[1]@0"
    assert "cust_id: 7" in made["text"]
    assert "Ann Example" not in made["text"]


def test_an_offset_that_the_topic_does_not_hold_is_told(environment: dict[str, str]) -> None:
    place = f"{environment['GATEWAY_PREFIX']}legacy.customer.raw[1]@99"
    result = CliRunner().invoke(recording.app, ["cases", "--at", place], env=environment)
    assert result.exit_code == 2
    assert "has no record at 99" in result.stderr


def test_a_raw_topic_becomes_a_mapping_to_begin_with(environment: dict[str, str], tmp_path: Path) -> None:
    topic = environment["GATEWAY_PREFIX"] + RAW[0]
    arguments = ["mapping", "clients", "--topic", topic, "--out", str(tmp_path)]
    done = CliRunner().invoke(scaffold.app, arguments, env=environment)
    assert done.exit_code == 0, done.output
    [mapping] = load(tmp_path)
    assert (mapping.topics, mapping.key) == ((RAW[0],), ("customerId",))
    assert mapping.tables["crm.cust"].columns["customerId"].raw == "cust_id"


def test_coverage_and_diff_read_the_raw_topics(environment: dict[str, str]) -> None:
    done = CliRunner().invoke(coverage.app, ["--live", "-o", "json"], env=environment)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["records"], found["change_sets"]) == (1, 1)
    last = CliRunner().invoke(coverage.app, ["--live", "--last", "1", "--mapping", "customer"], env=environment)
    assert (last.exit_code, "customer" in last.stdout) == (0, True)
    compared = CliRunner().invoke(diff.app, [str(MAPPINGS), str(MAPPINGS), "--live", "-o", "json"], env=environment)
    assert compared.exit_code == 0, compared.output
