"""A condition is checked though no rule uses it: some table's row must fit it."""

import pytest

from gateway.model.errors import ConfigError, Fault
from tests.unit.pipeline.interpreted import mapped, noise, told

RULE = noise("n", "each: {table: customer, changed: [name]}")


def faults(condition: str, rules: str = RULE) -> list[Fault]:
    try:
        mapped(rules, more=f"conditions:\n  c: {condition}\n")
    except ConfigError as error:
        return list(error.faults)
    return []


@pytest.mark.parametrize(
    "condition",
    [
        "row.name == 'x'",
        "row.street == 'x' and row.kind == 'legal'",
        "before.name != after.name and row.name is changed",
        "before.name == 'x' and other.customerId == 8",
        "after.name == 'x' and other.customerId == 8",
        "key.customerId == 7 and transaction.id == 1",
    ],
)
def test_a_condition_that_fits_a_row_of_some_table_loads(condition: str) -> None:
    assert faults(condition) == []


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ("row.nmae == 'x'", "the table `customer` has no column `nmae`"),
        ("row.name == 'x' and row.street == 'x'", "the table `customer` has no column `street`"),
        ("row.status == 'gone'", "`gone` is none of the possible values"),
        ("row.amount == 'x'", "decimal is compared with text"),
        ("row.name", "a test is wanted here, not text"),
        ("elsewhere", "unknown name `elsewhere`"),
        ("log is present", "`is present` is asked of a companion"),
    ],
)
def test_a_condition_that_fits_no_row_is_a_fault_at_its_place(condition: str, what: str) -> None:
    (fault,) = faults(condition)
    assert what in fault.what
    assert (fault.line, "the condition `c`" in fault.what) == (6, True)
    assert fault.column >= 6


def test_a_condition_that_a_rule_uses_is_not_faulted_twice() -> None:
    used = told("r", "each: {table: customer, changed: [name]}", more="    when: c\n")
    assert len(faults("row.nmae == 'x'", used)) == 1


def test_conditions_in_conditions_are_looked_into_and_a_fault_elsewhere_hides_what_follows() -> None:
    with pytest.raises(ConfigError) as caught:
        mapped(RULE, more="conditions:\n  a: row.nmae == 'x'\n  b: a or row.name == 'y'\n")
    assert [fault.line for fault in caught.value.faults] == [6, 7]
    with pytest.raises(ConfigError) as caught:
        mapped(RULE, more="conditions:\n  a: row.nmae ==\n  b: a or row.name == 'y'\n")
    assert [fault.line for fault in caught.value.faults] == [6]
