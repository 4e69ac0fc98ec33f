"""Contracts and the registry: push them in order, and refuse what would break a reader (`gateway schemas`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import fastavro

from gateway.mapping.compatibility import Incompatibility, compare, subject_name
from gateway.mapping.compiled import CompiledMapping, EventType
from gateway.model.errors import ConfigError, Fault
from gateway.services.schemas_positions import positions

__all__ = [
    "COMPATIBILITY",
    "Contract",
    "ContractRegistry",
    "Push",
    "Version",
    "check_files",
    "check_registered",
    "contracts_of",
    "push",
    "read_schema",
]

COMPATIBILITY = "FULL_TRANSITIVE"
"""Every version inside a major number reads every other."""
_NO_SCHEMA = (fastavro.schema.SchemaParseException, fastavro.schema.UnknownType)

Schema = Mapping[str, object]


class ContractRegistry(Protocol):
    """What pushing and checking ask of a registry. DependencyError: it is away; ConfigError: it refuses."""

    def versions(self, subject: str) -> Mapping[int, Schema]:
        """Registered versions by number, oldest first; empty if there are none."""
        ...

    def register(self, subject: str, schema: Schema) -> int:
        """Register, or find registered; the id."""
        ...

    def accepts(self, subject: str, schema: Schema) -> bool:
        """Whether ``register`` would succeed."""
        ...

    def compatibility(self, subject: str) -> str:
        """The subject's own level, or ''."""
        ...

    def set_compatibility(self, subject: str, level: str) -> None:
        """Set the subject's level; the subject exists."""
        ...


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a contract in a file: ``label`` is ``1.0`` for an earlier minor version, ``1`` for the current."""

    label: str
    file: Path
    schema: Schema


@dataclass(frozen=True, slots=True)
class Contract:
    """An event's contract: its subject, its current version and the earlier minor ones, oldest first."""

    subject: str
    event: str
    current: Version
    history: tuple[Version, ...]

    @property
    def versions(self) -> tuple[Version, ...]:
        """All versions in the order they are pushed."""
        return (*self.history, self.current)


class Push(StrEnum):
    """What a push did to one version."""

    REGISTERED = "registered"
    UNCHANGED = "unchanged"


def contracts_of(
    mappings: Iterable[CompiledMapping], topic: Callable[[str], str], folder: Path | None = None
) -> tuple[Contract, ...]:
    """The contracts that the mappings fill. ``topic`` puts the installation's prefix before a topic's name.

    ``folder``: where relative files of the contracts are looked for. ConfigError: a file is missing or no schema.
    """
    found = [_contract(event, topic(event.topic), folder) for one in mappings for event in one.contracts]
    return tuple(sorted(found, key=lambda contract: contract.subject))


def _contract(event: EventType, topic: str, folder: Path | None) -> Contract:
    file = Path(event.file) if folder is None or Path(event.file).is_file() else folder / event.file
    label = str(event.version)
    return Contract(
        subject=subject_name(topic, event.full_name),
        event=event.name,
        current=Version(label, file, event.schema),
        history=_history(file, f"{event.name}.v{event.version}"),
    )


def _history(file: Path, stem: str) -> tuple[Version, ...]:
    """Earlier minor versions: ``history/<Event>.v<N>.<minor>.avsc`` beside the contract, by number."""
    found = []
    for path in (file.parent / "history").glob(f"{stem}.*.avsc"):
        minor = path.name.removeprefix(f"{stem}.").removesuffix(".avsc")
        if not minor.isdigit():
            raise ConfigError(f"{minor} is no minor version", where=str(path), hint=f"name it {stem}.<number>.avsc")
        found.append((int(minor), path))
    major = stem.rpartition(".v")[2]
    return tuple(Version(f"{major}.{minor}", path, read_schema(path)) for minor, path in sorted(found))


