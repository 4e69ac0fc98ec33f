"""From a folder of mapping files to compiled mappings, or one ConfigError with every fault of every file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

from gateway.mapping.also import compile_older
from gateway.mapping.branches import Branches, Owner, Watch
from gateway.mapping.canonical import digest_of
from gateway.mapping.compiled import CompiledMapping, EventType, OlderVersion
from gateway.mapping.conditions import check_conditions
from gateway.mapping.contract import Contract, event_files, read_contract
from gateway.mapping.expressions.names import CodeTable, LookupNames, Names
from gateway.mapping.expressions.syntax import Parsed
from gateway.mapping.grammar import MAPPING
from gateway.mapping.kinds import Type
from gateway.mapping.lookups import compile_lookups, with_columns
from gateway.mapping.nodes import Faults, Map, Mark, Scalar, did_you_mean
from gateway.mapping.patterns import Context
from gateway.mapping.reader import read_file, read_text
from gateway.mapping.records import Section
from gateway.mapping.rules import Compiled, compile_rules
from gateway.mapping.shared import Shared, SharedFile, circle_of, conditions_of, shown
from gateway.mapping.slots import check_slots
from gateway.mapping.tables import Policies, TableInfo, compile_tables
from gateway.model.errors import ConfigError, Fault

__all__ = ["Defaults", "LoadedFile", "inspect", "inspect_text", "load", "load_text"]


@dataclass(frozen=True, slots=True)
class Defaults:
    """The gateway's own policies, for mappings that say nothing (mapping, then table or rule, come before them)."""

    unexplained: Literal["report", "park"] = "report"
    undeclared: Literal["report", "park", "ignore"] = "report"
    on_error: Literal["park", "halt"] = "park"


def load(
    folder: Path, defaults: Defaults | None = None, branches: Branches | None = None
) -> tuple[CompiledMapping, ...]:
    """Load all mappings under a folder, in the order of their file names.

    Mapping files are ``<capability>/<mapping>.yaml``; ``*_test.yaml`` is ignored, files under ``shared/`` hold codes
    and conditions, contracts stand in ``events/`` beside the mapping. ``branches``: watch those of data and columns, at
    a cost. Raises ConfigError with the faults of all files.
    """
    files, shared = inspect(folder, defaults, branches)
    found = [] if files else [_nothing(folder)]
    found += [*shared.found(), *(fault for each in files for fault in each.sorted())]
    return _finish(found, files, str(folder))


def inspect(
    folder: Path, defaults: Defaults | None = None, branches: Branches | None = None
) -> tuple[list[LoadedFile], Shared]:
    """All mapping files of a folder as far as they can be read, and the shared files: faults stand in the results."""
    shared = Shared(folder)
    files = []
    for path in sorted(folder.rglob("*.yaml")):
        parts = path.relative_to(folder).parts
        if path.name.endswith("_test.yaml") or parts == ("consumers.yaml",) or any(p.startswith(".") for p in parts):
            continue
        if "shared" in parts[:-1]:
            shared.file(path)
        else:
            root, faults = read_file(path, shown(path, folder))
            files.append(_File(path, root, faults, shared, folder, defaults or Defaults(), branches).compile())
    _across(files)
    _unused_conditions(files, shared)
    return files, shared


def inspect_text(
    text: str, folder: Path, name: str = "mapping.yaml", branches: Branches | None = None
) -> tuple[LoadedFile, Shared]:
    """One mapping from text, as in ``load_text``; faults stand in the result."""
    shared = Shared(folder)
    root, faults = read_text(text, name)
    return _File(folder / name, root, faults, shared, folder, Defaults(), branches).compile(), shared


def _unused_conditions(files: list[LoadedFile], shared: Shared) -> None:
    """Conditions of shared files, against the rows of all mappings that use the file."""
    told = [fault for each in files for fault in each.faults.found]
    for file in shared.files.values():
        users = [each.context for each in files if each.context is not None and any(file is used for used in each.used)]
        if users and file.section is not None and not file.broken:
            check_conditions(file.section.entries("conditions"), users, file.faults, told)


