"""Events and contracts: never filled, filled from two mappings, fields and symbols that nothing ever says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.mapping.contract import ArrayOf, Avro, EnumOf, MapOfValues, RecordOf, branches_of
from gateway.mapping.lints.declare import Fix, Found, Lint, Severity, house_lint, lint
from gateway.mapping.lints.subject import House, Subject
from gateway.mapping.lints.typing_of import symbols_of_leaf
from gateway.mapping.nodes import Map, Mark
from gateway.mapping.rules import Compiled
from gateway.mapping.shared import shown

__all__: list[str] = []


@lint(
    Lint(
        "GW301",
        "event-never-filled",
        Severity.WARNING,
        "an event stands under `events:` and no rule publishes it",
        "write its rule, or take it out",
        "events: {CustomerDied: {version: 1}}   # and no rule says event: CustomerDied",
        fixable=True,
    )
)
def events_never_filled(subject: Subject) -> Iterator[Found]:
    """Declared events without a rule."""
    filled = {compiled.rule.event for compiled in subject.rules}
    for name, _ in subject.section.entries("events"):
        if name.text not in filled:
            yield Found(name.mark, f"no rule publishes `{name.text}`", Fix("entry", name.mark))


@house_lint(
    Lint(
        "GW302",
        "contract-never-filled",
        Severity.WARNING,
        "a contract is kept, pushed and promised, and no rule fills it",
        "write its rule, or take the file out",
        "events/CustomerDied.v1.avsc   # and no rule says event: CustomerDied",
    )
)
def contracts_never_filled(house: House) -> Iterator[tuple[Subject | None, Found]]:
    """Contract files, of the newest version of an event, that no mapping of their folder fills."""
    if house.broken:
        return
    filled = {(each.loaded.path.parent, name) for each in house.subjects for name in each.mapping.events}
    for folder in sorted({each.loaded.path.parent for each in house.subjects}):
        names = {path.name.partition(".")[0]: path for path in sorted((folder / "events").glob("*.v*.avsc"))}
        for name, path in names.items():
            if (folder, name) not in filled and re.fullmatch(r"\w+\.v[0-9]+\.avsc", path.name):
                what = f"no rule publishes `{name}`"
                yield None, Found(Mark(1, 1), what, file=shown(path, house.shared.folder))


@house_lint(
    Lint(
        "GW303",
        "event-of-two-mappings",
        Severity.ERROR,
        "two mappings publish one event: its aggregate, order and meaning are then of two kinds",
        "give one of them an event of its own",
        "event: AddressChanged   # in customer.yaml and in partner.yaml",
    )
)
def events_of_two_mappings(house: House) -> Iterator[tuple[Subject | None, Found]]:
    """Events whose full name is published by an earlier mapping, too."""
    first: dict[str, Subject] = {}
    for subject in house.subjects:
        for name, event in subject.mapping.events.items():
            other = first.setdefault(event.full_name, subject)
            if other is not subject:
                section = next(each.section for each in subject.rules if each.rule.event == name)
                scalar = section.scalar("event")
                assert scalar is not None
                yield subject, Found(scalar.mark, f"{other.file} publishes {event.full_name}, too")


@lint(
    Lint(
        "GW304",
        "field-never-filled",
        Severity.NOTE,
        "a field of the contract has its default in every event: consumers wait for it in vain",
        "fill it in a rule, or leave it out of the next version",
        "data: {customerId: …}   # the contract has birthDate with default null, too",
    )
)
def fields_never_filled(subject: Subject) -> Iterator[Found]:
    """Fields with a default that no rule of the event fills, told at its first rule."""
    for event, contract in subject.loaded.contracts.items():
        rules = [each for each in subject.rules if each.rule.event == event]
        if contract is None or not rules:
            continue
        filled = {leaf.path for leaf in subject.leaves if leaf.rule in rules}
        for path in _paths(contract.record, "", 0):
            if not any(other == path or other.startswith((path + ".", path + "[", path + "{")) for other in filled):
                parent = path.rpartition(".")[0]
                if parent and not any(other.startswith(parent) for other in filled):
                    continue
                yield Found(rules[0].section.mark_of("data"), f"no rule fills `{path}` of {event}")


@lint(
    Lint(
        "GW306",
        "field-left-out",
        Severity.WARNING,
        "a rule leaves out a field that other rules of the event fill: nobody can tell whether that was meant",
        "fill it, or write null (or the default) for all to see",
        "data: {customerId: …}   # other rules of the event fill `old`, which has a default, too",
    )
)
def fields_left_out(subject: Subject) -> Iterator[Found]:
    """Fields with a default that one rule of an event fills and another leaves to the default."""
    for event, contract in subject.loaded.contracts.items():
        rules = [each for each in subject.rules if each.rule.event == event]
        if contract is None or len(rules) < 2:
            continue
        tops = {id(rule): _tops(subject, rule) for rule in rules}
        for rule in rules:
            for name in contract.record.fields:
                others = [other for other in rules if name in tops[id(other)]]
                if others and name not in tops[id(rule)]:
                    what = f"`{name}` is left out here, and filled by `{others[0].rule.name}`"
                    yield Found(rule.section.mark_of("data"), what)


def _tops(subject: Subject, rule: Compiled) -> set[str]:
    """The contract's fields that a rule fills, as keys of `data` or through `$take`."""
    data = rule.section.node("data")
    keys = {key.text for key, _ in data.entries} if isinstance(data, Map) else set()
    return keys | {leaf.path for leaf in subject.leaves if leaf.rule is rule and "." not in leaf.path}


