"""Section 6's tables for every operator on every type; null and unavailable through every filter."""

import datetime as dt
import itertools
from decimal import Decimal

import pytest

from gateway.mapping.compiled import RowOp
from gateway.mapping.expressions.compiler import compile_expression, compile_test
from gateway.mapping.expressions.filters import FILTERS
from gateway.mapping.expressions.names import CodeTable, LookupNames, Names, RowShape
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.kinds import Kind, Type
from gateway.model.values import MISSING, UNREADABLE, UNSENT, Unavailable, Value

from .rows import FakeRow, scope_of

PAIRS: dict[Kind, tuple[Value, Value]] = {
    Kind.TEXT: ("a", "b"),
    Kind.INT: (1, 2),
    Kind.DECIMAL: (Decimal("1.0"), Decimal("1.50")),
    Kind.BOOL: (False, True),
    Kind.BYTES: (b"a", b"b"),
    Kind.DATE: (dt.date(2026, 1, 1), dt.date(2026, 1, 2)),
    Kind.TIMESTAMP: (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 2, tzinfo=dt.UTC)),
}
REASONS = (UNSENT, MISSING, UNREADABLE)
ORDERED = ("<", "<=", ">", ">=")


def ask(text: str, kind: Kind, left: Value, right: Value, other: Kind | None = None) -> Value:
    shape = RowShape("t", {"l": Type(kind), "r": Type(other or kind)}, frozenset({RowOp.UPDATE}))
    row = FakeRow("update", {}, {"l": left, "r": right})
    return compile_test(text, Names(anchor=shape)).run(scope_of(row))


@pytest.mark.parametrize("kind", PAIRS)
def test_every_operator_on_known_values_of_every_type(kind: Kind) -> None:
    low, high = PAIRS[kind]
    for left, right in itertools.product((low, high), repeat=2):
        assert ask("row.l == row.r", kind, left, right) is (left == right)
        assert ask("row.l != row.r", kind, left, right) is (left != right)
        if kind in (Kind.BOOL, Kind.BYTES):
            continue
        assert ask("row.l < row.r", kind, left, right) is (left < right)  # type: ignore[operator]
        assert ask("row.l <= row.r", kind, left, right) is (left <= right)  # type: ignore[operator]
        assert ask("row.l > row.r", kind, left, right) is (left > right)  # type: ignore[operator]
        assert ask("row.l >= row.r", kind, left, right) is (left >= right)  # type: ignore[operator]


@pytest.mark.parametrize("kind", PAIRS)
def test_null_and_unavailable_of_every_type(kind: Kind) -> None:
    value = PAIRS[kind][0]
    for test in ("==", "!=", *(() if kind in (Kind.BOOL, Kind.BYTES) else ORDERED)):
        assert ask(f"row.l {test} row.r", kind, None, None) is (test == "==")
        for left, right in ((None, value), (value, None)):
            assert ask(f"row.l {test} row.r", kind, left, right) is (test == "!=")
        for reason, known in itertools.product(REASONS, (None, value)):
            assert ask(f"row.l {test} row.r", kind, reason, known) is reason
            assert ask(f"row.l {test} row.r", kind, known, reason) is reason
    assert ask("row.l is null", kind, None, None) is True
    assert ask("row.l is null", kind, value, None) is False
    for reason in REASONS:
        assert ask("row.l is null", kind, reason, None) is reason
        assert ask("row.l is unavailable", kind, reason, None) is True
        assert ask("row.l is changed", kind, reason, None) is False
    assert ask("row.l is unavailable", kind, None, None) is False


@pytest.mark.parametrize(
    ("text", "value", "truth"),
    [
        ("row.l in ['a', 'b']", "a", True),
        ("row.l in ['a', 'b']", "c", False),
        ("row.l in ['a', null]", None, True),
        ("row.l in ['a']", None, False),
        ("row.l not in ['a']", None, True),
        ("row.l not in ['a']", "a", False),
        ("row.l in ['a', null]", UNSENT, UNSENT),
        ("row.l not in ['a']", MISSING, MISSING),
        ("not (row.l in ['a'])", UNREADABLE, UNREADABLE),
        ("'x' if row.l == 'a' else 'y'", UNSENT, UNSENT),
    ],
)
def test_in_is_equality_with_each_item(text: str, value: Value, truth: Value) -> None:
    shape = RowShape("t", {"l": Type(Kind.TEXT)}, frozenset({RowOp.UPDATE}))
    run = compile_expression(text, Names(anchor=shape)).run
    assert run(scope_of(FakeRow("update", {}, {"l": value}))) is truth


