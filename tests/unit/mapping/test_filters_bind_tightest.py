"""Filters bind tightest, tighter than a sign (language.md 6); Jinja2's parser alone does not do so."""

import pytest

from gateway.mapping.compiled import RowOp
from gateway.mapping.expressions.compiler import compile_expression
from gateway.mapping.expressions.names import Names, RowShape
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.kinds import Kind, Type
from gateway.model.values import Value

from .rows import FakeRow, scope_of

NAMES = Names(anchor=RowShape("t", {"n": Type(Kind.INT), "t": Type(Kind.TEXT)}, frozenset({RowOp.UPDATE})))


def give(text: str, number: int | None = 7, word: str | None = "7") -> Value:
    return compile_expression(text, NAMES).run(scope_of(FakeRow("update", {}, {"n": number, "t": word})))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-row.n | default(5)", -5),
        ("(-row.n) | default(5)", 5),
        ("-(row.n | default(5))", -5),
        ("1 - row.n | default(5)", -4),
        ("- -row.n | default(5)", 5),
        ("-(-row.n | default(5)) | default(9)", 5),
        ("(-row.n | default(5)) | text ~ '!'", "-5!"),
        ("-row.n | default(5) | default(9)", -5),
        ("-(row.n) | default(5)", -5),
        ("((-row.n)) | default(5)", 5),
        ("2 * -row.n | default(5)", -10),
        ("'(' ~ (-row.n | default(5))", "(-5"),
        ("(')' ~ row.n) | default('x') ~ (-row.n | default(5))", "x-5"),
    ],
)
def test_a_sign_is_applied_to_what_the_filters_give(text: str, value: Value) -> None:
    assert give(text, number=None) == value


def test_text_made_a_number_may_have_a_sign() -> None:
    assert give("-row.t | int") == -7
    assert give("-row.t | int < 0") is True
    assert give("not row.t | int == 7") is False
    with pytest.raises(ExpressionFault, match="a number is wanted"):
        give("(-row.t) | int")
    with pytest.raises(ExpressionFault, match="a number is wanted"):
        give("-row.n | text")
