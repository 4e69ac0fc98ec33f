"""A condition is checked though no rule uses it: some table's row must fit it."""

from pathlib import Path

import pytest

from gateway.mapping.loader import load
from gateway.model.errors import ConfigError, Fault
from tests.unit.pipeline.interpreted import FOLDER, HEAD, TABLES, mapped, noise, told

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


def shared(folder: Path, condition: str, *rules: str) -> list[Fault]:
    (folder / "shared").mkdir()
    (folder / "shared" / "tests.yaml").write_text(f"conditions:\n  c: {condition}\n")
    for number, rule in enumerate(rules):
        (folder / f"m{number}").mkdir()
        (folder / f"m{number}" / "events").symlink_to(FOLDER / "events")
        text = f"{HEAD}use: [../shared/tests.yaml]\n{TABLES}rules:\n{rule}"
        for word in ("mapping: customer", "crm.cust", "crm.addr", "legacy.customer.raw"):
            text = text.replace(word, f"{word}{number}")
        if number:
            text = text.replace("{as: name}", "{as: surname}")
        (folder / f"m{number}" / f"m{number}.yaml").write_text(text)
    try:
        load(folder)
    except ConfigError as error:
        return list(error.faults)
    return []


def test_a_shared_condition_must_fit_a_row_of_some_mapping_that_has_its_file(tmp_path: Path) -> None:
    other = noise("n", "each: {table: customer, changed: [surname]}")
    assert shared(tmp_path, "row.surname == 'x'", RULE, other) == []


def test_a_shared_condition_that_fits_none_is_a_fault_of_its_file(tmp_path: Path) -> None:
    (fault,) = shared(tmp_path, "row.nmae == 'x'", RULE, noise("n", "each: {table: customer, changed: [surname]}"))
    assert (fault.file, fault.line, "no column `nmae`" in fault.what) == ("shared/tests.yaml", 2, True)


def test_a_shared_condition_that_a_rule_uses_is_faulted_at_the_rule_alone(tmp_path: Path) -> None:
    used = told("r", "each: {table: customer, changed: [name]}", more="    when: c\n")
    (fault,) = shared(tmp_path, "row.nmae == 'x'", used)
    assert fault.file == "m0/m0.yaml"


def test_a_shared_condition_of_a_file_that_no_mapping_uses_is_parsed_only(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "unused.yaml").write_text("conditions:\n  d: row.nmae == 'x'\n")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "m.yaml").write_text(f"{HEAD}{TABLES}rules:\n{RULE}")
    assert len(load(tmp_path)) == 1