def _paths(record: RecordOf, path: str, depth: int) -> Iterator[str]:
    for name, (avro, _) in record.fields.items():
        inner = f"{path}.{name}" if path else name
        yield inner
        yield from _inside(avro, inner, depth)


def _inside(avro: Avro, path: str, depth: int) -> Iterator[str]:
    if depth >= 6:
        return
    for branch in branches_of(avro)[0]:
        if isinstance(branch, RecordOf):
            yield from _paths(branch, path, depth + 1)
        elif isinstance(branch, (ArrayOf, MapOfValues)):
            item = branch.items if isinstance(branch, ArrayOf) else branch.values
            yield from _inside(item, f"{path}[]", depth + 1)


@lint(
    Lint(
        "GW305",
        "symbol-never-said",
        Severity.WARNING,
        "a symbol of the contract's enum can come from no rule: a code is missing, or the contract promises too much",
        "add the code to the code table, or take the symbol out of the next version",
        "decode: {P: pending}   # the enum has verified, too",
    )
)
def symbols_never_said(subject: Subject) -> Iterator[Found]:
    """Enum symbols, but the enum's default, that no expression of the event can give."""
    for event, contract in subject.loaded.contracts.items():
        if contract is None:
            continue
        defaults = _enum_defaults(contract.schema)
        leaves = [leaf for leaf in subject.leaves if leaf.rule.rule.event == event]
        for path in dict.fromkeys(leaf.path for leaf in leaves):
            filling = [leaf for leaf in leaves if leaf.path == path]
            enum = next((b for b in branches_of(filling[0].avro)[0] if isinstance(b, EnumOf)), None)
            said = [symbols_of_leaf(leaf, subject) for leaf in filling]
            if enum is None or None in said:
                continue
            known = frozenset[str]().union(*(each for each in said if each is not None))
            never = [symbol for symbol in enum.symbols if symbol not in known and symbol not in defaults]
            if never:
                words = ", ".join(f"`{symbol}`" for symbol in never)
                yield Found(filling[0].mark, f"nothing gives `{path}` of {event} the symbol {words}")


def _enum_defaults(schema: object) -> set[str]:
    """The defaults of enums: what readers take for symbols newer than they are."""
    if isinstance(schema, list):
        return {name for each in schema for name in _enum_defaults(each)}
    if not isinstance(schema, dict):
        return set()
    own = {str(schema["default"])} if schema.get("type") == "enum" and "default" in schema else set()
    return own.union(*(_enum_defaults(value) for key, value in schema.items() if key != "default"))
