"""Three-valued truth, comparison and arithmetic on values; nothing here raises."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from gateway.mapping.compiled import Expression, Scope, Truth
from gateway.mapping.kinds import EXACT, fits_text, number, text_of
from gateway.model.values import MISSING, UNREADABLE, UNSENT, Unavailable, Value

__all__ = ["COMPARISONS", "arithmetic", "both", "either", "joined", "negation", "negative", "truth", "worst"]


def worst(first: Unavailable, second: Unavailable) -> Unavailable:
    """Of two reasons the one that decides a dead letter's class: unreadable, then missing, then unsent."""
    for reason in (UNREADABLE, MISSING):
        if reason in (first, second):
            return reason
    return UNSENT


def truth(value: Value) -> Truth:
    """A value as truth: unavailable is unknown, and null is not true."""
    return value if isinstance(value, Unavailable) else value is True


def both(left: Expression, right: Expression) -> Expression:
    """``and``: false if either is false, though the other be unknown."""

    def run(scope: Scope) -> Value:
        first = truth(left(scope))
        if first is False:
            return False
        second = truth(right(scope))
        if second is False or first is True:
            return second
        return worst(first, second) if isinstance(first, Unavailable) and isinstance(second, Unavailable) else first

    return run


def either(left: Expression, right: Expression) -> Expression:
    """``or``: true if either is true, though the other be unknown."""

    def run(scope: Scope) -> Value:
        first = truth(left(scope))
        if first is True:
            return True
        second = truth(right(scope))
        if second is True or first is False:
            return second
        return worst(first, second) if isinstance(first, Unavailable) and isinstance(second, Unavailable) else first

    return run


def negation(test: Expression) -> Expression:
    """``not``: unknown stays unknown."""

    def run(scope: Scope) -> Value:
        value = truth(test(scope))
        return value if isinstance(value, Unavailable) else not value

    return run


def _equal(left: Value, right: Value) -> bool:
    return left == right


def _ordered(compare: Callable[[object, object], bool]) -> Callable[[Value, Value], bool]:
    return lambda left, right: left is not None and right is not None and compare(left, right)


COMPARISONS: dict[str, Callable[[Value, Value], bool]] = {
    "eq": _equal,
    "ne": lambda left, right: not _equal(left, right),
    "lt": _ordered(lambda left, right: left < right),  # type: ignore[operator]
    "lteq": _ordered(lambda left, right: left <= right),  # type: ignore[operator]
    "gt": _ordered(lambda left, right: left > right),  # type: ignore[operator]
    "gteq": _ordered(lambda left, right: left >= right),  # type: ignore[operator]
}
"""By Jinja2's name of the operator, on known values of one type; null is equal to null and never before or after."""


def _plus(left: int | Decimal, right: int | Decimal) -> int | Decimal:
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    return EXACT.add(Decimal(left), Decimal(right))


def _minus(left: int | Decimal, right: int | Decimal) -> int | Decimal:
    if isinstance(left, int) and isinstance(right, int):
        return left - right
    return EXACT.subtract(Decimal(left), Decimal(right))


def _times(left: int | Decimal, right: int | Decimal) -> int | Decimal:
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    return EXACT.multiply(Decimal(left), Decimal(right))


_OPERATIONS = {"Add": _plus, "Sub": _minus, "Mul": _times}


def arithmetic(operation: str, left: Expression, right: Expression) -> Expression:
    """``Add``, ``Sub``, ``Mul`` of numbers: unavailable before null before the result; beyond 38 digits unreadable."""
    apply = _OPERATIONS[operation]

    def run(scope: Scope) -> Value:
        first, second = left(scope), right(scope)
        if isinstance(first, Unavailable):
            return worst(first, second) if isinstance(second, Unavailable) else first
        if isinstance(second, Unavailable):
            return second
        if first is None or second is None:
            return None
        if not isinstance(first, (int, Decimal)) or not isinstance(second, (int, Decimal)):
            return UNREADABLE
        return number(apply(first, second))

    return run


def negative(operand: Expression) -> Expression:
    """The number with its sign changed."""

    def run(scope: Scope) -> Value:
        value = operand(scope)
        if isinstance(value, Decimal):
            return value.copy_negate() if value else value
        return -value if isinstance(value, int) else value if value is None else _reason(value)

    return run


def _reason(value: Value) -> Unavailable:
    return value if isinstance(value, Unavailable) else UNREADABLE


def joined(parts: tuple[Expression, ...]) -> Expression:
    """``~``: the parts as text, one after the other; unavailable before null; beyond 64 KiB unreadable."""

    def run(scope: Scope) -> Value:
        texts: list[str] = []
        null = False
        doubt: Unavailable | None = None
        for part in parts:
            text = text_of(part(scope))
            if isinstance(text, Unavailable):
                doubt = text if doubt is None else worst(doubt, text)
            elif text is None:
                null = True
            else:
                texts.append(str(text))
        if doubt is not None:
            return doubt
        return None if null else fits_text("".join(texts))

    return run
