"""A legacy column added, dropped, renamed or retyped: what is found, what parks, what goes on."""

import pickle

import pytest

from gateway.authoring.offline import assemble
from gateway.mapping.compiled import CompiledMapping
from gateway.model.finding import Finding, FindingKind
from gateway.pipeline.columns import TablePlan
from gateway.pipeline.drift import DriftWatch
from tests.unit.pipeline.interpreted import (
    CUSTOMER,
    TABLES,
    customer,
    events,
    interpreted,
    lacking,
    mapped,
    noise,
    reasons,
    recorded,
    told,
)

NAMED = told("named", "each: {table: customer, changed: [name]}", "{{ after.name }}")
AMOUNT = told("amount", "each: {table: customer, changed: [amount]}", "{{ after.amount | text }}")
BOTH = mapped(NAMED + AMOUNT)


def kinds(findings: tuple[Finding, ...]) -> set[tuple[FindingKind, str]]:
    return {(one.kind, one.column) for one in findings}


def test_an_added_column_is_found_and_stops_nothing() -> None:
    read = interpreted(BOTH, (CUSTOMER, "u", customer(tier=None), customer(nm="Bob", tier="G")))
    assert events(read) == [("named", "Bob")]
    assert kinds(read.findings) == {(FindingKind.UNDECLARED, "tier")}


def test_a_dropped_column_is_found_and_what_does_not_use_it_goes_on() -> None:
    read = interpreted(BOTH, (CUSTOMER, "u", lacking(customer(), "amt"), lacking(customer(nm="Bob"), "amt")))
    assert events(read) == [("named", "Bob")]
    assert kinds(read.findings) == {(FindingKind.MISSING, "amt")}


def test_an_event_that_needs_a_dropped_column_is_not_said() -> None:
    mapping = mapped(
        told("named", "each: {table: customer, changed: [name]}", "{{ after.name ~ (after.amount | text) }}")
    )
    read = interpreted(mapping, (CUSTOMER, "u", lacking(customer(), "amt"), lacking(customer(nm="Bob"), "amt")))
    assert read.failure is not None
    assert read.failure.letter_class == "drift"
    assert not read.events
    assert (FindingKind.MISSING, "amt") in kinds(read.findings)


def renamed(**changed: object) -> dict[str, object]:
    """A customer whose amt is called amount_chf by now."""
    return {**lacking(customer(), "amt"), "amount_chf": "1.00", **changed}


def test_a_change_under_a_new_name_parks_and_says_what_may_have_happened() -> None:
    read = interpreted(BOTH, (CUSTOMER, "u", renamed(), renamed(amount_chf="2.00")))
    assert reasons(read) == ["dead_lettered"]
    assert read.failure is not None
    assert read.failure.letter_class == "drift"
    assert "amount_chf changed, and amt is gone: perhaps renamed" in str(read.failure)
    assert "amount_chf" in next(one for one in read.findings if one.column == "amt").advice("customer.yaml")


def test_after_a_rename_what_does_not_touch_the_column_goes_on() -> None:
    assert events(interpreted(BOTH, (CUSTOMER, "u", renamed(), renamed(nm="Bob")))) == [("named", "Bob")]


def test_a_new_column_beside_one_that_no_rule_waits_for_parks_nothing() -> None:
    read = interpreted(mapped(NAMED), (CUSTOMER, "u", renamed(), renamed(amount_chf="2.00")))
    assert read.failure is None


def test_noise_waits_for_no_column() -> None:
    mapping = mapped(NAMED + noise("amounts", "each: {table: customer, changed: [amount]}"))
    assert interpreted(mapping, (CUSTOMER, "u", renamed(), renamed(amount_chf="2.00"))).failure is None


def test_a_transition_waits_for_its_column_too() -> None:
    mapping = mapped(told("merged", "each: {table: customer, where: {status: {to: merged}}}"))
    before, after = ({**lacking(customer(), "sts"), "status": letter} for letter in "AM")
    read = interpreted(mapping, (CUSTOMER, "u", before, after))
    assert read.failure is not None
    assert read.failure.letter_class == "drift"


def test_a_retyped_column_that_does_not_decode_parks_its_changes_and_no_others() -> None:
    read = interpreted(BOTH, (CUSTOMER, "u", customer(amt="one"), customer(amt="two")))
    assert reasons(read) == ["dead_lettered"]
    assert (FindingKind.UNREADABLE, "amt") in kinds(read.findings)
    assert events(interpreted(BOTH, (CUSTOMER, "u", customer(amt="one"), customer(amt="one", nm="Bob")))) == [
        ("named", "Bob")
    ]


# -- the watch ----


def looked(mapping: CompiledMapping, watch: DriftWatch, now: float, **changed: object) -> list[Finding]:
    [unit] = assemble(recorded([(CUSTOMER, "u", customer(), customer(**changed))]), [mapping])
    plans = {CUSTOMER: TablePlan(mapping.tables[CUSTOMER])}
    return watch.look(unit, plans, now)


def test_a_column_whose_values_come_in_another_form_is_found_though_it_still_decodes() -> None:
    watch = DriftWatch(every=0.5)
    assert looked(BOTH, watch, 0.0, amt="1.00") == []
    assert looked(BOTH, watch, 0.1, amt=100) == [], "it is not time to look yet"
    [found] = looked(BOTH, watch, 0.6, amt=100)
    assert (found.kind, found.column) == (FindingKind.RETYPED, "amt")
    assert "text before, and come as numbers now" in found.advice("customer.yaml")


def test_a_column_that_no_rule_reads_is_looked_at_as_well() -> None:
    [found] = looked(mapped(NAMED, TABLES), DriftWatch(), 0.0, amt="much")
    assert (found.kind, found.column) == (FindingKind.UNREADABLE, "amt")


@pytest.mark.parametrize("kind", FindingKind)
def test_a_finding_reads_as_text_and_keeps_its_parts_on_its_way_to_another_process(kind: FindingKind) -> None:
    found = Finding(kind, CUSTOMER, "amt", "decimal(9,2)")
    assert str(found) == f"{kind} {CUSTOMER}.amt"
    again = pickle.loads(pickle.dumps(found))
    assert (again, again.kind, again.column, again.detail) == (found, kind, "amt", "decimal(9,2)")


@pytest.mark.parametrize("kind", [kind for kind in FindingKind if kind not in ("format only", "undeclared table")])
def test_whatever_drifts_has_a_remedy_that_names_the_file(kind: FindingKind) -> None:
    if kind is not FindingKind.CAPTURE_RESTARTED:
        assert "customer.yaml" in Finding(kind, CUSTOMER, "amt", "text").advice("customer.yaml")
