"""Older versions of an event, derived from its newest: drop, rename, set, in this order (language.md 5, ``also``)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.mapping.carrying import Carrier, Carry, MismatchError, build, constant
from gateway.mapping.compiled import EventType, OlderVersion, Scope
from gateway.mapping.contract import NO_DEFAULT, Contract
from gateway.mapping.data import compile_field
from gateway.mapping.expressions.names import Names
from gateway.mapping.kinds import parse_date
from gateway.mapping.nodes import Faults, Mark, Node, Scalar, did_you_mean
from gateway.mapping.records import Section

__all__ = ["compile_older"]

Setters = dict[str, Callable[[Scope], object]]


def compile_older(
    number: Scalar,
    section: Section,
    newest: EventType,
    contracts: tuple[Contract, Contract],
    names: Names,
    faults: Faults,
) -> OlderVersion | None:
    """One version under ``also``; None after faults. ``contracts``: the newest version's and this one's.

    ``names``: what templates see beside ``data.``, which is code tables.
    """
    before = len(faults.found)
    older = _Older(number.mark, section, contracts, names, faults)
    derive = older.derive()
    sunset = _sunset(section, faults)
    if derive is None or section.broken or len(faults.found) > before:
        return None
    mine = contracts[1]
    version = replace(
        newest,
        version=int(number.text),
        full_name=mine.record.full_name,
        schema=_marked(mine.schema, sunset),
        file=mine.file,
        also=(),
        deprecated=True,
        sunset=sunset,
    )
    return OlderVersion(version, derive)


def _sunset(section: Section, faults: Faults) -> dt.date | None:
    scalar = section.scalar("sunset")
    if scalar is None:
        return None
    date = parse_date(scalar.text)
    if isinstance(date, dt.date):
        return date
    faults.add(scalar.mark, f"`{scalar.text[:60]}` is no date", "write it as 2027-06-30")
    return None


def _marked(schema: Mapping[str, object], sunset: dt.date | None) -> Mapping[str, object]:
    """The contract as it is registered: the registry keeps properties of the schema, and no metadata beside it."""
    end = {"sunset": sunset.isoformat()} if sunset else {}
    return {**schema, "deprecated": True, **end}


class _Older:
    """Compiles how one older version comes of the newest."""

    def __init__(
        self, mark: Mark, section: Section, contracts: tuple[Contract, Contract], names: Names, faults: Faults
    ) -> None:
        self.mark = mark
        self.section = section
        self.newer, self.older = (contract.record for contract in contracts)
        self.names = replace(names, payload=self.newer)
        self.faults = faults
        self.marks: dict[str, Mark] = {}

    def derive(self) -> Callable[[Mapping[str, object]], dict[str, object]] | None:
        """The function from payload to payload; None after a fault."""
        carrier = Carrier(frozenset(self._dropped()), self._renamed())
        moved = self._carried(carrier)
        for path in sorted({*carrier.drop, *carrier.rename} - carrier.met) if moved is not None else ():
            hint = did_you_mean(path, self.newer.fields)
            self.faults.add(self.marks[path], f"the newest contract's {self.newer} has no field `{path}`", hint)
        setters = self._set(moved or {}, known=moved is not None)
        if moved is None or setters is None:
            return None
        self._filled(moved, setters)
        return _function(tuple(self.older.fields), moved, setters)

    def _dropped(self) -> list[str]:
        for scalar in self.section.scalars("drop"):
            self.marks[scalar.text] = scalar.mark
        return [scalar.text for scalar in self.section.scalars("drop")]

    def _renamed(self) -> dict[str, str]:
        found = {}
        for new, old in self.section.entries("rename"):
            if not isinstance(old, Scalar):
                continue
            if new.text in self.marks:
                self.faults.add(new.mark, f"`{new.text}` is dropped already", "drop it, or rename it")
            elif new.text.rpartition(".")[0] != old.text.rpartition(".")[0]:
                hint = "both are named from the event's own fields on: {address.zip: address.postcode}"
                self.faults.add(old.mark, f"`{old.text}` is in another record than `{new.text}`", hint)
            else:
                self.marks[new.text] = new.mark
                found[new.text] = old.text
        return found

    def _carried(self, carrier: Carrier) -> dict[str, tuple[str, Carry]] | None:
        """What is carried over, by older field. Each field that cannot be is a fault of its own."""
        moved: dict[str, tuple[str, Carry]] = {}
        good = True
        for name, typed in self.newer.fields.items():
            one = replace(self.newer, fields={name: typed})
            try:
                found = carrier.fields(one, self.older, "")
                again = next((target for target in found if target in moved), None)
                if again is not None:
                    raise MismatchError(name, f"two fields become `{again}`", "drop one of them")
                moved |= found
            except MismatchError as mismatch:
                self.faults.add(self.marks.get(mismatch.path, self.mark), mismatch.what, mismatch.hint)
                good = False
        return moved if good else None

    def _set(
        self, moved: Mapping[str, tuple[str, Carry]], *, known: bool
    ) -> dict[str, Callable[[Scope], object]] | None:
        setters: dict[str, Callable[[Scope], object]] = {}
        good = True
        for name, node in self.section.entries("set"):
            field = self.older.fields.get(name.text)
            if field is None:
                hint = did_you_mean(name.text, self.older.fields)
                self.faults.add(name.mark, f"the older contract's {self.older} has no field `{name.text}`", hint)
            elif name.text in moved:
                hint = f"drop: [{moved[name.text][0]}]"
                self.faults.add(name.mark, f"`{name.text}` is carried over already", hint)
            else:
                builder = compile_field(_node(node), field[0], name.text, self.names, self.faults)
                if builder is not None:
                    setters[name.text] = builder
                    continue
            good = False
        return setters if good and known else None

    def _filled(self, moved: dict[str, tuple[str, Carry]], setters: Mapping[str, object]) -> None:
        """Fields that nothing fills take the older contract's default, or are faults."""
        for name, (avro, default) in self.older.fields.items():
            if name in moved or name in setters:
                continue
            if default is NO_DEFAULT:
                what = f"nothing fills the field `{name}` of the older contract, and it has no default"
                self.faults.add(self.mark, what, f"set: {{{name}: …}} ({avro}), or rename: {{new: {name}}}")
                continue
            try:
                moved[name] = ("", constant(avro, default, name))
            except MismatchError as mismatch:
                self.faults.add(self.mark, mismatch.what, mismatch.hint)


def _node(value: object) -> Node:
    assert not isinstance(value, (tuple, Section)) and value is not None
    return value  # type: ignore[return-value]


def _function(
    order: tuple[str, ...], moved: Mapping[str, tuple[str, Carry]], setters: Setters
) -> Callable[[Mapping[str, object]], dict[str, object]]:
    carry = build(moved)

    def derive(payload: Mapping[str, object]) -> dict[str, object]:
        carried = carry(payload)
        assert isinstance(carried, dict)
        if not setters:
            return carried
        scope = Scope(None, {}, {}, {}, payload=payload)
        return {name: setters[name](scope) if name in setters else carried[name] for name in order}

    return derive
