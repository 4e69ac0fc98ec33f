"""Whatever a file or expression holds, the front end answers with faults and never with a crash."""

from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.mapping.columns import reader_of
from gateway.mapping.compiled import RowOp, Scope
from gateway.mapping.expressions.compiler import compile_test
from gateway.mapping.expressions.names import CodeTable, Companion, Names, RowShape
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.kinds import Kind, Type
from gateway.mapping.loader import load_text
from gateway.mapping.nodes import Map
from gateway.mapping.reader import read_text
from gateway.model.errors import ConfigError
from gateway.model.values import MISSING, UNREADABLE, UNSENT, Unavailable

from .rows import FakeRow, scope_of

FOLDER = Path(__file__).parents[2] / "golden/mapping/faults"
GOOD = (FOLDER / "good.yaml").read_text()
QUICK = settings(max_examples=150, deadline=timedelta(seconds=10), suppress_health_check=[HealthCheck.too_slow])

places = st.integers(0, len(GOOD) - 1)
pieces = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["{", "}", "[", "]", ":", ",", "'", '"', "{{", "}}", "$each", "null", "any", "&a", "*a", "!!x", "- ", "\n"]
    ),
)


@QUICK
@given(edits=st.lists(st.tuples(places, st.integers(0, 12), pieces), min_size=1, max_size=4))
def test_a_mutated_mapping_loads_or_shows_faults_with_places(edits: list[tuple[int, int, str]]) -> None:
    text = GOOD
    for place, length, piece in edits:
        text = text[:place] + piece + text[place + length :]
    try:
        load_text(text, FOLDER)
    except ConfigError as error:
        assert error.faults
        for fault in error.faults:
            assert fault.line >= 1 and fault.column >= 1 and fault.what and fault.hint
            assert str(fault)


@QUICK
@given(lines=st.lists(st.integers(0, GOOD.count("\n") - 1), min_size=1, max_size=6))
def test_a_mapping_with_lines_left_out_loads_or_shows_faults(lines: list[int]) -> None:
    text = "\n".join(line for number, line in enumerate(GOOD.split("\n")) if number not in lines)
    try:
        load_text(text, FOLDER)
    except ConfigError as error:
        assert error.faults


@QUICK
@given(text=st.text(max_size=200))
def test_any_text_is_read_to_a_map_or_to_faults(text: str) -> None:
    root, faults = read_text(text, "x")
    assert isinstance(root, Map) or faults.found


KINDS = {kind.value: Type(kind) for kind in Kind if kind is not Kind.NULL}
SHAPE = RowShape("t", KINDS, frozenset({RowOp.UPDATE}))
NAMES = Names(
    anchor=SHAPE,
    companions={"one": Companion(SHAPE, is_list=False), "many": Companion(SHAPE, is_list=True)},
    key={"id": Type(Kind.INT)},
    codes={"c": CodeTable({"A": "a"}, Type(Kind.TEXT))},
)
ROOTS = "row. before. one.row. many key.id op text int decimal bool date null true 1 'a' row.text row.int"
SIGNS = "== < in ['a',null] and or not is-null is-changed is-present ~ + - * ( ) if else |"
FILTERED = "|int |default(1) |decimal(2) |upper |length |decode('c') |if_unavailable(1)"
words = st.sampled_from([word.replace("is-", "is ") for word in f"{ROOTS} {SIGNS} {FILTERED}".split()])


@QUICK
@given(parts=st.lists(st.one_of(words, st.text(max_size=3)), max_size=12))
def test_any_expression_compiles_or_is_refused_and_never_raises_when_it_runs(parts: list[str]) -> None:
    text = " ".join(parts)
    try:
        typed = compile_test(text, NAMES)
    except ExpressionFault as fault:
        assert 0 <= fault.offset <= len(text)
        return
    for value in (None, UNSENT, MISSING, UNREADABLE):
        row = FakeRow("update", dict.fromkeys(KINDS, value), dict.fromkeys(KINDS, value), frozenset({"text"}))
        result = typed.run(scope_of(row, {"id": 1}, one=row, many=[row]))
        assert result in (True, False, None) or isinstance(result, Unavailable)


operands = st.recursive(
    st.sampled_from(["row.l", "row.r", "true", "false"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda each: f"({' '.join(each)})"),
        inner.map(lambda each: f"(not {each})"),
    ),
    max_leaves=10,
)
truths = st.sampled_from([True, False, UNSENT])


@QUICK
@given(text=operands, left=truths, right=truths)
def test_a_known_result_stays_whatever_the_unknown_turns_out_to_be(text: str, left: object, right: object) -> None:
    names = Names(anchor=RowShape("t", {"l": Type(Kind.BOOL), "r": Type(Kind.BOOL)}, frozenset({RowOp.UPDATE})))
    try:
        run = compile_test(text, names).run
    except ExpressionFault as fault:
        assert "parts" in fault.what or "characters" in fault.what or "nested" in fault.what
        return

    def result(one: object, two: object) -> object:
        return run(Scope(FakeRow("update", {}, {"l": one, "r": two}), {}, {}, {}))  # type: ignore[dict-item]

    known = result(left, right)
    if not isinstance(known, Unavailable):
        for one in [left] if left is not UNSENT else [True, False]:
            for two in [right] if right is not UNSENT else [True, False]:
                assert result(one, two) is known


numbers = st.one_of(st.integers(), st.floats(), st.decimals())
raws = st.one_of(st.none(), st.booleans(), numbers, st.text(), st.binary(), st.lists(numbers), st.just({"a": 1}))
TYPES = ["text", "raw", "int", "decimal(9,2)", "bool", "bytes", "date", "timestamp", "date(yyyymmdd)", "date(yymmdd)"]


@QUICK
@given(raw=raws, type_=st.sampled_from([*TYPES, "date(ddmmyyyy)", "date(yyyyddd)"]))
def test_any_raw_value_is_read_or_unreadable(raw: object, type_: str) -> None:
    found = reader_of(type_)
    assert found is not None
    value = found[1](raw)
    assert (
        value is None
        or isinstance(value, (bool, int, str, bytes, Unavailable))
        or hasattr(value, "as_tuple")
        or hasattr(value, "year")
    )
