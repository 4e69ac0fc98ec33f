"""From domain values to Avro-native ones: which kinds fit which type at load, and the checks at run time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from gateway.mapping.contract import Avro, EnumOf, Plain, branches_of
from gateway.mapping.kinds import EXACT, Kind, Type
from gateway.model.errors import LetterClass, RecordError
from gateway.model.values import MISSING, UNREADABLE, Unavailable, Value

__all__ = ["Fit", "Misfit", "class_of", "fit"]

_RANGES = {"int": 2**31, "long": 2**63}
Convert = Callable[[Value], object]


class Misfit(Exception):  # noqa: N818 - becomes a RecordError once rule and field are known
    """A value that the contract forbids, in words."""


def class_of(reason: Unavailable) -> LetterClass:
    """The dead letter's class for an unavailable value that was read."""
    if reason is UNREADABLE:
        return LetterClass.DECODE
    return LetterClass.DRIFT if reason is MISSING else LetterClass.RULE


@dataclass(frozen=True, slots=True)
class Fit:
    """How values of one type become values of one field; ``nullable``: null may be written."""

    nullable: bool
    convert: Convert
    avro: Avro

    def value(self, value: Value, rule: str, path: str) -> object:
        """The Avro-native value. Raises RecordError naming rule and field."""
        if value is None:
            if self.nullable:
                return None
            raise RecordError(
                LetterClass.CONTRACT,
                f"null in `{path}`, where the contract wants {self.avro}",
                rule=rule,
                where=path,
                hint="write | default(…), or make the field nullable",
                stage="interpret",
            )
        if isinstance(value, Unavailable):
            raise RecordError(
                class_of(value),
                f"the value for `{path}` is unavailable ({value.value})",
                rule=rule,
                where=path,
                hint="write | if_unavailable(…), or leave the field out",
                stage="interpret",
            )
        try:
            return self.convert(value)
        except Misfit as misfit:
            what = f"`{path}`: {misfit}"
            raise RecordError(LetterClass.CONTRACT, what, rule=rule, where=path, stage="interpret") from None


def fit(avro: Avro, type_: Type) -> Fit | str:
    """How a type fits a contract's type; a string says why it does not."""
    branches, nullable = branches_of(avro)
    if type_.kind is Kind.NULL:
        return Fit(True, lambda value: value, avro) if nullable else f"null, where the contract wants {avro}"
    if isinstance(avro, Plain) and avro.name == "null":
        return f"{type_}, where the contract wants null"
    reason = ""
    for branch in branches:
        found = _branch(branch, type_)
        if not isinstance(found, str):
            return Fit(nullable, found, avro)
        reason = reason or found
    return reason if len(branches) == 1 else f"{type_}, where the contract wants {avro}"


def _branch(avro: Avro, type_: Type) -> Convert | str:
    if isinstance(avro, EnumOf) and type_.kind is Kind.TEXT:
        return _enum(avro, type_)
    if not isinstance(avro, Plain):
        return f"{type_}, where the contract wants {avro}"
    makers: dict[tuple[str, Kind], Callable[[Plain], Convert]] = {
        ("string", Kind.TEXT): lambda plain: _string,
        ("int", Kind.INT): _integer,
        ("long", Kind.INT): _integer,
        ("boolean", Kind.BOOL): lambda plain: _same,
        ("bytes", Kind.BYTES): lambda plain: _same,
        ("fixed", Kind.BYTES): _fixed,
        ("float", Kind.DECIMAL): lambda plain: _float,
        ("double", Kind.DECIMAL): lambda plain: _float,
        ("float", Kind.INT): lambda plain: _float,
        ("double", Kind.INT): lambda plain: _float,
        ("decimal", Kind.DECIMAL): _decimal,
        ("decimal", Kind.INT): _decimal,
        ("date", Kind.DATE): lambda plain: _same,
        ("timestamp-millis", Kind.TIMESTAMP): lambda plain: _millis,
        ("timestamp-micros", Kind.TIMESTAMP): lambda plain: _same,
    }
    maker = makers.get((avro.logical or avro.name, type_.kind))
    return f"{type_}, where the contract wants {avro}" if maker is None else maker(avro)


def _enum(avro: EnumOf, type_: Type) -> Convert | str:
    symbols = frozenset(avro.symbols)
    foreign = sorted((type_.symbols or frozenset()) - symbols)
    if foreign:
        return f"{avro} has no symbol {', '.join(foreign[:5])}"

    def convert(value: Value) -> object:
        if value not in symbols:
            raise Misfit(f"`{str(value)[:60]}` is no symbol of {avro}")
        return value

    return convert


def _same(value: Value) -> object:
    return value


def _string(value: Value) -> object:
    assert isinstance(value, str)
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise Misfit("the text holds half a character (a lone surrogate)") from None
    return value


def _integer(plain: Plain) -> Convert:
    bound = _RANGES[plain.name]

    def convert(value: Value) -> object:
        assert isinstance(value, int)
        if not -bound <= value < bound:
            raise Misfit(f"{value} is too large for {plain.name}")
        return value

    return convert


def _fixed(plain: Plain) -> Convert:
    def convert(value: Value) -> object:
        assert isinstance(value, bytes)
        if len(value) != plain.size:
            raise Misfit(f"{len(value)} bytes, where the contract wants {plain.size}")
        return value

    return convert


def _float(value: Value) -> object:
    assert isinstance(value, (int, Decimal))
    return float(value)


def _decimal(plain: Plain) -> Convert:
    step = Decimal(1).scaleb(-plain.scale)

    def convert(value: Value) -> object:
        assert isinstance(value, (int, Decimal))
        exact = Decimal(value).quantize(step, context=EXACT)
        if exact != value or len(exact.as_tuple().digits) > plain.precision:
            raise Misfit(f"{value} does not fit {plain}")
        return exact

    return convert


def _millis(value: Value) -> object:
    assert isinstance(value, dt.datetime)
    if value.microsecond % 1000:
        raise Misfit(f"{value.isoformat()} is finer than milliseconds")
    return value
