"""Patterns and rules as the interpreter gets them."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.mapping.compiled import Count, Pattern, RowOp, Rule, WhereTest
from gateway.mapping.loader import load_text
from gateway.model.errors import ConfigError

from .rows import FakeRow, scope_of

FOLDER = Path(__file__).parents[2] / "golden/mapping/faults"
HEAD = (FOLDER / "good.yaml").read_text().split("rules:\n")[0]


def noise(*lines: str) -> Rule:
    body = "".join(f"    {line}\n" for line in lines)
    return load_text(f"{HEAD}rules:\n  - noise: n\n    because: b\n{body}", FOLDER).rules[0]


def anchor(pattern: str) -> Pattern:
    found = noise(f"each: {pattern}").anchor
    assert found is not None
    return found


def refused(*lines: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        noise(*lines)
    return [fault.what for fault in caught.value.faults]


def test_groups_stand_for_their_columns() -> None:
    assert anchor("{table: address, changed: [place, balance]}").changed == {"street", "city", "balance"}


def test_any_is_every_declared_column_but_bookkeeping() -> None:
    rule = load_text(
        f"{HEAD}rules:\n  - rule: r\n    event: AddressState\n    each: {{table: address, changed: any}}\n"
        '    data: {customerId: "{{ key.customerId }}", kind: "{{ after.kind }}"}\n',
        FOLDER,
    ).rules[0]
    assert rule.anchor is not None
    assert rule.anchor.changed == {"addressId", "customerId", "kind", "street", "city", "balance", "validTo"}


@pytest.mark.parametrize(
    ("pattern", "ops"),
    [
        ("{table: address, changed: [city]}", {"update"}),
        ("{table: address, where: {city: {to: x}}}", {"update"}),
        ("{table: address, where: {city: {from: x}}}", {"update"}),
        ("{table: address, op: insert}", {"insert"}),
        ("{table: address, op: [insert, update], changed: [city]}", {"insert", "update"}),
        ("{table: address, op: insert, where: {city: {to: x}}}", {"insert"}),
        ("{table: address, op: [leaves, arrives]}", {"leaves", "arrives"}),
    ],
)
def test_changed_from_and_to_imply_an_update_where_op_is_left_out(pattern: str, ops: set[str]) -> None:
    assert anchor(pattern).ops == {RowOp(op) for op in ops}


@pytest.mark.parametrize(
    ("test", "compiled"),
    [
        ("{kind: legal}", WhereTest("kind", ("legal",))),
        ("{kind: [legal, null]}", WhereTest("kind", ("legal", None))),
        ("{kind: null}", WhereTest("kind", (None,))),
        ("{city: 'null'}", WhereTest("city", ("null",))),
        ("{kind: {not: [legal]}}", WhereTest("kind", ("legal",), negated=True)),
        ("{addressId: 007}", WhereTest("addressId", (7,))),
        ("{balance: 1.50}", WhereTest("balance", (Decimal("1.50"),))),
        ("{validTo: 2026-01-02}", WhereTest("validTo", (dt.date(2026, 1, 2),))),
        ("{city: NO}", WhereTest("city", ("NO",))),
        ("{changedBy: GEO}", WhereTest("changedBy", ("GEO",))),
        ("{kind: {from: legal}}", WhereTest("kind", transition=True, was=("legal",))),
        (
            "{kind: {from: null, to: [legal, null]}}",
            WhereTest("kind", transition=True, was=(None,), became=("legal", None)),
        ),
    ],
)
def test_where_holds_domain_values(test: str, compiled: WhereTest) -> None:
    found = anchor(f"{{table: address, changed: [city], where: {test}}}").where[0]
    assert WhereTest(found.column, found.equals, found.negated, found.transition, found.was, found.became) == compiled
    assert found.line == 37


def test_what_an_update_takes_is_changed_transitions_and_explained() -> None:
    assert anchor(
        "{table: address, changed: [place], where: {kind: {to: legal}, balance: 1}, explains: [validTo]}"
    ).takes == {"street", "city", "kind", "validTo"}


def test_a_witness_takes_nothing() -> None:
    text = f"{HEAD}rules:\n  - noise: n\n    because: b\n    each: {{table: address, changed: [city]}}\n"
    text += "    with: {proof: {table: customer, changed: [name], explains: nothing}}\n"
    companion = load_text(text, FOLDER).rules[0].companions[0]
    assert (companion.witness, companion.takes, companion.changed) == (True, frozenset(), {"name"})


def test_counts_and_the_companions_own_when() -> None:
    rule = noise(
        "each: {table: address, changed: [city]}",
        "with: {c: {table: customer, op: [insert, delete], count: at most one, when: row.name == 'a' and cleansing}}",
    )
    companion = rule.companions[0]
    assert (companion.name, companion.count) == ("c", Count.AT_MOST_ONE)
    assert companion.when is not None
    row = FakeRow("insert", None, {"name": "a", "changedBy": "GEO"})
    assert companion.when(scope_of(row)) is True


def test_a_once_rule_has_no_anchor() -> None:
    rule = noise("once: {a: {table: address, op: delete}, b: {table: address, op: insert, count: any}}")
    assert rule.anchor is None
    assert [pattern.count for pattern in rule.companions] == [Count.ONE, Count.ANY]


def test_rules_patterns_and_tests_know_their_lines() -> None:
    rule = noise("each:", "  table: address", "  op: insert", "  where:", "    kind: legal")
    assert rule.anchor is not None
    assert (rule.line, rule.anchor.line, rule.anchor.where[0].line) == (35, 38, 41)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["once: {a: {table: address, op: insert, count: none}}"], "the rule takes nothing"),
        (["once: {a: {table: address, op: insert, explains: nothing}}"], "the rule takes nothing"),
        (["each: {table: address, op: snapshot}"], "only a rule with `intent: state` may speak of snapshots"),
        (["each: {table: address, changed: [city]}", "with: {c: {table: customer, op: snapshot}}"],
         "only a rule with `intent: state` may speak of snapshots"),
        (["each: {table: address, changed: [city], count: one}"], "a pattern has no key `count`"),
        (["once: {a: {table: address, op: insert, same: [kind]}}"], "a pattern has no key `same`"),
        (["each: {table: address, op: insert, explains: [city]}"], "`explains` without an update"),
        (["each: {table: address, changed: [city], explains: any}"], "`any` is no column"),
        (["each: {table: address, changed: [city, any]}"], "`any` is no column"),
        (["each: {table: address, changed: [city], where: {place: x}}"], "`place` is a group"),
        (["each: {table: address, changed: [city], where: {kind: {}}}"], "an empty test"),
        (["each: {table: address, changed: [city]}", "with: {c: {table: customer, op: insert, same: [status]}}"],
         "the anchor's table `address` has no column `status`"),
        (["each: {table: address, changed: [city]}", "intent: fact"], "`intent` in a noise rule"),
        (["each: {table: address, changed: [city]}", "on_error: deadletter"],
         "`on_error: deadletter` lets later changes overtake"),
        (["each: {table: address, changed: [city]}", "with: {cleansing: {table: customer, op: insert}}"],
         "`cleansing` is a condition already"),
    ],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(lines: list[str], what: str) -> None:
    assert refused(*lines) == [what]
