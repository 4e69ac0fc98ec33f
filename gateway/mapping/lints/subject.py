"""What lints look at: one mapping file with everything that was read of it, and all files of a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gateway.mapping.compiled import Column, CompiledMapping
from gateway.mapping.contract import RecordOf
from gateway.mapping.kinds import Type
from gateway.mapping.lints.payload import Leaf, leaves_of
from gateway.mapping.lints.recorded import RecordedColumn, RecordedTable, Schema
from gateway.mapping.lints.spoken import Ref, Spoken, conditions_spoken, refs_in, spoken_in
from gateway.mapping.loader import LoadedFile
from gateway.mapping.nodes import Mark, Scalar
from gateway.mapping.patterns import Context
from gateway.mapping.records import Section
from gateway.mapping.shared import Shared
from gateway.mapping.tables import TableInfo

__all__ = ["CaseFacts", "ColumnFact", "House", "Subject"]


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What a mapping's test cases expect: events by name with the place of their first mention."""

    file: str
    events: Mapping[str, Mark]


@dataclass(frozen=True, slots=True)
class ColumnFact:
    """A declared column: its place, its section (of a part: the part's), what was compiled and what was recorded.

    ``raw``: the legacy name's place; ``values``: where null_when and decode stand.
    """

    table: TableInfo
    raw: Scalar
    section: Section
    column: Column
    type: Type
    recorded: RecordedColumn | None

    @property
    def place(self) -> Mark:
        """Where its domain name is given."""
        return self.table.places[self.column.name].mark


class Subject:
    """One mapping file without load errors."""

    def __init__(self, loaded: LoadedFile, schema: Schema | None = None, cases: CaseFacts | None = None) -> None:
        assert loaded.mapping is not None and loaded.context is not None and loaded.section is not None
        self.loaded = loaded
        self.schema = schema
        self.cases = cases
        self.file = loaded.faults.file
        self.mapping: CompiledMapping = loaded.mapping
        self.context: Context = loaded.context
        self.section: Section = loaded.section
        self.rules = loaded.rules

    def recorded(self, physical: str) -> RecordedTable | None:
        """What was recorded of a table; None without a schema, or where it was not seen."""
        return None if self.schema is None else self.schema.get(physical)

    @cached_property
    def columns(self) -> Mapping[tuple[str, str], ColumnFact]:
        """Every declared column by (table's domain name, column's domain name)."""
        return {(each.table.table.name, each.column.name): each for each in self._columns()}

    def _columns(self) -> Iterator[ColumnFact]:
        for info in self.context.tables.values():
            recorded = self.recorded(info.table.physical)
            sections = (
                {raw.text: (raw, section) for raw, section in info.section.named("columns")} if info.section else {}
            )
            for name, column in info.table.columns.items():
                raw, section = sections[column.raw]
                if column.part is not None:
                    section = next(part for key, part in section.named("parts") if key.text == name)
                seen = None if recorded is None else recorded.columns.get(column.raw)
                yield ColumnFact(info, raw, section, column, info.types[name], seen)

    @cached_property
    def spoken(self) -> tuple[Spoken, ...]:
        """Every expression of rules and parts, with what it may name."""
        return tuple(spoken_in(self.rules, self.context))

    @cached_property
    def conditions(self) -> Mapping[str, tuple[Spoken, ...]]:
        """The conditions of this file, each as often as tests name it: for what row, differs from test to test."""
        entries = self.section.entries("conditions")
        places = {name.text: scalar for name, scalar in entries if isinstance(scalar, Scalar)}
        tests = [each for each in self.spoken if each.role in ("when", "pattern")]
        return conditions_spoken(tests, places, self.context.conditions)

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every field that rules fill, with what fills it."""
        return tuple(leaves_of(self.rules, self.loaded.contracts, self.context))

    @cached_property
    def refs(self) -> tuple[Ref, ...]:
        """Every column that an expression or `$take` names."""
        said = [ref for each in self.spoken for ref in refs_in(each, self.context.conditions)]
        return (*said, *(leaf.taken for leaf in self.leaves if leaf.taken is not None))

    def contract(self, event: str) -> RecordOf | None:
        """The record of an event's contract."""
        found = self.loaded.contracts.get(event)
        return None if found is None else found.record


@dataclass
class House:
    """All mapping files of a folder: those without load errors, and the shared files."""

    subjects: tuple[Subject, ...]
    shared: Shared
    schema: Schema | None = None
    broken: bool = False
    cases: Mapping[str, CaseFacts] = field(default_factory=dict)