def _nothing(folder: Path) -> Fault:
    return Fault(str(folder), 1, 1, "there is no mapping in this folder", "add <capability>/<name>.yaml")


def load_text(text: str, folder: Path, name: str = "mapping.yaml", branches: Branches | None = None) -> CompiledMapping:
    """Load one mapping from text as if it were the file ``name`` of a folder (contracts and shared files beside it).

    Raises ConfigError with all its faults.
    """
    compiled, shared = inspect_text(text, folder, name, branches)
    return _finish([*shared.found(), *compiled.sorted()], [compiled], name)[0]


def _finish(faults: list[Fault], files: list[LoadedFile], where: str) -> tuple[CompiledMapping, ...]:
    if faults:
        distinct = tuple(dict.fromkeys(faults))
        count = f"{len(distinct)} fault{'s' if len(distinct) > 1 else ''}"
        raise ConfigError(f"the mapping does not load: {count}", faults=distinct, where=where)
    return tuple(each.mapping for each in files if each.mapping is not None)


@dataclass(slots=True)
class LoadedFile:
    """What became of one mapping file. ``others``: faults of its contracts; ``mapping`` is None where it has faults."""

    path: Path
    faults: Faults
    others: list[Fault]
    root: Map | None = None
    section: Section | None = None
    context: Context | None = None
    used: tuple[SharedFile, ...] = ()
    rules: tuple[Compiled, ...] = ()
    contracts: Mapping[str, Contract | None] = field(default_factory=dict)
    mapping: CompiledMapping | None = None

    def sorted(self) -> list[Fault]:
        """All faults of the file and its contracts."""
        return [*self.faults.sorted(), *self.others]


