"""The whole way, from applications at work to events, against the truth."""

from collections import Counter, defaultdict
from typing import Any

import pytest

from gateway.authoring.offline import assemble, replay
from gateway.mapping.loader import load
from legacy_db.facts import EVENTS, INTENTS
from legacy_db.oracle import compare, expect, shortfalls
from tests.e2e.conftest import ROOT, DemoRun
from tests.e2e.third_party import as_published, read_all

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

MAPPINGS = load(ROOT / "mappings")
KEYS = {
    "seed",
    "legacy_transactions",
    "raw_records",
    "events",
    "event_types",
    "ignored",
    "unexplained",
    "unexplained_expected",
    "dead_letters",
    "dead_letters_expected",
    "parked",
    "undetermined",
    "missing",
    "extra",
    "precision",
    "recall",
    "reconcile_differences",
    "p50_ms",
    "p99_ms",
    "seconds",
}
PUBLIC = ["customer.events", "policy.events", "billing-account.events", "claim.events"]


@pytest.fixture(scope="session")
def public(demo_run: DemoRun) -> list[dict[str, Any]]:
    """Every event of the demo, read by another process with stock libraries under the previous contracts."""
    ends = demo_run.endpoints
    return read_all(ends.bootstrap, ends.registry_url, PUBLIC)


def test_the_demo_ends_well_and_its_last_line_has_every_figure(demo_run: DemoRun) -> None:
    assert demo_run.status == 0, demo_run.printed[-3000:]
    assert set(demo_run.figures) >= KEYS


def test_every_fact_is_recognised_and_nothing_else(demo_run: DemoRun) -> None:
    figures = demo_run.figures
    assert (figures["precision"], figures["recall"]) == (1.0, 1.0)
    assert (figures["missing"], figures["extra"], figures["wrong_fields"], figures["reordered"]) == (0, 0, 0, 0)


def test_dead_letters_and_unexplained_changes_are_the_planted_ones(demo_run: DemoRun) -> None:
    figures = demo_run.figures
    assert figures["dead_letters"] == figures["dead_letters_expected"] > 0
    assert figures["unexplained"] == figures["unexplained_expected"] > 0


def test_a_consumer_of_the_events_alone_knows_what_the_tables_hold(demo_run: DemoRun) -> None:
    assert demo_run.figures["reconcile_differences"] == 0


def test_the_run_was_worth_judging_by(demo_run: DemoRun) -> None:
    expected = expect(demo_run.truth)
    facts = Counter(each.fact.event for each in expected.facts)
    assert demo_run.figures["legacy_transactions"] >= 3000
    assert shortfalls(expected) == []
    assert len(facts) >= 20
    assert set(facts) == set(EVENTS)
    assert set(INTENTS) == {each.fact.intent for each in expected.facts}


def test_events_translated_live_equal_those_translated_from_the_recording(
    demo_run: DemoRun, public: list[dict[str, Any]]
) -> None:
    offline = defaultdict(list)
    for one in replay(assemble(demo_run.recording, MAPPINGS), MAPPINGS).events:
        headers = {name: (value or b"").decode() for name, value in one.headers}
        offline[one.topic, headers["ce_subject"]].append((headers["ce_id"], headers["ce_sequence"]))
    live = defaultdict(list)
    for event in public:
        about = event["attributes"]
        live[event["topic"], about["subject"]].append((about["id"], about["sequence"]))
    assert live == offline


def test_a_third_party_reader_under_the_previous_contracts_sees_the_truth(
    demo_run: DemoRun, public: list[dict[str, Any]]
) -> None:
    found = compare(demo_run.truth, as_published(public))
    assert found.published > 3000
    assert found.perfect, (found.missing[:3], found.extra[:3], found.wrong[:3])
