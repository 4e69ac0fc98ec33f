"""The trace of an interpretation: what each rule asked, what it saw, where it stopped, what it took."""

from pathlib import Path

import pytest

from gateway.adapters.files import read_recording
from gateway.authoring.offline import assemble, books_of, mapping_of_topic
from gateway.mapping.loader import load
from gateway.model.event import Check, Interpretation, Took, Tried
from gateway.model.values import MISSING
from gateway.pipeline.interpret import interpret
from gateway.pipeline.plan import MappingPlan
from gateway.pipeline.split import change_set, groups
from tests.unit.pipeline.interpreted import (
    ADDRESS,
    CUSTOMER,
    RENAMED,
    Row,
    address,
    customer,
    lacking,
    mapped,
    recorded,
    told,
)

ROOT = Path(__file__).parents[3]
NAME = "each: {table: customer, changed: [name]}"


def traced(rules: str, *rows: Row, trace: bool = True) -> Interpretation:
    """What one transaction's rows meant, traced."""
    mapping = mapped(rules)
    (unit,) = assemble(recorded(rows), [mapping])
    (group,) = groups(unit)
    return interpret(change_set(group, unit, mapping.name, ()), MappingPlan(mapping), trace=trace)


def said(read: Interpretation, rule: str) -> Tried:
    return next(tried for tried in read.trace if tried.rule == rule)


def failing(read: Interpretation, rule: str) -> list[tuple[str, str]]:
    return [(check.text, check.why) for check in said(read, rule).checks if check.truth is not True]


def test_without_asking_there_is_no_trace() -> None:
    assert traced(told("a", NAME), RENAMED, trace=False).trace == ()


def test_a_firing_tells_what_it_took_and_a_later_rule_names_it() -> None:
    read = traced(told("a", NAME) + told("b", NAME), RENAMED)
    fired = said(read, "a")
    assert (fired.fired, fired.row, fired.event, fired.took) == (True, 0, 0, (Took(0, "name"),))
    assert [check.kind for check in fired.checks] == ["op", "changed"]
    assert fired.checks[1].saw == (("before.name", "Ann"), ("after.name", "Bob"))
    late = said(read, "b")
    assert (late.fired, late.event, failing(read, "b")) == (False, -1, [("changed: [name]", "name: taken by a")])
    assert late.checks[1].takers == ("a",)


@pytest.mark.parametrize(
    ("match", "text", "why"),
    [
        ("each: {table: customer, op: insert}", "op: insert", "the row's is update"),
        ("each: {table: customer, changed: [amount]}", "changed: [amount]", "none of them changed"),
        ("each: {table: customer, changed: [name], where: {name: Eve}}", "where name: Eve", "it is Bob"),
        ("each: {table: customer, changed: [name], where: {name: {not: Bob}}}", "where name: {not: Bob}", "it is Bob"),
        (
            "each: {table: customer, where: {name: {from: Eve, to: Bob}}}",
            "where name: {from: Eve, to: Bob}",
            "it went from Ann to Bob",
        ),
        (
            "each: {table: customer, changed: [name]}, with: {home: {table: address, op: insert}}",
            "home: {table: address, count: one}",
            "no row of address in the change set",
        ),
    ],
)
def test_a_test_that_fails_says_what_it_saw(match: str, text: str, why: str) -> None:
    assert failing(traced(told("a", match.replace(", with:", "\n    with:")), RENAMED), "a") == [(text, why)]


def parts(check: Check) -> list[tuple[str, object]]:
    return [(part.text, part.truth) for part in check.parts]


def test_a_when_is_taken_apart_into_its_conditions_and_what_they_read() -> None:
    rule = f"{NAME}\n    when: \"after.name == 'Eve' or (before.name == 'Ann' and not (row.amount is null))\""
    check = said(traced(told("a", rule), RENAMED), "a").checks[-1]
    assert (check.kind, check.truth) == ("when", True)
    assert parts(check) == [
        ("after.name == 'Eve'", False),
        ("before.name == 'Ann' and not row.amount is null", True),
    ]
    assert check.parts[0].saw == (("after.name", "Bob"),)
    assert parts(check.parts[1]) == [("before.name == 'Ann'", True), ("not row.amount is null", True)]


def test_a_companion_tells_of_its_nearest_row_which_test_fails() -> None:
    rule = f"{NAME}\n    with: {{home: {{table: address, op: insert, where: {{city: Rome}}}}}}"
    arrived: Row = (ADDRESS, "c", None, address(city="Oslo"))
    check = said(traced(told("a", rule), RENAMED, arrived), "a").checks[-1]
    assert (check.pattern, check.truth, check.why) == ("home", False, "0 of 1 rows of address fit")
    assert [(part.text, part.truth) for part in check.parts[0].parts] == [
        ("op: insert", True),
        ("where city: Rome", False),
    ]


def test_a_rule_that_cannot_be_decided_says_which_test_is_unknown() -> None:
    rule = told("a", "each: {table: customer, changed: [name], where: {status: active}}")
    read = traced(rule, (CUSTOMER, "u", customer(), lacking(customer(nm="Bob"), "sts")))
    assert read.failure is not None
    tried = said(read, "a")
    assert (tried.fired, tried.stopped_at) == (False, "undecided: missing")
    assert [(check.text, check.truth) for check in tried.checks if check.truth is not True] == [
        ("where status: active", MISSING)
    ]


def test_a_firing_that_fails_says_with_what() -> None:
    read = traced(
        told("a", NAME, "{{ after.status }}"), (CUSTOMER, "u", customer(), lacking(customer(nm="Bob"), "sts"))
    )
    assert (said(read, "a").fired, read.failure is not None) == (False, True)
    assert str(read.failure) == said(read, "a").stopped_at


def test_a_rule_fires_where_all_its_tests_are_true_and_the_trace_changes_nothing() -> None:
    mappings = load(ROOT / "mappings")
    books = books_of(mappings)
    tried = 0
    for unit in assemble(read_recording(ROOT / "tests" / "e2e" / "recording.jsonl.gz"), mappings):
        mapping = mapping_of_topic(unit.topic, mappings)
        assert mapping is not None
        for group in groups(unit):
            if group.broken:
                continue
            plan = books[mapping.name].plan
            whole = change_set(group, unit, mapping.name, ())
            plain, read = interpret(whole, plan), interpret(whole, plan, trace=True)
            assert (plain.events, plain.outcomes, plain.accounting) == (read.events, read.outcomes, read.accounting)
            for each in read.trace:
                tried += 1
                assert each.fired == all(check.truth is True for check in each.checks) or read.failure is not None
    assert tried > 5000
