"""Strings with ``{{ }}``: a typed value, joined text, or a constant (language.md 5)."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.mapping.compiled import Expression, Scope
from gateway.mapping.expressions import logic
from gateway.mapping.expressions.compiler import Typed, compile_expression
from gateway.mapping.expressions.names import Names
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.kinds import Kind, Type
from gateway.mapping.nodes import Scalar
from gateway.model.values import Value

__all__ = ["compile_template", "is_template", "spans"]


def is_template(scalar: Scalar) -> bool:
    """Whether a scalar holds an expression; otherwise it is a constant."""
    return "{{" in scalar.text


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Where each expression of a template stands between its braces. Raises ExpressionFault for an open one."""
    place = 0
    while (start := text.find("{{", place)) >= 0:
        end = _end(text, start + 2)
        yield start + 2, end
        place = end + 2


def compile_template(text: str, names: Names) -> Typed:
    """Compile a string with at least one ``{{ … }}``. Raises ExpressionFault, with offsets into the whole string."""
    parts: list[Typed] = []
    place = 0
    while (start := text.find("{{", place)) >= 0:
        _literal(text, place, start, parts)
        end = _end(text, start + 2)
        try:
            parts.append(compile_expression(text[start + 2 : end], names.after(start + 2)))
        except ExpressionFault as fault:
            offset = fault.offset + start + 2
            raise ExpressionFault(offset, fault.what, fault.hint, silent=fault.silent) from None
        if parts[-1].type.kind is Kind.BYTES and (start > 0 or end + 2 < len(text)):
            raise ExpressionFault(start, "bytes cannot be joined to text", "publish them as a field of their own")
        place = end + 2
    if len(parts) == 1 and place == len(text):
        return parts[0]
    _literal(text, place, len(text), parts)
    return Typed(Type(Kind.TEXT), logic.joined(tuple(part.run for part in parts)))


def _literal(text: str, start: int, end: int, parts: list[Typed]) -> None:
    literal = text[start:end]
    for sign, what in (("{%", "a statement"), ("{#", "a comment"), ("}}", "`}}` without `{{`")):
        if sign in literal:
            raise ExpressionFault(start + literal.index(sign), f"{what} is refused", "templates hold {{ … }} only")
    if literal:
        parts.append(Typed(Type(Kind.TEXT), _always(literal)))


def _always(text: str) -> Expression:
    def run(scope: Scope) -> Value:
        return text

    return run


def _end(text: str, start: int) -> int:
    """Where the ``}}`` of an expression stands, texts in quotes left out."""
    quote = ""
    place = start
    while place < len(text):
        sign = text[place]
        if quote:
            if sign == "\\":
                place += 1
            elif sign == quote:
                quote = ""
        elif sign in "'\"":
            quote = sign
        elif text.startswith("}}", place):
            return place
        place += 1
    raise ExpressionFault(start - 2, "`{{` without `}}`", "close the expression")
