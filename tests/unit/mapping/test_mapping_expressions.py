"""Expressions: what they give, in three-valued logic, and what is refused."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.mapping.compiled import RowOp, Scope
from gateway.mapping.expressions.compiler import compile_expression, compile_test
from gateway.mapping.expressions.filters import FILTERS
from gateway.mapping.expressions.names import CodeTable, Companion, LookupNames, Names, RowShape
from gateway.mapping.expressions.syntax import ExpressionFault, parse
from gateway.mapping.kinds import Kind, Type
from gateway.model.lookup import ReferenceEntry
from gateway.model.values import MISSING, UNREADABLE, UNSENT, Unavailable, Value
from gateway.pipeline.lookups import LookupDesk

from .rows import FakeRow, scope_of

TYPES = {
    "name": Type(Kind.TEXT),
    "status": Type(Kind.TEXT, frozenset({"active", "merged"})),
    "deleted": Type(Kind.BOOL),
    "number": Type(Kind.INT),
    "balance": Type(Kind.DECIMAL),
    "born": Type(Kind.DATE),
    "seen": Type(Kind.TIMESTAMP),
    "blob": Type(Kind.BYTES),
}
UPDATE = RowShape("customer", TYPES, frozenset({RowOp.UPDATE}))
LEAVES = RowShape("customer", TYPES, frozenset({RowOp.LEAVES}))
CODES = {"sex": CodeTable({"M": "male", "F": "female"}, Type(Kind.TEXT, frozenset({"male", "female"})))}
NAMES = Names(
    anchor=UPDATE,
    companions={"log": Companion(UPDATE, is_list=False), "rows": Companion(UPDATE, is_list=True)},
    key={"customerId": Type(Kind.INT)},
    conditions={"merged": parse("row.status == 'merged'"), "odd": parse("not merged and row.number == 1"), "bad": None},
    codes=CODES,
)
ROW = FakeRow(
    "update",
    {"name": "a", "status": "active", "number": 1, "deleted": False},
    {"name": "b", "status": "merged", "number": 1, "deleted": True, "balance": Decimal("1.50"), "born": None},
    frozenset({"name", "status", "deleted"}),
)


class Branches:
    """One lookup with one entry."""

    def find(self, lookup: str, key: str) -> ReferenceEntry | None:
        return ReferenceEntry({"name": "Bern"}, "ref.branch", 0, 4) if (lookup, key) == ("branch", "B1") else None

    def as_of(self, timestamp_ms: int) -> "Branches":
        return self

    def awaits(self, lookup: str, key: str) -> bool:
        return False


def give(text: str, row: FakeRow = ROW, **companions: object) -> Value:
    return compile_expression(text, NAMES).run(scope_of(row, {"customerId": 7}, **companions))


def ask(text: str, **values: Value) -> Value:
    return compile_test(text, NAMES).run(scope_of(FakeRow("update", {}, values)))


def refused(text: str, names: Names = NAMES) -> ExpressionFault:
    with pytest.raises(ExpressionFault) as caught:
        compile_test(text, names)
    return caught.value


@pytest.mark.parametrize(
    ("source", "result"), [example for each in FILTERS.values() for example in each.examples], ids=str
)
def test_every_example_of_every_filter_holds(source: str, result: Value) -> None:
    names = Names(codes=CODES, lookups=LookupNames(frozenset({"branch"})))
    got = compile_expression(source, names).run(Scope(None, {}, {}, {}, lookups=LookupDesk(Branches())))
    assert got == result
    assert type(got) is type(result)


def test_every_filter_of_the_specification_is_there_and_has_examples() -> None:
    assert sorted(FILTERS) == [
        *("chars", "date", "decimal", "decode", "default", "if_unavailable", "int", "length", "lookup", "lower"),
        *("mask", "pad_left", "replace", "round", "text", "trim", "upper"),
    ]
    assert all(each.doc and each.examples for each in FILTERS.values())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("before.name", "a"),
        ("after.name", "b"),
        ("row.name", "b"),
        ("op", "update"),
        ("key.customerId", 7),
        ("after.name ~ '-' ~ key.customerId", "b-7"),
        ("after.number + 2 * 3", 7),
        ("after.balance * 2 - 1", Decimal("2.00")),
        ("-after.number", -1),
        ("'x' if after.deleted else 'y'", "x"),
        ("after.born | default('19000101' | date('yyyymmdd'))", dt.date(1900, 1, 1)),
        ("after.number == after.balance", False),
        ("after.number < after.balance", True),
        ("not after.status in ['active']", True),
        ("row.name is changed", True),
        ("row.number is changed", False),
        ("after.name is not null", True),
        ("after.number in [1, 2, -3]", True),
        ("after.born in [null]", True),
        ("null", None),
        ("' a' | trim | upper ~ 'x'", "Ax"),
    ],
)
def test_an_expression_gives_a_typed_value(text: str, value: Value) -> None:
    assert give(text) == value


T, F = True, False
TRUTHS: dict[str, Value] = {"T": True, "F": False, "U": UNSENT}


@pytest.mark.parametrize(
    ("left", "right", "conjunction", "disjunction"),
    [
        ("T", "T", T, T),
        ("T", "F", F, T),
        ("F", "T", F, T),
        ("F", "F", F, F),
        ("T", "U", UNSENT, T),
        ("U", "T", UNSENT, T),
        ("F", "U", F, UNSENT),
        ("U", "F", F, UNSENT),
        ("U", "U", UNSENT, UNSENT),
    ],
)
def test_and_and_or_follow_the_truth_table(left: str, right: str, conjunction: Value, disjunction: Value) -> None:
    names = Names(anchor=replace(UPDATE, columns={"l": Type(Kind.BOOL), "r": Type(Kind.BOOL)}))
    scope = scope_of(FakeRow("update", {}, {"l": TRUTHS[left], "r": TRUTHS[right]}))
    assert compile_test("row.l and row.r", names).run(scope) is conjunction
    assert compile_test("row.l or row.r", names).run(scope) is disjunction


@pytest.mark.parametrize(("value", "result"), [(True, False), (False, True), (UNSENT, UNSENT), (None, True)])
def test_not_follows_the_truth_table_and_null_is_not_true(value: Value, result: Value) -> None:
    assert ask("not row.deleted", deleted=value) is result


@pytest.mark.parametrize(
    ("test", "nulls", "null_and_value"),
    [("==", T, F), ("!=", F, T), ("<", F, F), ("<=", F, F), (">", F, F), (">=", F, F)],
)
def test_comparisons_with_null_and_unavailable_follow_the_truth_table(
    test: str, nulls: bool, null_and_value: bool
) -> None:
    names = Names(anchor=replace(UPDATE, columns={"l": Type(Kind.INT), "r": Type(Kind.INT)}))
    run = compile_test(f"row.l {test} row.r", names).run

    def of(left: Value, right: Value) -> Value:
        return run(scope_of(FakeRow("update", {}, {"l": left, "r": right})))

    assert of(None, None) is nulls
    assert of(None, 1) is null_and_value
    assert of(1, None) is null_and_value
    for other in (None, 1, UNSENT):
        assert of(UNSENT, other) is UNSENT
        assert of(other, UNSENT) is UNSENT


def test_in_compares_each_item_as_equal() -> None:
    assert ask("row.number in [null, 2]", number=None) is True
    assert ask("row.number in [1, 2]", number=None) is False
    assert ask("row.number not in [1, 2]", number=3) is True
    assert ask("row.number in [1, 2]", number=MISSING) is MISSING


def test_is_null_is_unknown_of_unavailable_and_is_unavailable_never_is() -> None:
    assert [ask("row.name is null", name=value) for value in (None, "a", UNSENT)] == [True, False, UNSENT]
    assert [ask("row.name is unavailable", name=value) for value in (None, "a", UNSENT)] == [False, False, True]
    assert compile_test("row.name is changed", NAMES).run(scope_of(FakeRow("insert", None, {}))) is False


def test_unavailable_comes_before_null_and_null_before_a_result() -> None:
    assert ask("(row.number + row.balance) is null", number=None, balance=Decimal(1)) is True
    assert ask("(row.number + row.balance) is null", number=None, balance=UNSENT) is UNSENT
    assert ask("(row.name ~ row.number) is null", name=None, number=UNSENT) is UNSENT
    assert give("after.born | text") is None
    assert give("'x' if after.seen is null else 'y'") is MISSING


def test_the_worst_reason_of_two_unknowns_decides() -> None:
    assert ask("row.number == row.balance", number=UNSENT, balance=UNREADABLE) is UNREADABLE
    assert ask("row.number == row.balance", number=MISSING, balance=UNSENT) is MISSING
    assert ask("row.number == 1 and row.balance == 1", number=MISSING, balance=UNREADABLE) is UNREADABLE


def test_if_unavailable_catches_unavailable_and_default_catches_null_only() -> None:
    assert ask("(row.number | default(0)) == 0", number=UNSENT) is UNSENT
    assert ask("(row.number | if_unavailable(0)) == 0", number=UNSENT) is True
    assert ask("(row.number | if_unavailable(0)) is null", number=None) is True


@pytest.mark.parametrize(
    "text",
    [
        "99999999999999999999999999999999999999 + 1",
        "99999999999999999999 * 99999999999999999999",
        "('0.0000000000000000001' | decimal(19)) * ('0.00000000000000000001' | decimal(20))",
        "'abc' | int",
        "'1' | pad_left(256, 'x') | replace('x', '" + "y" * 900 + "')",
        "('99999999999999999999999999999999999999' | int) | round(38)",
        "'20260230' | date('yyyymmdd')",
        "'Q' | decode('sex')",
    ],
)
def test_what_fails_is_unreadable_and_never_raises(text: str) -> None:
    assert give(text) is UNREADABLE


def test_a_text_of_ten_megabytes_passes_but_no_longer_result_is_made_of_it() -> None:
    big = FakeRow("update", {}, {"name": "x" * 10_000_000})
    assert give("after.name", big) == "x" * 10_000_000
    for text in (
        "after.name | upper",
        "after.name ~ 'y'",
        "after.name | replace('x', 'yyyyyyyyyy')",
        "after.name | mask(1)",
    ):
        assert give(text, big) is UNREADABLE
    assert give("after.name | chars(1, 3)", big) == "xxx"
    assert give("after.name | length", big) == 10_000_000


def test_a_companion_is_a_row_a_list_or_unavailable() -> None:
    assert give("log.after.name", log=ROW) == "b"
    assert give("log.op", log=ROW) == "update"
    assert give("log.row.name is null", log=None) is True
    assert [give("log is present", log=each) for each in (ROW, None, UNSENT)] == [True, False, False]
    assert [give("rows is present", rows=each) for each in ([ROW], [], UNSENT)] == [True, False, False]
    assert [give("rows | length", rows=each) for each in ([ROW, ROW], [], UNSENT)] == [2, 0, UNSENT]
    assert give("log.row.name", log=UNREADABLE) is UNREADABLE
    assert give("log is unavailable", log=UNREADABLE) is True


def test_conditions_use_others_and_belong_to_the_row_of_the_rule() -> None:
    assert ask("merged", status="merged") is True
    assert ask("odd", status="active", number=1) is True
    assert ask("odd", status="merged", number=UNSENT) is False


def test_the_far_key_is_known_where_the_row_leaves() -> None:
    names = replace(NAMES, anchor=LEAVES)
    row = FakeRow("leaves", {"name": "a"}, None, other={"customerId": 9})
    assert compile_expression("other.customerId", names).run(scope_of(row)) == 9
    assert compile_expression("row.name", names).run(scope_of(row)) == "a"


@pytest.mark.parametrize(
    ("text", "offset", "what"),
    [
        ("f(1)", 1, "a call is refused"),
        ("row.name()", 8, "a call is refused"),
        ("row.name.__class__ == 'x'", 9, "a value has no `.__class__`"),
        ("row['name'] == 'x'", 3, "an index is refused"),
        ("row.name[0:1] == 'x'", 10, "`:` is refused"),
        ("(1, 2) == 1", 2, "a tuple is refused"),
        ("{} == 1", 0, "`{` is refused"),
        ("1 / 2 > 0", 2, "`/` is refused"),
        ("1 // 2 > 0", 2, "`//` is refused"),
        ("1 % 2 > 0", 2, "`%` is refused"),
        ("1 ** 2 > 0", 2, "`**` is refused"),
        ("1.5 > 0", 0, "a number with a point"),
        ("row.name == 'a' 'b'", 16, "two texts side by side"),
        ("row.name == none", 12, "`none` is refused"),
        ("row.name == None", 12, "`None` is refused"),
        ("True", 0, "`True` is refused"),
        ("1 < 2 < 3", 0, "a chain of comparisons"),
        ("row.number == 012", 15, "the expression ends before this"),
        ("row.number == 1_000", 14, "`1_000` is refused"),
        ("row.number == 0x1F", 14, "`0x1F` is refused"),
        ("row.deleted if row.deleted is null else row.deleted extra", 52, "the expression ends before this"),
        ("row.name is null if true else false", 20, "the expression ends before this"),
        ("row.deleted if row.deleted", 0, "an `if` without `else`"),
        ("+row.number == 1", 0, "a sign + is refused"),
        ("row.name == 'x", 12, 'not an expression: unexpected char "\'" at 12'),
        ("row.name ==", 9, "not an expression: unexpected 'end of template'"),
        ("", 0, "an empty expression"),
        ("{{ row.name }}", 0, "`{` is refused"),
        ("row.name == 'x' }}", 16, "`}}` is refused"),
        ("row.name == 'x' %}", 16, "`%` is refused"),
        ("row.name == '\\ud800'", 12, "an escape in a text"),
        ("row.name == 1", 12, "text is compared with int"),
        ("row.born == '2026-01-02'", 12, "date is compared with text"),
        ("row.deleted > true", 0, "bool has no order"),
        ("row.blob < row.blob", 0, "bytes has no order"),
        ("row.name + 1 == 1", 0, "a number is wanted here, not text"),
        ("row.name in 'abc'", 12, "right of `in` a list of constants is wanted"),
        ("row.name in []", 12, "right of `in` a list of constants is wanted"),
        ("row.name in [before.name]", 13, "only constants stand in a list"),
        ("row.number in ['a']", 15, "int is compared with text"),
        ("['a'] == 'a'", 0, "a list is refused"),
        ("row.status == 'activ'", 14, "`activ` is none of the possible values"),
        ("row.status in ['activ']", 15, "`activ` is none of the possible values"),
        ("row.name", 0, "a test is wanted here, not text"),
        ("row.name and true", 0, "a test is wanted here, not text"),
        ("row.nme == 'x'", 4, "the table `customer` has no column `nme`"),
        ("rwo.name == 'x'", 0, "unknown name `rwo`"),
        ("log == 'x'", 0, "`log` is a row, not a value"),
        ("log.name == 'x'", 4, "`log` has no `name`"),
        ("rows.row.name == 'x'", 5, "`rows` is a list of rows"),
        ("item.row.name == 'x'", 0, "`item` is known inside $each only"),
        ("other.customerId == 1", 6, "`other` is known where the row leaves or arrives"),
        ("key == 1", 0, "`key` is not a value"),
        ("key.id == 1", 4, "`key` has no `id`"),
        ("transaction.user == 'x'", 12, "`transaction` has no `user`"),
        ("before.name is changed", 7, "`is changed` is asked of a column of `row`"),
        ("row.name is defined", 9, "there is no test `is defined`"),
        ("row.name is null null", 9, "`is null` takes nothing after it"),
        ("row.name is present", 9, "`is present` is asked of a companion"),
        ("log is null", 4, "`log` is a row"),
        ("(row.name | reverse) == 'x'", 12, "there is no filter `reverse`"),
        ("(row.name | lookup('b', 'n')) == 'x'", 12, "the filter lookup stands in `data` only"),
        ("(row.name | chars(0, 4)) == 'x'", 12, "`0` is no from for the filter chars"),
        ("(row.name | chars(1)) == 'x'", 12, "the filter chars takes 2 arguments, not 1"),
        ("(row.name | chars(1, row.number)) == 'x'", 21, "the filter chars takes constants only"),
        ("(row.name | chars(true, 4)) == 'x'", 12, "`True` is no from for the filter chars"),
        ("(row.name | pad_left(257, 'x')) == 'x'", 12, "`257` is no width for the filter pad_left"),
        ("(row.name | replace('', 'x')) == 'x'", 12, "`` is no old for the filter replace"),
        ("(row.name | default(1)) == 'x'", 20, "text with a default of int"),
        ("(row.name | default(value=1)) == 'x'", 25, "`=` is refused"),
        ("(row.blob | text) == 'x'", 12, "the filter text does not take bytes"),
        ("(row.name | round(1)) == 1", 12, "the filter round does not take text"),
        ("(row.name | decode('sexes')) == 'x'", 12, "there is no code table `sexes`"),
        ("(row.blob ~ 'x') == 'x'", 1, "bytes cannot be joined to text"),
        ("('a' if true else 1) == 'a'", 1, "the branches are text and int"),
    ],
)
def test_what_the_language_lacks_is_refused_at_its_place(text: str, offset: int, what: str) -> None:
    fault = refused(text)
    assert (fault.offset, fault.what) == (offset, what)
    assert fault.hint


@pytest.mark.parametrize(
    "text",
    [
        "(" * 400 + "1" + ")" * 400 + " == 1",
        "not " * 240 + "true",
        "-" * 900 + "1 == 1",
        "[" * 900,
        "1 if " * 190 + "1",
        "true if true else " * 50 + "true",
        "row" + ".name" * 190,
        "'x'" + " | trim" * 140 + " == 'x'",
        "1" + " + 1" * 240 + " == 1",
        "row.name == 'x' or " * 50 + "true",
        "x" * 1_001,
        "9" * 900 + " == 1",
        "row.number == " + "9" * 39,
        "().__class__.__bases__[0].__subclasses__()",
        "cycler.__init__.__globals__.os.popen('id').read()",
        "self._TemplateReference__context",
        "lipsum.__globals__",
        "''.__class__ == 'x'",
        "row.name | attr('__class__') == 'x'",
        "'%s' | format('x') == 'x'",
        "range(10) | length == 10",
        "row.name | map('upper') == 'x'",
        "\x00 == 1",
    ],
)
def test_hostile_expressions_are_refused(text: str) -> None:
    assert refused(text).hint


def test_conditions_that_multiply_are_refused() -> None:
    conditions = {"c0": parse("row.number == 1")}
    for number in range(1, 30):
        conditions[f"c{number}"] = parse(f"c{number - 1} and c{number - 1}")
    fault = refused("c29", replace(NAMES, conditions=conditions))
    assert "more than 1000 parts with its conditions" in fault.what


def test_a_condition_that_uses_itself_is_refused() -> None:
    fault = refused("a", replace(NAMES, conditions={"a": parse("not b"), "b": parse("a")}))
    assert "uses itself" in fault.what


def test_a_condition_speaks_of_the_row_alone() -> None:
    fault = refused("a", replace(NAMES, conditions={"a": parse("log is present")}))
    assert fault.what.endswith("`is present` is asked of a companion")


def test_a_condition_with_faults_of_its_own_is_no_second_fault() -> None:
    assert refused("bad").silent


def test_conditions_stand_in_tests_only() -> None:
    with pytest.raises(ExpressionFault, match="`merged` is a condition"):
        compile_expression("merged", NAMES)


@pytest.mark.parametrize(
    ("ops", "text", "good"),
    [
        ({RowOp.INSERT}, "after.name", True),
        ({RowOp.INSERT}, "before.name", False),
        ({RowOp.DELETE}, "before.name", True),
        ({RowOp.DELETE}, "after.name", False),
        ({RowOp.INSERT, RowOp.UPDATE}, "before.name", False),
        ({RowOp.UPDATE, RowOp.DELETE}, "after.name", False),
        ({RowOp.UPDATE}, "before.name ~ after.name", True),
        ({RowOp.LEAVES}, "before.name", True),
        ({RowOp.LEAVES}, "after.name", False),
        ({RowOp.ARRIVES}, "after.name", True),
        ({RowOp.ARRIVES}, "before.name", False),
        ({RowOp.SNAPSHOT}, "after.name", True),
        ({RowOp.INSERT, RowOp.DELETE}, "row.name", True),
    ],
)
def test_before_and_after_are_offered_where_every_operation_has_them(ops: set[RowOp], text: str, good: bool) -> None:
    names = replace(NAMES, anchor=replace(UPDATE, ops=frozenset(ops)))
    if good:
        compile_expression(text, names)
    else:
        with pytest.raises(ExpressionFault, match="there is no"):
            compile_expression(text, names)


def test_unavailable_values_are_never_asked_for_their_truth() -> None:
    with pytest.raises(TypeError):
        bool(Unavailable.UNSENT)
