"""Constants in data templates: text, number, true, false as the contract's type wants them."""

from __future__ import annotations

from gateway.mapping.contract import Avro, EnumOf, Plain
from gateway.mapping.fitting import Fit, Misfit, fit
from gateway.mapping.kinds import Kind, Type, constant
from gateway.mapping.nodes import Scalar
from gateway.model.values import UNREADABLE, Value

__all__ = ["constant_of"]

_KINDS = {
    "string": Kind.TEXT,
    "int": Kind.INT,
    "long": Kind.INT,
    "boolean": Kind.BOOL,
    "bytes": Kind.BYTES,
    "fixed": Kind.BYTES,
    "float": Kind.DECIMAL,
    "double": Kind.DECIMAL,
    "decimal": Kind.DECIMAL,
    "date": Kind.DATE,
    "timestamp-millis": Kind.TIMESTAMP,
    "timestamp-micros": Kind.TIMESTAMP,
}


def constant_of(avro: Avro, node: Scalar) -> object | Misfit:
    """A constant as the contract's type wants it, or why it is none."""
    if isinstance(avro, EnumOf):
        return node.text if node.text in avro.symbols else Misfit(f"`{node.text[:60]}` is no symbol of {avro}")
    kind = _KINDS.get(avro.logical or avro.name) if isinstance(avro, Plain) else None
    if kind is None:
        return Misfit("")
    value: Value = constant(kind, node.text)
    if value is UNREADABLE:
        return Misfit("")
    found = fit(avro, Type(kind))
    assert isinstance(found, Fit)
    try:
        return found.convert(value)
    except Misfit as misfit:
        return misfit
