"""Every table of an aggregate in one partition under identical key bytes, and what else arrives in a raw topic."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import pytest

from gateway.model.record import RawRecord
from gateway.stack import Stack
from tests.contract.capturing import Captured, captured, value

pytestmark = pytest.mark.stack

CUSTOMER, POLICY = "legacy.customer.raw", "legacy.policy.raw"
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def running(stack: Stack) -> Iterator[Captured]:
    rows = [f"INSERT INTO cust VALUES ({number}, 'Ann', NULL)" for number in range(1, 21)]
    rows += [f"INSERT INTO cust_addr VALUES ({number}, {number}, 'Oslo')" for number in range(1, 21)]
    with captured(stack, f"t{secrets.token_hex(3)}.", rows) as found:
        yield found


def of(records: list[RawRecord], **key: object) -> list[RawRecord]:
    wanted = json.dumps(key, separators=(",", ":")).encode()
    return [record for record in records if record.key == wanted]


def test_an_aggregate_written_through_all_its_tables_lands_in_one_partition(running: Captured) -> None:
    """int, bigint and smallint key columns of other names give identical key bytes; order is the transaction's."""
    with running.database() as database, database.transaction():
        database.execute("INSERT INTO cust VALUES (1001, 'Bo')")
        database.execute("INSERT INTO cust_addr VALUES (1001, 1001, 'Rome')")
        database.execute("INSERT INTO cust_cons VALUES ('EML', 1001, 'Y')")
        database.execute("INSERT INTO pol VALUES (1001, 12.50)")
    records = running.until(CUSTOMER, lambda found: len(of(found, customerId=1001)) == 3)
    mine = of(records, customerId=1001)
    assert len({record.partition for record in mine}) == 1
    assert [value(record)["source"]["table"] for record in mine] == ["cust", "cust_addr", "cust_cons"]
    assert len({value(record)["source"]["txId"] for record in mine}) == 1
    (policy,) = of(running.until(POLICY, lambda found: bool(of(found, policyId=1001))), policyId=1001)
    assert value(policy)["after"]["prem"] == "12.50"


def test_the_snapshot_has_the_keys_and_partitions_of_the_stream(running: Captured) -> None:
    rows = [record for record in running.records(CUSTOMER) if value(record)["op"] == "r"]
    assert len(rows) == 40
    for number in range(1, 21):
        pair = of(rows, customerId=number)
        assert len(pair) == 2
        assert len({record.partition for record in pair}) == 1


def test_ordinary_records_carry_no_headers(running: Captured) -> None:
    with running.database() as database:
        database.execute("INSERT INTO cust VALUES (1002, 'Cy')")
    (record,) = of(running.until(CUSTOMER, lambda found: bool(of(found, customerId=1002))), customerId=1002)
    assert record.headers == ()


def test_a_row_that_changes_its_aggregate_leaves_here_and_arrives_there(running: Captured) -> None:
    """A delete under the old key names the new one in a header, and a create under the new key the old one."""
    with running.database() as database:
        database.execute("INSERT INTO cust_addr VALUES (1010, 1010, 'Bonn')")
        database.execute("UPDATE cust_addr SET cust_id = 1011 WHERE addr_id = 1010")
    records = running.until(CUSTOMER, lambda found: bool(of(found, customerId=1011)))
    inserted, left = of(records, customerId=1010)
    (arrived,) = of(records, customerId=1011)
    assert value(left)["op"] == "d"
    assert left.partition == inserted.partition
    assert left.headers == (("__debezium.newkey", b'{"cust_id":1011}'),)
    assert value(arrived)["op"] == "c"
    assert arrived.headers == (("__debezium.oldkey", b'{"cust_id":1010}'),)
    assert value(left)["source"]["lsn"] == value(arrived)["source"]["lsn"]
    assert value(left)["before"] == {"addr_id": 1010, "cust_id": 1010, "city": "Bonn      "}


