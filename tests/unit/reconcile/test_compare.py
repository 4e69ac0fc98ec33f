"""Rows of consumers against rows of legacy."""

from gateway.reconcile.compare import DifferenceKind, ViewRow, compare


def row(key: int, aggregate: str = "Customer/1", **values: object) -> ViewRow:
    return ViewRow("customer", aggregate, (key,), values)


def test_equal_rows_have_no_differences() -> None:
    assert compare([row(1, name="Ada")], [row(1, name="Ada")], frozenset()).differences == ()


def test_a_row_only_legacy_has_is_missing_and_one_only_consumers_have_is_extra() -> None:
    found = compare([row(1)], [row(2)], frozenset()).differences
    assert {(d.kind, d.key) for d in found} == {(DifferenceKind.MISSING, (1,)), (DifferenceKind.EXTRA, (2,))}


def test_each_column_that_differs_is_named_with_both_values() -> None:
    (found,) = compare(
        [row(1, name="Ada", status="active")], [row(1, name="Eve", status="active")], frozenset()
    ).differences
    assert (found.column, found.legacy, found.projected) == ("name", "Ada", "Eve")


def test_a_column_one_side_lacks_differs_even_from_null() -> None:
    (found,) = compare([row(1, name=None)], [row(1)], frozenset()).differences
    assert found.column == "name"


def test_rows_of_parked_aggregates_are_counted_apart() -> None:
    result = compare([row(1, "Customer/9", name="old")], [row(1, "Customer/9", name="new")], frozenset({"Customer/9"}))
    assert (result.differences, result.parked_rows, result.compared_rows) == ((), 1, 0)
