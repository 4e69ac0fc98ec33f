"""Two rules of one event type that can both fire on one row need a slot, and no others do."""

from pathlib import Path

import pytest

from gateway.mapping.loader import load_text
from gateway.model.errors import ConfigError

FOLDER = Path(__file__).parents[2] / "golden/mapping/faults"
HEAD = (FOLDER / "good.yaml").read_text().split("rules:\n")[0]
DATA = 'data: {customerId: "{{ key.customerId }}", kind: legal, address: {street: x, city: y}}'


def rules(*bodies: str) -> str:
    listed = [
        f"  - rule: r{number}\n    event: AddressChanged\n    {body}\n    {DATA}" for number, body in enumerate(bodies)
    ]
    return HEAD + "rules:\n" + "\n".join(listed) + "\n"


def clashes(*bodies: str) -> bool:
    try:
        load_text(rules(*bodies), FOLDER)
    except ConfigError as error:
        assert all("can both publish AddressChanged for one row" in fault.what for fault in error.faults), error
        return True
    return False


STREET = "each: {table: address, changed: [street]}"
CITY = "each: {table: address, changed: [city]}"
PLACE = "each: {table: address, changed: [place]}"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (STREET, CITY),
        (STREET, PLACE),
        ("each: {table: address, changed: [street], explains: nothing}", STREET),
        (STREET, "each: {table: address, changed: [street], explains: nothing}"),
        ("each: {table: address, op: insert, explains: nothing}", "each: {table: address, op: insert}"),
        (STREET, "each: {table: address, where: {balance: {to: 0}}}"),
        (STREET, "once: {a: {table: address, op: insert}}"),
        ("once: {a: {table: address, op: insert}}", "once: {a: {table: address, op: delete}}"),
        (
            "each: {table: address, changed: [street], where: {kind: {not: legal}}}",
            "each: {table: address, changed: [city], where: {kind: residential}}",
        ),
        (
            "each: {table: address, changed: [street]}\n    when: row.city == 'a' or row.city == 'b'",
            "each: {table: address, changed: [city]}\n    when: row.city == 'c'",
        ),
        (
            "each: {table: address, changed: [street]}\n    when: before.city == 'a'",
            "each: {table: address, changed: [city]}\n    when: after.city == 'b'",
        ),
    ],
)
def test_two_rules_that_can_both_fire_on_a_row_need_a_slot(first: str, second: str) -> None:
    assert clashes(first, second)
    assert not clashes(first, f"slot: other\n    {second}")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (PLACE, STREET),
        (STREET, STREET),
        (STREET, "each: {table: address, op: insert}"),
        (STREET, "each: {table: customer, changed: [name]}"),
        ("each: {table: address, op: insert}", "each: {table: address, op: insert}"),
        ("each: {table: address, op: [insert, delete]}", "each: {table: address, op: delete}"),
        ("each: {table: address, changed: [street], explains: [city]}", CITY),
        (
            "each: {table: address, changed: [street], where: {kind: legal}}",
            "each: {table: address, changed: [city], where: {kind: residential}}",
        ),
        (
            "each: {table: address, changed: [street], where: {kind: legal}}",
            "each: {table: address, changed: [city], where: {kind: {not: legal}}}",
        ),
        (
            "each: {table: address, changed: [street], where: {kind: {to: legal}}}",
            "each: {table: address, changed: [city], where: {kind: residential}}",
        ),
        (
            "each: {table: address, where: {kind: {from: legal, to: residential}}}",
            "each: {table: address, where: {kind: {from: residential, to: legal}}}",
        ),
        (
            "each: {table: address, changed: [street]}\n    when: cleansing",
            "each: {table: address, changed: [city]}\n    when: not cleansing",
        ),
        (
            "each: {table: address, changed: [street]}\n    when: cleansing and row.city == 'a'",
            "each: {table: address, changed: [city]}\n    when: row.city in ['b', 'c']",
        ),
        (
            "each: {table: address, changed: [street]}\n    when: row.validTo is null",
            "each: {table: address, changed: [city]}\n    when: row.validTo is not null",
        ),
        (
            "each: {table: address, changed: [street], where: {kind: legal}}",
            "each: {table: address, changed: [city]}\n    when: after.kind == 'residential'",
        ),
        ("slot: a\n    each: {table: address, changed: [street]}", f"slot: b\n    {CITY}"),
    ],
)
def test_rules_that_exclude_each_other_need_none(first: str, second: str) -> None:
    assert not clashes(first, second)


def test_rules_of_different_events_never_clash() -> None:
    text = rules(STREET, CITY).replace("event: AddressChanged", "event: AddressState", 1)
    text = text.replace(", address: {street: x, city: y}}", "}", 1)
    assert load_text(text, FOLDER).rules[1].event == "AddressChanged"