def test_a_delete_tells_the_whole_row_and_no_tombstone_follows(running: Captured) -> None:
    with running.database() as database:
        database.execute("INSERT INTO cust VALUES (1020, 'Di', 'long')")
        database.execute("DELETE FROM cust WHERE cust_id = 1020")
        database.execute("INSERT INTO cust VALUES (1020, 'Ed')")
    records = running.until(CUSTOMER, lambda found: len(of(found, customerId=1020)) == 3)
    assert [value(record)["op"] for record in of(records, customerId=1020)] == ["c", "d", "c"]
    assert value(of(records, customerId=1020)[1])["before"]["note"] == "long"
    assert all(record.value is not None for record in records)


def test_a_null_in_a_column_with_a_default_stays_null(running: Captured) -> None:
    """Connect's converter would put the default in its place: a silent lie."""
    with running.database() as database:
        database.execute("INSERT INTO cust VALUES (1030, 'Flo', NULL)")
        database.execute("INSERT INTO cust (cust_id, nm) VALUES (1031, 'Gil')")
    records = running.until(CUSTOMER, lambda found: bool(of(found, customerId=1031)))
    assert value(of(records, customerId=1030)[0])["after"]["note"] is None
    assert value(of(records, customerId=1031)[0])["after"]["note"] == "none"


def test_a_truncate_arrives_without_a_key(running: Captured) -> None:
    with running.database() as database:
        database.execute("TRUNCATE cust_cons")
    records = running.until(CUSTOMER, lambda found: any(value(record)["op"] == "t" for record in found))
    (truncate,) = [record for record in records if value(record)["op"] == "t"]
    assert truncate.key is None
    assert value(truncate)["source"]["table"] == "cust_cons"


def test_a_column_added_amid_the_stream_arrives_with_the_next_change(running: Captured) -> None:
    with running.database() as database:
        database.execute("INSERT INTO cust VALUES (1040, 'Hal')")
        database.execute("ALTER TABLE cust ADD COLUMN vip boolean")
        database.execute("UPDATE cust SET vip = true WHERE cust_id = 1040")
    created, updated = of(running.until(CUSTOMER, lambda found: len(of(found, customerId=1040)) == 2), customerId=1040)
    assert "vip" not in value(created)["after"]
    assert value(updated)["after"]["vip"] is True


def test_a_row_of_ten_megabytes_gets_through_before_and_after(running: Captured) -> None:
    with running.database() as database:
        database.execute(f"INSERT INTO cust VALUES (1050, 'Ida', repeat('é', {5 * MEGABYTE}))".encode())
        database.execute("UPDATE cust SET nm = 'Ivy' WHERE cust_id = 1050")
    records = running.until(CUSTOMER, lambda found: len(of(found, customerId=1050)) == 2, seconds=60)
    update = of(records, customerId=1050)[1]
    assert (
        len(value(update)["before"]["note"].encode()) == len(value(update)["after"]["note"].encode()) == 10 * MEGABYTE
    )
    assert len(update.value or b"") > 20 * MEGABYTE


def test_begin_and_end_stand_in_one_partition_in_commit_order(running: Captured) -> None:
    with running.database() as database:
        for number in range(1060, 1070):
            database.execute("INSERT INTO pol VALUES (%s, 1)", [number])
    running.until(POLICY, lambda found: bool(of(found, policyId=1069)))
    records = running.records("legacy.transaction")
    assert {record.partition for record in records} == {0}
    told = [(value(record)["status"], value(record)["id"].partition(":")[0]) for record in records]
    assert told[0::2] == [("BEGIN", tx) for _, tx in told[1::2]]
    assert {status for status, _ in told[1::2]} == {"END"}


def test_signs_of_life_come_while_nothing_changes(running: Captured) -> None:
    assert running.until(f"__debezium-heartbeat.{running.settings.prefix}legacy", lambda found: len(found) >= 2)


def test_only_the_planned_topics_exist(running: Captured) -> None:
    """A route that fits a table's name only in part would send its rows where nobody reads."""
    from gateway.adapters.topics import KafkaTopics
    from gateway.services.topics import topic_specs

    settings, admin = running.settings, KafkaTopics(running.settings.bootstrap)
    specs = topic_specs(settings, running.mappings, running.capture.settings.topics)
    there = {name for name in admin._admin.list_topics(timeout=10).topics if name.startswith(settings.prefix)}
    assert there == {spec.name for spec in specs}