def read_schema(path: Path) -> Schema:
    """One Avro schema of a file, as it stands there or as a registry's REST interface gives it (within ``schema``).

    ConfigError: it cannot be read, or is no Avro schema of a named type.
    """
    try:
        text = path.read_text(encoding="utf-8")
        schema = json.loads(text)
        if isinstance(schema, dict) and isinstance(schema.get("schema"), str):
            text = schema["schema"]
            schema = json.loads(text)
        fastavro.parse_schema(json.loads(text))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, *_NO_SCHEMA) as error:
        told = f"no Avro schema: {error!r}"[:300]
        raise ConfigError(told, where=str(path), hint="one Avro schema a file, as JSON in UTF-8") from error
    if not isinstance(schema, dict):
        raise ConfigError("a contract is a JSON object", where=str(path))
    return schema


def push(registry: ContractRegistry, contracts: Sequence[Contract]) -> tuple[tuple[Contract, Version, Push], ...]:
    """Register what is not registered yet, earlier versions first; returns what was done to each version.

    Raises ConfigError, before anything is registered, if `check` finds a fault.
    """
    faults = check_files(contracts) + check_registered(registry, contracts)
    if faults:
        raise ConfigError("contracts break their readers; nothing was pushed", faults=faults)
    return tuple(result for contract in contracts for result in _push(registry, contract))


def _push(registry: ContractRegistry, contract: Contract) -> Iterable[tuple[Contract, Version, Push]]:
    known = list(registry.versions(contract.subject).values())
    if known and registry.compatibility(contract.subject) != COMPATIBILITY:
        registry.set_compatibility(contract.subject, COMPATIBILITY)
    for version in contract.versions:
        yield contract, version, _push_version(registry, contract.subject, version, known)


def _push_version(registry: ContractRegistry, subject: str, version: Version, known: list[Schema]) -> Push:
    """Register one version; some registries take one that differs in its descriptions only for the same."""
    if version.schema in known:
        return Push.UNCHANGED
    registry.register(subject, version.schema)
    if not known:
        registry.set_compatibility(subject, COMPATIBILITY)
    lookalike = _undocumented(version.schema) in [_undocumented(schema) for schema in known]
    grown = not lookalike or len(registry.versions(subject)) > len(known)
    if grown:
        known.append(version.schema)
    return Push.REGISTERED if grown else Push.UNCHANGED


def _undocumented(schema: object) -> object:
    if isinstance(schema, Mapping):
        return {key: _undocumented(value) for key, value in schema.items() if key != "doc"}
    return [_undocumented(part) for part in schema] if isinstance(schema, list) else schema


def check_files(contracts: Sequence[Contract]) -> tuple[Fault, ...]:
    """Compare each contract's versions in the files, each with all before it; one fault for each thing that breaks."""
    faults = []
    for contract in contracts:
        versions = contract.versions
        for index, later in enumerate(versions):
            for earlier in versions[:index]:
                found = compare(earlier.schema, later.schema)
                faults += [_fault(later, entry, f"version {earlier.label} ({earlier.file.name})") for entry in found]
    return _distinct(faults)


def check_registered(registry: ContractRegistry, contracts: Sequence[Contract]) -> tuple[Fault, ...]:
    """Compare each version in the files with all registered ones, and hear the registry's own verdict on new ones."""
    faults = []
    for contract in contracts:
        registered = registry.versions(contract.subject)
        for version in contract.versions:
            if version.schema in registered.values():
                continue
            found = [
                _fault(version, entry, f"registered version {number} of {contract.subject}")
                for number, earlier in registered.items()
                for entry in compare(earlier, version.schema)
            ]
            if not found and registered and not registry.accepts(contract.subject, version.schema):
                found = [Fault(str(version.file), 1, 1, f"the registry refuses it for {contract.subject}")]
            faults += found
    return _distinct(faults)


def _fault(version: Version, entry: Incompatibility, against: str) -> Fault:
    text = version.file.read_text()
    line, column = positions(text)[entry.path]
    return Fault(
        file=str(version.file),
        line=line,
        column=column,
        what=f"{entry.kind}: {entry.field or version.schema.get('name')}: {entry.what}",
        hint=f"against {against}; what must break needs a new major version",
        excerpt=text.splitlines()[line - 1],
    )


def _distinct(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """The same fault against several earlier versions is told once."""
    unique = {(fault.file, fault.line, fault.column, fault.what): fault for fault in reversed(faults)}
    return tuple(sorted(unique.values(), key=lambda fault: (fault.file, fault.line, fault.column)))
