"""The gate's last layer: can those who know earlier versions read what is published now, and is anything gone?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gateway.mapping.compatibility import Incompatibility, compare
from gateway.mapping.consumers import Consumer
from gateway.mapping.nodes import Mark
from gateway.model.errors import ConfigError
from gateway.services.check import Break, House, Layer
from gateway.services.schemas import Contract, ContractRegistry, Schema, read_schema
from gateway.services.schemas_positions import positions

__all__ = [
    "Known",
    "broken_contracts",
    "known_before",
    "known_exported",
    "known_in_files",
    "known_to_registry",
]

_AGAINST = "; against "
_MAJOR = re.compile(r"\.v(\d+)$")

Known = Mapping[str, Sequence[tuple[str, Schema]]]
"""Subject → versions that somebody knows, oldest first, each with the words that name it."""


def _together(sources: Sequence[Known]) -> Known:
    """What any of the sources knows, in their order."""
    subjects = dict.fromkeys(subject for source in sources for subject in source)
    return {one: [version for source in sources for version in source.get(one, ())] for one in subjects}


def known_in_files(contracts: Sequence[Contract]) -> Known:
    """Earlier minor versions that stand beside the contracts."""
    return {one.subject: [(f"version {v.label} ({v.file.name})", v.schema) for v in one.history] for one in contracts}


def known_before(contracts: Sequence[Contract], name: str) -> Known:
    """The contracts of an earlier state of the mappings, which ``name`` tells."""
    return {one.subject: [(f"version {v.label} of {name}", v.schema) for v in one.versions] for one in contracts}


def known_exported(folder: Path, contracts: Sequence[Contract]) -> Known:
    """Schemas that a registry once gave, by name: ``*.avsc``, ``*.json`` in a folder. ConfigError: no such folder."""
    if not folder.is_dir():
        raise ConfigError("there is no such folder", where=str(folder), hint="give a folder of registered schemas")
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".avsc", ".json"))
    schemas = [(path, read_schema(path)) for path in files]
    return {
        one.subject: [(str(path), old) for path, old in schemas if _full_name(old) == _full_name(one.current.schema)]
        for one in contracts
    }


def _full_name(schema: Schema) -> str:
    return f"{schema.get('namespace', '')}.{schema.get('name', '')}"


def known_to_registry(registry: ContractRegistry, contracts: Sequence[Contract]) -> Known:
    """What is registered. DependencyError: the registry is away."""
    return {
        one.subject: [
            (f"registered version {number}", schema) for number, schema in registry.versions(one.subject).items()
        ]
        for one in contracts
    }


def broken_contracts(
    house: House, contracts: Sequence[Contract], own: Known, others: Sequence[Known] = ()
) -> tuple[Break, ...]:
    """What keeps a known version and the present one from reading each other; and events that nobody publishes now.

    ``own``: earlier versions beside the contracts; ``others``: what was published elsewhere or before. The same against
    several versions is told once, against the newest.
    """
    known = _together([own, *others])
    found = [one for contract in contracts for one in _contract(house, contract, known.get(contract.subject, ()))]
    found += _gone(house, contracts, _together(others))
    unique = {(one.file, one.line, one.column, one.what.partition(_AGAINST)[0]): one for one in found}
    return tuple(sorted(unique.values(), key=lambda one: (one.file, one.line, one.column)))


def _contract(house: House, contract: Contract, known: Sequence[tuple[str, Schema]]) -> Iterator[Break]:
    for told, earlier in known:
        for entry in compare(earlier, contract.current.schema):
            yield _break(house, contract, entry, told)


def _break(house: House, contract: Contract, entry: Incompatibility, told: str) -> Break:
    file = contract.current.file
    line, column = positions(file.read_text())[entry.path]
    field = f"{contract.event}.{entry.field}" if entry.field else contract.event
    return Break(
        Layer.CONTRACTS,
        str(file),
        line,
        column,
        field,
        f"{entry.kind}: {entry.what}{_AGAINST}{told}",
        "what must break needs a new major version, with the older one under `also:` as long as somebody reads it",
        house.rules_filling(contract.event, entry.field),
        (field,),
        house.readers([field]),
    )


def _gone(house: House, contracts: Sequence[Contract], known: Known) -> Iterator[Break]:
    """Subjects of an earlier state that no contract has now: their readers hear nothing more.

    Nothing is said of events whose mapping or contract has faults: it is not known what they will be.
    """
    published = {contract.subject for contract in contracts}
    doubtful = {event for file in house.files if file.mapping is None for event in file.contracts}
    for subject, versions in known.items():
        if subject in published or not versions:
            continue
        told, schema = versions[-1]
        event = str(schema.get("name", subject))
        if event in doubtful:
            continue
        readers = _readers_of(house, schema, known)
        place = next((one.place for reader in readers for one in reader.readings if one.event == event), Mark(1, 1))
        what = f"no rule fills {subject.partition('-')[2]} any more; {told} was published"
        remedy = "keep its rule; or let its readers move first, then take it from their entry in consumers.yaml"
        file = house.shown(house.consumers.file or ".")
        yield Break(
            Layer.CONTRACTS,
            file,
            place.line,
            place.column,
            event,
            what,
            remedy,
            (),
            (event,),
            readers,
            warning=not readers,
        )


def _readers_of(house: House, gone: Schema, known: Known) -> tuple[Consumer, ...]:
    """Who reads a version that is gone: those that name it, and where it was the newest, those that name none."""
    event, version = gone.get("name"), _major(gone)
    versions = [_major(each) for found in known.values() for _, each in found if each.get("name") == event]
    wanted = {version, 0} if version == max(versions) else {version}
    return tuple(
        consumer
        for consumer in house.consumers.all
        if any(one.event == event and one.version in wanted for one in consumer.readings)
    )


def _major(schema: Schema) -> int:
    """The version that a contract's namespace ends in; 0 where it does not."""
    found = _MAJOR.search(str(schema.get("namespace", "")))
    return int(found[1]) if found else 0
