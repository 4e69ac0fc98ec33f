"""What the demo's legacy applications really did, as the truth and the raw topics tell it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.model.record import RawRecord
from legacy_db.oracle import expect
from tests.e2e.conftest import DemoRun

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

APPLICATIONS = {
    "call-centre", "web-portal", "policy-administration", "geo-enrichment", "address-cleansing", "duplicates",
    "privacy", "billing", "claims-desk", "old-batch", "dba",
}  # fmt: skip
HABITS = {
    "customers merged", "merge undone", "customer anonymised", "billing run", "forwarding file", "address typing error",
    "edited and undone", "no-op update", "inserted and deleted", "address edit awaiting proof", "proof accepted",
    "proof refused", "customer renumbered", "bulk load by COPY", "telephone consents reset in bulk", "column added",
    "bad value", "old nightly job",
}  # fmt: skip
UNDONE = ("rolled back: ", "rolled back and retried: ", "long: ", "with a savepoint: ")
PADDED = {"city": 30, "upd_usr": 8}


@pytest.fixture(scope="module")
def rows(demo_run: DemoRun) -> list[tuple[RawRecord, dict[str, Any]]]:
    """Raw records of the aggregates with their envelopes."""
    raw = [one for one in demo_run.recording if not one.topic.endswith(".transaction")]
    return [(one, json.loads(one.value or b"{}")) for one in raw]


def images(rows: list[tuple[RawRecord, dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows after their changes, with their tables."""
    for _, envelope in rows:
        if envelope["after"] is not None:
            yield envelope["source"]["table"], envelope["after"]


def test_every_application_worked_and_did_what_such_applications_do(demo_run: DemoRun) -> None:
    assert {each.application for each in demo_run.truth} >= APPLICATIONS
    labels = {each.label for each in demo_run.truth if each.committed}
    assert labels >= HABITS
    begun = [each.label for each in demo_run.truth]
    assert [start for start in UNDONE if not any(label.startswith(start) for label in begun)] == []
    assert any(each.outcome == "rolledback" for each in demo_run.truth)


def test_every_transaction_that_means_nothing_says_why(demo_run: DemoRun) -> None:
    silent = [each.label for each in demo_run.truth if not (each.facts or each.none or each.untranslatable)]
    assert silent == []


def test_at_least_four_in_a_hundred_are_twins_and_their_events_are_undetermined(demo_run: DemoRun) -> None:
    expected = expect(demo_run.truth)
    assert expected.twins * 100 >= 4 * expected.transactions
    assert demo_run.figures["undetermined"] > 0


def test_operations_of_every_kind_stand_in_the_raw_topics(rows: list[tuple[RawRecord, dict[str, Any]]]) -> None:
    """Inserts, updates, deletes and snapshot rows; keys that changed on both sides; rows of one COPY at one LSN."""
    assert {envelope["op"] for _, envelope in rows} == {"r", "c", "u", "d"}
    headers = Counter(name for record, _ in rows for name, _ in record.headers)
    assert headers["__debezium.newkey"] == headers["__debezium.oldkey"] > 0
    places = Counter((one["source"]["txId"], one["source"]["lsn"]) for _, one in rows if one["op"] == "c")
    assert max(places.values()) > 1


def test_values_are_as_old_schemas_have_them(rows: list[tuple[RawRecord, dict[str, Any]]]) -> None:
    """Blank-padded chars, flags of three states, open and impossible dates, notes of several KB, a column by DDL."""
    found = list(images(rows))
    for name, width in PADDED.items():
        assert {len(row[name]) for _, row in found if name in row} == {width}
    assert {row["cons_flg"] for table, row in found if table == "cust_cons"} >= {"Y", "N", " "}
    dates = {row["val_to"] for table, row in found if table == "cust_addr"}
    assert 99991231 in dates
    assert max(len(row.get("note_txt") or "") for _, row in found) > 3_000
    added = [row for _, row in found if "mkt_opt" in row]
    assert 0 < len(added) < sum(table == "cust" for table, _ in found)


def test_bad_dates_and_unknown_codes_are_what_cannot_be_translated(
    demo_run: DemoRun, rows: list[tuple[RawRecord, dict[str, Any]]]
) -> None:
    assert any(20261399 in row.values() for _, row in images(rows))
    assert any(each.untranslatable for each in demo_run.truth if each.label == "bad value")


def test_the_snapshot_comes_first_and_the_applications_after_it(rows: list[tuple[RawRecord, dict[str, Any]]]) -> None:
    """Connector, snapshot, workers from the beginning, applications: no streamed row before a snapshot row."""
    begun: set[tuple[str, int]] = set()
    for record, envelope in rows:
        place = (record.topic, record.partition)
        if envelope["op"] == "r":
            assert place not in begun
        else:
            begun.add(place)
    assert len(begun) > 4


def test_merges_write_the_role_history_of_each_policy_they_re_point(demo_run: DemoRun) -> None:
    merges = [each for each in demo_run.truth if each.committed and each.label == "customers merged"]
    assert any("pol.role_hist" in each.tables for each in merges)
    told = [each for each in merges if any(fact.event == "PolicyHolderChanged" for fact in each.facts)]
    assert told
    assert all("pol.role_hist" in each.tables for each in told)


def test_progress_and_what_to_try_next_are_shown(demo_run: DemoRun) -> None:
    for told in ("stack up", "snapshot taken", "legacy applications", "reconcile", "events heard", "CustomerMerged"):
        assert told in demo_run.printed
    assert "Everything is running" in demo_run.printed
    assert "gateway tail" in demo_run.printed


def test_the_truth_is_told_before_the_work_and_its_end_after_it(demo_run: DemoRun) -> None:
    """Each transaction's lines stand in this order: planned, begun (with its id and ordinals), ended."""
    phases: dict[str, list[str]] = {}
    for line in (demo_run.state / "truth.jsonl").read_text().splitlines():
        told = json.loads(line)
        phases.setdefault(told["tx"], []).append(told["phase"])
    assert {tuple(one) for one in phases.values()} == {
        ("planned", "begun", "committed"),
        ("planned", "begun", "rolledback"),
    }


def test_the_minimum_counts_are_printed_and_reached(demo_run: DemoRun) -> None:
    figures = demo_run.figures
    assert (figures["least_by_event"] >= 20, figures["least_by_intent"] >= 30) == (True, True)
    assert (figures["mixed_updates"] >= 100, figures["several_tables"] >= 300) == (True, True)
