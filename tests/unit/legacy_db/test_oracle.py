"""The oracle finds a perfect gateway perfect, and names each fault of a worse one."""

from __future__ import annotations

import copy
import datetime as dt
from decimal import Decimal

import pytest

from gateway.stack import Stack
from legacy_db.oracle import compare, expect, project, reconcile, shortfalls
from legacy_db.oracle.values import canonical
from tests.unit.legacy_db import perfect
from tests.unit.legacy_db.worked import Worked, work

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def worked(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Worked:
    return work(stack.endpoints.postgres_dsn, tmp_path_factory.mktemp("oracle"), 5, 1_500, 1_000)


@pytest.fixture
def published(worked: Worked) -> list[perfect.Event]:
    return copy.deepcopy(perfect.events(worked.truth))


def test_a_perfect_gateway_is_perfect(worked: Worked, published: list[perfect.Event]) -> None:
    """Events made from the truth give precision and recall 1.0, nothing missing, extra, wrong or reordered."""
    verdict = compare(worked.truth, [*perfect.states(worked.seeded), *published])
    assert verdict.perfect
    assert (verdict.precision, verdict.recall) == (1.0, 1.0)
    assert verdict.states > 0 and verdict.undetermined > 0 and verdict.expectation.dead_letters > 0


def test_events_alone_give_the_legacy_tables(worked: Worked, published: list[perfect.Event]) -> None:
    """A projection of state events and business events equals the SQL view in every row of unparked aggregates."""
    consumer = project([*perfect.states(worked.seeded), *published])
    result = reconcile(consumer, worked.legacy, expect(worked.truth).parked_from)
    assert result.differences == []
    assert set(result.compared) == set(worked.legacy) and min(result.compared.values()) > 20
    assert result.parked > 0


def test_a_lost_event_is_missing_and_shows_in_reconcile(worked: Worked, published: list[perfect.Event]) -> None:
    """Without the last payment of an account, the event is missing and the balance differs."""
    lost = next(event for event in reversed(published) if event["event"] in ("PaymentReceived", "InvoiceIssued"))
    published.remove(lost)
    verdict = compare(worked.truth, published)
    assert [each.fact.event for each in verdict.missing] == [lost["event"]]
    assert verdict.recall < 1.0 == verdict.precision
    consumer = project([*perfect.states(worked.seeded), *published])
    result = reconcile(consumer, worked.legacy, expect(worked.truth).parked_from)
    assert [each.relation for each in result.differences] == ["balance"]


def test_a_doubled_event_is_extra(worked: Worked, published: list[perfect.Event]) -> None:
    """The same event twice is one too many."""
    verdict = compare(worked.truth, [*published, published[0]])
    assert [each["event"] for each in verdict.extra] == [published[0]["event"]]


def test_a_confident_fact_for_a_twin_is_wrong(worked: Worked, published: list[perfect.Event]) -> None:
    """Guessing the intent of a twin is a wrong field."""
    twin = next(event for event in published if event["intent"] == "undetermined")
    twin["intent"] = "fact"
    assert [(each.field, each.expected) for each in compare(worked.truth, published).wrong] == [
        ("intent", "undetermined")
    ]


def test_a_wrong_field_is_named(worked: Worked, published: list[perfect.Event]) -> None:
    """A field that differs is named with both values; the event is neither missing nor extra."""
    moved = next(event for event in published if event["event"] == "CustomerAddressCorrected")
    moved["data"]["address"]["city"] = "elsewhere"
    verdict = compare(worked.truth, published)
    assert [each.field for each in verdict.wrong] == ["address"]
    assert not verdict.missing and not verdict.extra and not verdict.perfect


def test_events_out_of_order_are_counted(worked: Worked, published: list[perfect.Event]) -> None:
    """Two events of one aggregate in the wrong order are seen."""
    assert compare(worked.truth, published[::-1]).reordered > 0


def test_events_behind_a_dead_letter_are_a_fault(worked: Worked, published: list[perfect.Event]) -> None:
    """An event of a parked aggregate is neither right nor extra, but not perfect."""
    parked = expect(worked.truth).parked_facts[0]
    event = {**published[0], "aggregateType": parked.fact.aggregate[0], "aggregateId": parked.fact.aggregate[1]}
    verdict = compare(worked.truth, [*published, {**event, "txId": parked.tx_id}])
    assert verdict.published_though_parked == 1 and not verdict.perfect and not verdict.extra


def test_short_runs_lack_nothing(worked: Worked) -> None:
    """The minimum counts apply from 3,000 transactions up, and are sentences below."""
    expectation = expect(worked.truth)
    assert shortfalls(expectation) == []
    assert any("not 20" in each for each in shortfalls(expectation, from_transactions=1))


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (dt.date(2026, 3, 1), "2026-03-01", "date"),
        (Decimal("12.5"), "12.50", "decimal?"),
        ([2, 1], (1, 2), ["int"]),
        ({"a": 1, "b": 2}, {"a": 1}, {"a": "int"}),
    ],
)
def test_values_of_either_form_are_equal(one: object, other: object, kind: object) -> None:
    """Dates, decimals, arrays and records compare by what they mean."""
    assert canonical(one, kind) == canonical(other, kind)  # type: ignore[arg-type]
