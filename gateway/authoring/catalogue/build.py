"""From a folder of mappings to the catalogue: contracts, rules in words, lineage, examples, consumers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.authoring.catalogue.contracts import fields_of, minor_versions
from gateway.authoring.catalogue.examples import examples_of
from gateway.authoring.catalogue.lineage import events_of, noise_of, origins_of
from gateway.authoring.catalogue.nouns import (
    AggregateEntry,
    Catalogue,
    ColumnEntry,
    ConsumerEntry,
    EventEntry,
    ExampleEntry,
    RuleEntry,
    TableEntry,
    VersionEntry,
)
from gateway.authoring.catalogue.reading import lines_of
from gateway.mapping.compiled import CompiledMapping, EventType, Pattern, Table
from gateway.mapping.consumers import Consumer, Consumers, read_consumers
from gateway.mapping.loader import LoadedFile, inspect, load
from gateway.mapping.nodes import Scalar
from gateway.mapping.records import Section
from gateway.mapping.rules import Compiled
from gateway.mapping.uses import Uses, uses_of
from gateway.model.errors import ConfigError

__all__ = ["catalogue_of"]


def catalogue_of(folder: Path) -> Catalogue:
    """The catalogue of all mappings under a folder. ConfigError: a mapping, contract or case file has faults."""
    files, _ = inspect(folder)
    if not files or any(each.mapping is None for each in files):
        load(folder)  # tells every fault
    consumers, faults = read_consumers(folder, files)
    if faults.found:
        raise ConfigError("the consumers cannot be read", where=faults.file, faults=faults.sorted())
    uses = uses_of(files)
    built = [_File(folder, each, uses, consumers) for each in files if each.mapping is not None]
    events = tuple(event for each in built for event in each.events())
    return Catalogue(tuple(each.aggregate() for each in built), events)


@dataclass(slots=True)
class _File:
    """The entries of one mapping file."""

    folder: Path
    loaded: LoadedFile
    uses: Uses
    consumers: Consumers

    @property
    def mapping(self) -> CompiledMapping:
        assert self.loaded.mapping is not None
        return self.loaded.mapping

    @property
    def tables(self) -> Mapping[str, Table]:
        """By domain name."""
        return {table.name: table for table in self.mapping.tables.values()}

    def aggregate(self) -> AggregateEntry:
        """The aggregate's entry."""
        mapping = self.mapping
        return AggregateEntry(
            mapping.aggregate,
            mapping.name,
            mapping.file,
            mapping.key,
            tuple(dict.fromkeys(kind.topic for kind in mapping.events.values())),
            mapping.topics,
            tuple(self._table(table) for table in mapping.tables.values()),
            tuple(each for each in self.rules() if not each.event),
            tuple(mapping.events),
        )

    def events(self) -> Iterable[EventEntry]:
        """The events' entries, in the order of the rules."""
        rules, examples = self.rules(), examples_of(self.folder, self.mapping)
        for kind in self.mapping.events.values():
            own = tuple(rule for rule in rules if rule.event == kind.name)
            yield self._event(kind, own, examples.get(kind.name, ()))

    def _event(self, kind: EventType, rules: tuple[RuleEntry, ...], examples: tuple[ExampleEntry, ...]) -> EventEntry:
        mapping = self.mapping
        fields = fields_of(kind.schema)
        return EventEntry(
            kind.name,
            mapping.aggregate,
            mapping.name,
            mapping.file,
            kind.capability,
            kind.topic,
            kind.version,
            kind.full_name,
            str(kind.schema.get("doc", "")),
            kind.schema,
            fields,
            rules,
            origins_of(self.uses, kind.name, fields, {self.mapping.file: self.loaded.faults.text}),
            self._versions(kind),
            {f"v{each.version}": each.schema for each in kind.versions},
            examples,
            tuple(_consumer(one, kind.name) for one in self.consumers.of(kind.name)),
        )

    def _versions(self, kind: EventType) -> tuple[VersionEntry, ...]:
        folder = (self.folder / self.mapping.file).parent / "events"
        found = [*minor_versions(folder, kind.name, kind.version, kind.schema)]
        for older in kind.versions[1:]:
            sunset = "" if older.sunset is None else older.sunset.isoformat()
            found.append(
                VersionEntry(f"v{older.version}", "deprecated", older.full_name, sunset=sunset, file=older.file)
            )
        return tuple(found)

    def rules(self) -> tuple[RuleEntry, ...]:
        """All rules, in the order of the file."""
        marks = [each.section.mark.line for each in self.loaded.rules]
        ends = [*(line - 1 for line in marks[1:]), len(self.loaded.faults.text.splitlines())]
        return tuple(self._rule(each, end) for each, end in zip(self.loaded.rules, ends, strict=True))

    def _rule(self, compiled: Compiled, end: int) -> RuleEntry:
        rule, section = compiled.rule, compiled.section
        return RuleEntry(
            rule.name,
            rule.event or "",
            str(rule.intent),
            lines_of(section, self.tables, self._conditions()),
            self.mapping.file,
            section.mark.line,
            _excerpt(self.loaded.faults.text, section.mark.line, end),
            rule.because,
            tuple(dict.fromkeys(self.tables[pattern.table].physical for pattern in _patterns(compiled))),
        )

    def _conditions(self) -> Mapping[str, str]:
        sections = [self.loaded.section, *(used.section for used in self.loaded.used)]
        entries = [entry for each in sections if isinstance(each, Section) for entry in each.entries("conditions")]
        return {name.text: test.text for name, test in entries if isinstance(test, Scalar)}

    def _table(self, table: Table) -> TableEntry:
        raws = dict.fromkeys(column.raw for column in table.columns.values())
        columns = tuple(self._column(table, raw) for raw in raws)
        return TableEntry(table.physical, table.name, table.row, columns)

    def _column(self, table: Table, raw: str) -> ColumnEntry:
        columns = [column for column in table.columns.values() if column.raw == raw]
        return ColumnEntry(
            raw,
            tuple(column.name for column in columns),
            ", ".join(dict.fromkeys(column.type for column in columns)),
            any(column.pii for column in columns),
            all(column.bookkeeping for column in columns),
            events_of(self.uses, table.physical, raw),
            noise_of(self.uses, table.physical, raw),
        )


def _patterns(compiled: Compiled) -> tuple[Pattern, ...]:
    anchor = () if compiled.rule.anchor is None else (compiled.rule.anchor,)
    return (*anchor, *compiled.rule.companions)


def _consumer(consumer: Consumer, event: str) -> ConsumerEntry:
    reading = next(each for each in consumer.readings if each.event == event)
    return ConsumerEntry(consumer.name, consumer.owner, consumer.contact, consumer.purpose, reading.fields or ())


def _excerpt(text: str, first: int, last: int) -> str:
    """Lines of a file, without the blank and comment lines at their end, and without what they have in common."""
    lines = text.splitlines()[first - 1 : last]
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)