class _File:
    """Compiles one mapping file."""

    def __init__(
        self,
        path: Path,
        root: Map | None,
        faults: Faults,
        shared: Shared,
        folder: Path,
        defaults: Defaults,
        branches: Branches | None = None,
    ) -> None:
        self.path = path
        self.branches = branches
        self.defaults = defaults
        self.root = root
        self.faults = faults
        self.shared = shared
        self.folder = folder
        self.others: list[Fault] = []
        self.used: list[SharedFile] = []
        self.codes: dict[str, CodeTable] = {}
        self.conditions: dict[str, Parsed | None] = {}
        self.contracts: dict[str, Contract | None] = {}
        self.older: list[Contract] = []

    def compile(self) -> LoadedFile:
        section = None if self.root is None else MAPPING.read(self.root, self.faults)
        if section is None or self.root is None:
            return LoadedFile(self.path, self.faults, self.others, self.root)
        self._not_built(section)
        self._use(section)
        codes_lost = any(used.broken for used in self.used)
        unexplained = section.word("unexplained", self.defaults.unexplained)
        undeclared = section.word("undeclared", self.defaults.undeclared)
        policies = Policies(unexplained, undeclared, codes_lost=codes_lost)
        tables = compile_tables(section.named("tables"), self.codes, policies, self.faults, self.branches)
        aggregate = section.section("aggregate") or Section("an aggregate", section.mark, broken=True)
        key = self._key(aggregate, tables)
        named = self.root.get("tables")
        lost = len(tables) < (len(named.entries) if isinstance(named, Map) else 1)
        keyless = any(scalar.text not in key for scalar in aggregate.scalars("key"))
        doubtful = lost or codes_lost or aggregate.broken or keyless or "conditions" in section.faulty
        lookups = compile_lookups(section, self.faults)
        asked = LookupNames(frozenset(lookups), lost="lookups" in section.faulty)
        context = Context(tables, key, self.conditions, self.codes, self.faults, doubtful, asked, self.branches)
        events = self._events(section, aggregate.word("type"))
        rules = compile_rules(section.sections("rules"), context, self.contracts)
        check_conditions(section.entries("conditions"), [context], self.faults, tuple(self.faults.found))
        check_slots(rules, self.conditions, self.faults)
        result = LoadedFile(
            self.path,
            self.faults,
            self.others,
            self.root,
            section,
            context,
            tuple(self.used),
            rules,
            self.contracts,
        )
        if self.faults.found or self.others or any(used.broken for used in self.used):
            return result
        mapping = CompiledMapping(
            section.word("mapping"),
            self.faults.file,
            tuple(scalar.text for scalar in (section.section("source") or section).scalars("topics")),
            aggregate.word("type"),
            tuple(key),
            self._capability(section),
            {info.table.physical: info.table for info in tables.values()},
            tuple(compiled.rule for compiled in rules),
            events,
            digest_of(self.root, [used.root for used in self.used], [each.schema for each in self._filled()]),
            cast(Literal["report", "park"], policies.unexplained),
            cast(Literal["report", "park", "ignore"], policies.undeclared),
            cast(Literal["park", "deadletter", "halt"], section.word("on_error", self.defaults.on_error)),
            with_columns(lookups, (compiled.rule for compiled in rules)),
        )
        result.mapping = mapping
        return result

    def _filled(self) -> Iterable[Contract]:
        newest = (contract for _, contract in sorted(self.contracts.items()) if contract is not None)
        return (*newest, *sorted(self.older, key=lambda contract: contract.file))

    def _not_built(self, section: Section) -> None:
        source = section.section("source")
        if source is not None and source.word("unit") == "row":
            self.faults.add(source.mark_of("unit"), "`unit: row` is not built yet", "use unit: transaction")
        if section.word("on_error") == "deadletter":
            hint = "order by aggregate is promised: write park or halt"
            self.faults.add(section.mark_of("on_error"), "`on_error: deadletter` lets later changes overtake", hint)

    def _use(self, section: Section) -> None:
        for scalar in section.scalars("use"):
            path = self.path.parent / scalar.text
            inside = path.resolve().is_relative_to(self.folder.resolve())
            if not inside or not path.is_file():
                hint = "paths are relative to this file" if inside else "shared files stand inside the mappings folder"
                self.faults.add(scalar.mark, f"there is no file `{scalar.text[:100]}`", hint)
                self.used.append(SharedFile(None, broken=True))
                continue
            shared = self.shared.file(path)
            self.used.append(shared)
            for name in (*shared.codes, *shared.conditions):
                if name in self.codes or name in self.conditions:
                    self.faults.add(scalar.mark, f"`{name}` stands in two shared files", "rename one of them")
            self.codes = {**shared.codes, **self.codes}
            self.conditions = {**shared.conditions, **self.conditions}
        for name, parsed in conditions_of(section, self.faults).items():
            if name in self.conditions:
                self.faults.add(section.mark_of("conditions"), f"the condition `{name}` is shared already", "rename it")
            self.conditions[name] = parsed
        for key, _ in section.entries("conditions"):
            circle = circle_of(key.text, self.conditions)
            if circle:
                self.faults.add(key.mark, f"the condition `{key.text}` uses itself", " -> ".join(circle))
                self.conditions[key.text] = None

    def _key(self, aggregate: Section, tables: Mapping[str, TableInfo]) -> dict[str, Type]:
        types: dict[str, Type] = {}
        for scalar in aggregate.scalars("key"):
            for info in tables.values():
                type_ = info.types.get(scalar.text)
                if type_ is None:
                    self._lacks_key(scalar, info)
                elif info.table.columns[scalar.text].part is not None:
                    self.faults.add(info.places[scalar.text].mark, f"the key `{scalar.text}` is a part", "use a column")
                elif types.setdefault(scalar.text, type_).kind is not type_.kind:
                    what = f"the key `{scalar.text}` is {types[scalar.text]} in another table and {type_} here"
                    self.faults.add(info.places[scalar.text].mark, what, "key columns have one type in all tables")
        return types

    def _lacks_key(self, scalar: Scalar, info: TableInfo) -> None:
        if not info.hides(scalar.text) and info.section is not None:
            what = f"the table `{info.table.name}` lacks the aggregate's key `{scalar.text}`"
            hint = "declare its column, or give the table a mapping of its own"
            self.faults.add(info.section.mark_of("columns"), what, hint)

    def _capability(self, section: Section) -> str:
        return section.word("capability") or re.sub(r"[^a-z0-9-]", "-", self.path.parent.name.lower())

    def _events(self, section: Section, aggregate: str) -> dict[str, EventType]:
        declared = {name.text: event for name, event in section.named("events")}
        wanted: dict[str, Mark] = {}
        for rule in section.sections("rules"):
            event = rule.scalar("event")
            if event is not None:
                wanted.setdefault(event.text, event.mark)
        topic = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", aggregate).lower() + ".events"
        found = {}
        for name, mark in wanted.items():
            entry = declared.get(name) or Section("an event", mark)
            version = int(entry.word("version", "1"))
            if "version" in entry.faulty:
                self.contracts[name] = None
                continue
            contract = self._contract(name, version, entry.mark_of("version") if "version" in entry else mark)
            self.contracts[name] = contract
            if contract is not None:
                newest = EventType(
                    name,
                    version,
                    contract.record.full_name,
                    entry.word("topic", topic),
                    entry.word("capability") or self._capability(section),
                    contract.schema,
                    contract.file,
                )
                found[name] = replace(newest, also=self._also(entry, newest, contract))
        return found

    def _also(self, entry: Section, newest: EventType, contract: Contract) -> tuple[OlderVersion, ...]:
        """The older versions that are published beside an event, newest first."""
        found = []
        for number, section in sorted(entry.named("also"), key=lambda each: -int(each[0].text)):
            if int(number.text) >= newest.version:
                what = f"version {number.text} is not older than {newest.version}, the one that rules fill"
                self.faults.add(number.mark, what, "`version` is the newest; older ones stand under `also`")
                continue
            mine = self._contract(newest.name, int(number.text), number.mark)
            if mine is None:
                continue
            self.older.append(mine)
            doubtful = any(used.broken for used in self.used)
            names = Names(codes=self.codes, doubtful=doubtful, watch=self._watch(newest.name, number.text))
            version = compile_older(number, section, newest, (contract, mine), names, self.faults)
            found += [] if version is None else [version]
        return tuple(found)

    def _watch(self, event: str, version: str) -> Watch | None:
        owner = Owner(self.faults.file, event=f"{event} v{version}")
        return None if self.branches is None else Watch(self.branches, owner)

    def _contract(self, event: str, version: int, mark: Mark) -> Contract | None:
        folder = self.path.parent / "events"
        files = event_files(folder, event)
        path = files.get(version)
        if path is None:
            known = ", ".join(f"v{number}" for number in sorted(files))
            near = did_you_mean(event, {each.name.partition(".")[0] for each in folder.glob("*.avsc")})
            hint = f"there is {known}: set `version` under `events:`" if files else near
            self.faults.add(mark, f"there is no contract events/{event}.v{version}.avsc", hint)
            return None
        contract, faults = read_contract(path, shown(path, self.folder), event, version)
        self.others += faults.sorted()
        return contract if not faults.found else None


def _across(files: list[LoadedFile]) -> None:
    """Names that belong to one mapping only: mappings, tables, raw topics."""
    seen: dict[tuple[str, str], str] = {}
    for each in files:
        if each.section is None:
            continue
        name = each.section.scalar("mapping")
        topics = (each.section.section("source") or each.section).scalars("topics")
        claims = [("mapping", name)] if name else []
        claims += [("table", physical) for physical, _ in each.section.named("tables")]
        claims += [("raw topic", topic) for topic in topics]
        for kind, scalar in claims:
            other = seen.setdefault((kind, scalar.text), each.faults.file)
            if other != each.faults.file:
                hint = "a change is accounted once" if kind == "table" else "rename one of them"
                each.faults.add(scalar.mark, f"the {kind} `{scalar.text}` belongs to {other} already", hint)