@pytest.mark.parametrize(("left", "right"), list(itertools.combinations(PAIRS, 2)))
def test_operands_are_of_one_type_or_a_number_and_an_int(left: Kind, right: Kind) -> None:
    if {left, right} == {Kind.INT, Kind.DECIMAL}:
        assert ask("row.l < row.r", left, PAIRS[left][0], PAIRS[right][1], right) is True
        return
    with pytest.raises(ExpressionFault):
        ask("row.l == row.r", left, None, None, right)


ARGUMENTS = {
    "decimal": "(2)", "date": "('yyyymmdd')", "decode": "('sex')", "chars": "(1, 2)", "replace": "('a', 'b')",
    "pad_left": "(3, '0')", "mask": "(1)", "round": "(1)", "default": "(row.d)", "if_unavailable": "(row.d)",
    "lookup": "('branch', 'name')",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_null_in_null_out_and_unavailable_in_unavailable_out_of_every_filter(name: str) -> None:
    codes = {"sex": CodeTable({"M": "male"}, Type(Kind.TEXT, frozenset({"male"})))}
    lookups = LookupNames(frozenset({"branch"}))
    for kind in sorted(FILTERS[name].takes, key=str):
        shape = RowShape("t", {"l": Type(kind), "d": Type(kind)}, frozenset({RowOp.UPDATE}))
        names = Names(anchor=shape, codes=codes, lookups=lookups)
        run = compile_expression(f"row.l | {name}{ARGUMENTS.get(name, '')}", names).run
        fallback = PAIRS[kind][1]

        def give(value: Value) -> Value:
            return run(scope_of(FakeRow("update", {}, {"l": value, "d": fallback})))  # noqa: B023

        assert give(None) == (fallback if name == "default" else None)
        for reason in REASONS:
            assert give(reason) == (fallback if name == "if_unavailable" else reason)


@pytest.mark.parametrize("joined", ["row.l ~ row.r", "row.l + row.r", "row.l - row.r", "row.l * row.r"])
def test_unavailable_before_null_before_a_result(joined: str) -> None:
    shape = RowShape("t", {"l": Type(Kind.INT), "r": Type(Kind.INT)}, frozenset({RowOp.UPDATE}))
    run = compile_expression(joined, Names(anchor=shape)).run
    for left, right in itertools.product((1, None, *REASONS), repeat=2):
        result = run(scope_of(FakeRow("update", {}, {"l": left, "r": right})))
        unknown = [value for value in (left, right) if isinstance(value, Unavailable)]
        if unknown:
            assert result is max(unknown, key=REASONS.index)
        else:
            assert (result is None) == (None in (left, right))


NINES = "9" * 38


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"{NINES} + 0", int(NINES)),
        (f"{NINES} + 1", UNREADABLE),
        (f"0 - {NINES} - 1", UNREADABLE),
        (f"{NINES} * 10", UNREADABLE),
        (f"'{NINES}' | int", int(NINES)),
        (f"'1{NINES}' | int", UNREADABLE),
        (f"'{NINES}' | decimal(1)", UNREADABLE),
        (f"('{NINES}' | decimal(0)) * 1", Decimal(NINES)),
        ("('0.1' | decimal(38)) * ('0.1' | decimal(1))", UNREADABLE),
        ("('0.1' | decimal(1)) + ('0.2' | decimal(1)) == ('0.3' | decimal(1))", True),
        ("'a' | pad_left(256, 'x') | length", 256),
    ],
)
def test_numbers_are_exact_to_38_digits_and_unreadable_beyond(text: str, value: Value) -> None:
    assert compile_expression(text, Names()).run(scope_of()) == value


def test_a_text_result_of_64_kib_is_the_most() -> None:
    shape = RowShape("t", {"l": Type(Kind.TEXT)}, frozenset({RowOp.UPDATE}))
    run = compile_expression("row.l ~ row.l", Names(anchor=shape)).run
    assert run(scope_of(FakeRow("update", {}, {"l": "x" * 32768}))) == "x" * 65536
    assert run(scope_of(FakeRow("update", {}, {"l": "x" * 32769}))) is UNREADABLE
    assert run(scope_of(FakeRow("update", {}, {"l": "ä" * 16385}))) is UNREADABLE


def test_a_hundred_nodes_are_the_most() -> None:
    many = " and ".join(["row.l == 1"] * 20)
    shape = RowShape("t", {"l": Type(Kind.INT)}, frozenset({RowOp.UPDATE}))
    with pytest.raises(ExpressionFault, match="parts"):
        compile_test(many, Names(anchor=shape))
    compile_test(" and ".join(["row.l == 1"] * 16), Names(anchor=shape))
