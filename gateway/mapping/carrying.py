"""Values of one contract carried over into another: which types go together, and how a value is turned (``also``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.mapping.contract import (
    NO_DEFAULT,
    ArrayOf,
    Avro,
    EnumOf,
    MapOfValues,
    Plain,
    RecordOf,
    branches_of,
    native_default,
)

__all__ = ["Carrier", "Carry", "MismatchError", "build", "constant", "same"]

Carry = Callable[[object], object]
_WIDER = {
    "int": frozenset({"long", "float", "double"}),
    "long": frozenset({"float", "double"}),
    "float": frozenset({"double"}),
}


class MismatchError(Exception):
    """Two types do not go together: ``path`` is the field of the newer contract, ``hint`` the remedy."""

    def __init__(self, path: str, what: str, hint: str) -> None:
        super().__init__(what)
        self.path = path
        self.what = what
        self.hint = hint


def same(value: object) -> object:
    """The value as it is."""
    return value


@dataclass(slots=True)
class Carrier:
    """Carries values of a newer contract into an older one. ``drop`` and ``rename`` name fields by dotted path.

    What of them was met stands in ``met``.
    """

    drop: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    _open: dict[tuple[int, int], list[Carry]] = field(default_factory=dict)

    def value(self, newer: Avro, older: Avro, path: str) -> Carry:
        """How a value is carried over. MismatchError where some value would not fit."""
        given, may_be_null = branches_of(newer)
        wanted, takes_null = branches_of(older)
        if may_be_null and not takes_null:
            hint = f'drop it, and set: {{{path}: "{{{{ data.{path} | default(…) }}}}"}}'
            raise MismatchError(path, f"`{path}` may be null, where the older contract wants {older}", hint)
        if len(given) == 1:
            carry = self._into(given[0], wanted, older, path)
            return carry if carry is same or not may_be_null else _or_null(carry)
        return self._union(given, wanted, older, path)

    def _into(self, one: Avro, wanted: tuple[Avro, ...], older: Avro, path: str) -> Carry:
        """Into the first branch that takes it; a record in a union of several is tagged with its name."""
        refusals = []
        for branch in sorted(wanted, key=lambda branch: str(branch) != str(one)):
            try:
                carry = self._branch(one, branch, path)
            except MismatchError as mismatch:
                refusals.append(mismatch)
                continue
            if isinstance(branch, RecordOf) and len(wanted) > 1:
                return _tagged(branch.full_name, carry)
            return carry
        if len(refusals) == 1:
            raise refusals[0]
        raise _differ(one, older, path)

    def _union(self, given: tuple[Avro, ...], wanted: tuple[Avro, ...], older: Avro, path: str) -> Carry:
        """A union of several: records by their names, all else only where nothing changes."""
        carries: dict[str, Carry] = {}
        for one in given:
            if isinstance(one, RecordOf):
                into = [branch for branch in wanted if isinstance(branch, RecordOf) and branch.name == one.name]
                carries[one.full_name] = self._into(one, tuple(into), older, path)
                if len(wanted) > 1 and into:
                    carries[one.full_name] = _tagged(into[0].full_name, carries[one.full_name])
            elif self._into(one, wanted, older, path) is not same:
                raise _differ(one, older, path)
        if not carries:
            return same

        def run(value: object) -> object:
            if isinstance(value, tuple):
                return carries[value[0]](value[1])
            return value

        return run

    def _branch(self, newer: Avro, older: Avro, path: str) -> Carry:
        if isinstance(newer, RecordOf) and isinstance(older, RecordOf):
            return self._record_once(newer, older, path)
        if isinstance(newer, ArrayOf) and isinstance(older, ArrayOf):
            carry = self.value(newer.items, older.items, path)
            return same if carry is same else lambda value: [carry(item) for item in value]  # type: ignore[attr-defined]
        if isinstance(newer, MapOfValues) and isinstance(older, MapOfValues):
            carry = self.value(newer.values, older.values, path)
            return same if carry is same else lambda value: {k: carry(v) for k, v in value.items()}  # type: ignore[attr-defined]
        if isinstance(newer, EnumOf) and isinstance(older, EnumOf):
            foreign = [symbol for symbol in newer.symbols if symbol not in older.symbols]
            if foreign:
                what = f"`{path}`: the older {older} has no symbol {', '.join(foreign[:5])}"
                raise MismatchError(path, what, f"drop it, and set {path} with a code table: data.{path} | decode('…')")
            return same
        if isinstance(newer, EnumOf) and older == Plain("string"):
            return same
        if isinstance(newer, Plain) and isinstance(older, Plain) and _fits(newer, older):
            return same
        raise _differ(newer, older, path)

    def _record_once(self, newer: RecordOf, older: RecordOf, path: str) -> Carry:
        """A record that contains itself is entered once."""
        key = (id(newer), id(older))
        if key in self._open:
            later = self._open[key]
            return lambda value: later[0](value)
        self._open[key] = holder = []
        carry = self.record(newer, older, path)
        holder.append(carry)
        del self._open[key]
        return carry

    def record(self, newer: RecordOf, older: RecordOf, path: str) -> Carry:
        """How a record is carried over field by field. MismatchError."""
        moved = self.fields(newer, older, path)
        for name, (avro, default) in older.fields.items():
            if name not in moved:
                inner = f"{path}.{name}" if path else name
                if default is NO_DEFAULT:
                    hint = f"rename a field to it, or drop `{path}` and set it"
                    raise MismatchError(inner, f"nothing fills `{inner}` of the older {older}", hint)
                moved[name] = ("", constant(avro, default, inner))
        alike = list(moved) == list(older.fields) == list(newer.fields)
        if alike and all(source == name and carry is same for name, (source, carry) in moved.items()):
            return same
        return build(moved)

    def fields(self, newer: RecordOf, older: RecordOf, path: str) -> dict[str, tuple[str, Carry]]:
        """Older field to newer field and its carry, of all that is not dropped. MismatchError."""
        moved: dict[str, tuple[str, Carry]] = {}
        for name, (avro, _) in newer.fields.items():
            inner = f"{path}.{name}" if path else name
            if inner in self.drop:
                self.met.add(inner)
                continue
            target = name
            if inner in self.rename:
                self.met.add(inner)
                target = self.rename[inner].rpartition(".")[2]
            if target not in older.fields:
                what = f"the older contract's {older} has no field `{target}`"
                raise MismatchError(inner, what, f"drop: [{inner}], or rename it")
            if target in moved:
                raise MismatchError(inner, f"two fields become `{target}`", "drop one of them")
            moved[target] = (name, self.value(avro, older.fields[target][0], inner))
        return moved


def build(moved: Mapping[str, tuple[str, Carry]]) -> Carry:
    """A record made of fields of another one; a field without a source gets what its carry makes of nothing."""
    steps = tuple((name, source, carry) for name, (source, carry) in moved.items())

    def run(value: object) -> object:
        assert isinstance(value, Mapping)
        return {name: carry(value[source] if source else None) for name, source, carry in steps}

    return run


def _fits(newer: Plain, older: Plain) -> bool:
    """Whether every value of one plain type is a value of the other."""
    if newer == older:
        return True
    if newer.logical == older.logical == "decimal":
        whole = older.precision - older.scale >= newer.precision - newer.scale
        return whole and older.scale >= newer.scale and newer.name == older.name == "bytes"
    if newer.logical == "timestamp-millis" and older.logical == "timestamp-micros":
        return True
    return not newer.logical and not older.logical and older.name in _WIDER.get(newer.name, ())


def _differ(newer: Avro, older: Avro, path: str) -> MismatchError:
    hint = f"drop it, and set {path} with a template over `data.`"
    return MismatchError(path, f"`{path}` is {newer}, where the older contract wants {older}", hint)


def _or_null(carry: Carry) -> Carry:
    return lambda value: None if value is None else carry(value)


def _tagged(full_name: str, carry: Carry) -> Carry:
    return lambda value: (full_name, carry(value))


def constant(avro: Avro, default: object, path: str) -> Carry:
    """A field that always gets its default. MismatchError: the default is none."""
    try:
        value = native_default(avro, default)
    except ValueError as error:
        raise MismatchError(path, f"`{path}`: {error}", "mend the older contract") from None
    return lambda _: value
