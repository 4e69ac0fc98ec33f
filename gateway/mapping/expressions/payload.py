"""``data.x``: fields of the newest version's payload, for the templates of ``also`` (language.md 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.mapping.compiled import Expression, Scope
from gateway.mapping.contract import Avro, EnumOf, Plain, RecordOf, branches_of
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.kinds import Kind, Type
from gateway.mapping.nodes import did_you_mean

__all__ = ["PayloadPart", "PayloadValue", "type_of"]

_KINDS = {
    "string": Kind.TEXT,
    "boolean": Kind.BOOL,
    "int": Kind.INT,
    "long": Kind.INT,
    "bytes": Kind.BYTES,
    "fixed": Kind.BYTES,
    "decimal": Kind.DECIMAL,
    "date": Kind.DATE,
    "timestamp-millis": Kind.TIMESTAMP,
    "timestamp-micros": Kind.TIMESTAMP,
}


@dataclass(frozen=True, slots=True)
class PayloadPart:
    """A record within the payload, or the payload itself. ``find`` gives it, or null where it is absent."""

    name: str
    record: RecordOf
    find: Callable[[Scope], object]
    words = "a record"

    @property
    def example(self) -> str:
        """How a field of it is named."""
        return f"{self.name}.{next(iter(self.record.fields), 'field')}"

    def field(self, name: str, offset: int) -> PayloadPart | PayloadValue:
        """A record or a value within it. ExpressionFault: there is no such field, or it is no value."""
        if name not in self.record.fields:
            what = f"the contract's {self.record} has no field `{name}`"
            raise ExpressionFault(offset, what, did_you_mean(name, self.record.fields))
        avro = self.record.fields[name][0]
        branches, _ = branches_of(avro)
        if len(branches) == 1 and isinstance(branches[0], RecordOf):
            return PayloadPart(f"{self.name}.{name}", branches[0], self._reader(name))
        type_ = type_of(avro)
        if type_ is None:
            what = f"`{self.name}.{name}` is {avro}, not a value"
            raise ExpressionFault(offset, what, "carry it over as it is, or leave it out")
        return PayloadValue(type_, self._reader(name))

    def _reader(self, name: str) -> Callable[[Scope], Any]:
        find = self.find

        def run(scope: Scope) -> object:
            whole = find(scope)
            return whole[name] if isinstance(whole, Mapping) else None

        return run


@dataclass(frozen=True, slots=True)
class PayloadValue:
    """A single value of the payload; null where a record around it is absent."""

    type: Type
    run: Expression


def type_of(avro: Avro) -> Type | None:
    """The type of a contract's values in expressions; None for arrays, maps, unions of several and floats."""
    branches, _ = branches_of(avro)
    if len(branches) != 1:
        return None
    if isinstance(branches[0], EnumOf):
        return Type(Kind.TEXT, frozenset(branches[0].symbols))
    kind = _KINDS.get(branches[0].logical or branches[0].name) if isinstance(branches[0], Plain) else None
    return None if kind is None else Type(kind)
