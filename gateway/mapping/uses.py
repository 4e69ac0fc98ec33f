"""What uses a legacy column, and what fills an event's field: the lineage of mappings, read from their sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gateway.mapping.compiled import Pattern
from gateway.mapping.contract import ArrayOf, Avro, MapOfValues, RecordOf, branches_of
from gateway.mapping.lints.payload import Leaf
from gateway.mapping.lints.spoken import Ref, Spoken, patterns_of, refs_in
from gateway.mapping.lints.subject import Subject
from gateway.mapping.loader import LoadedFile
from gateway.mapping.nodes import Mark
from gateway.mapping.rules import Compiled

__all__ = ["Fill", "Source", "Use", "Uses", "field_paths", "uses_of"]


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A legacy column: physical table, legacy name, domain name."""

    table: str
    raw: str
    column: str


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a column. ``how``: match, when, data, or key (of the row or the aggregate, ``rule`` '').

    ``event`` of the rule ('' for noise), ``field``: the field it fills or guards ('' outside data).
    """

    source: Source
    mapping: str
    file: str
    place: Mark
    rule: str
    how: str
    event: str = ""
    field: str = ""
    noise: bool = False


@dataclass(frozen=True, slots=True)
class Fill:
    """A field that a rule fills: from columns, from keys or the transaction (``columns`` empty), or by a constant.

    ``path`` as in contracts: dotted, ``[]`` for the items of an array.
    """

    mapping: str
    rule: str
    event: str
    path: str
    file: str
    place: Mark
    columns: tuple[Source, ...] = ()
    constant: str | None = None


class Uses:
    """The lineage of all mapping files that load."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._subjects = subjects

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Every use, in the order of files and rules."""
        return tuple(dict.fromkeys(use for subject in self._subjects for use in _uses(subject)))

    @cached_property
    def fills(self) -> tuple[Fill, ...]:
        """Every field that a rule fills; what is left to the contract's default is not among them."""
        return tuple(fill for subject in self._subjects for fill in _fills(subject))

    def of(self, table: str, raw: str) -> tuple[Use, ...]:
        """The uses of a legacy column, those as parts included."""
        return tuple(use for use in self.uses if use.source.table == table and use.source.raw == raw)

    def of_table(self, table: str) -> tuple[Use, ...]:
        """The uses of any column of a table, and of its rows as such."""
        return tuple(use for use in self.uses if use.source.table == table)


def uses_of(files: Iterable[LoadedFile]) -> Uses:
    """The lineage of the files that were loaded without faults (others are passed over)."""
    return Uses([Subject(file) for file in files if file.mapping is not None])


def _source(subject: Subject, table: str, column: str) -> Source | None:
    info = subject.context.tables.get(table)
    found = info.table.columns.get(column) if info is not None else None
    return Source(info.table.physical, found.raw, column) if info is not None and found is not None else None


def _uses(subject: Subject) -> Iterator[Use]:
    for info in subject.context.tables.values():
        for column in dict.fromkeys((*info.table.row, *subject.mapping.key)):
            source = _source(subject, info.table.name, column)
            if source is not None and column in info.places:
                yield Use(source, subject.mapping.name, subject.file, info.places[column].mark, "", "key")
    for compiled in subject.rules:
        for pattern, section in patterns_of(compiled):
            yield from _of_pattern(subject, compiled, pattern, section.mark)
    for spoken in subject.spoken:
        if spoken.rule is not None and spoken.role != "data":
            yield from _of_refs(subject, spoken.rule, _refs(subject, spoken), "when")
    for leaf in subject.leaves:
        yield from _of_refs(subject, leaf.rule, _refs_of(subject, leaf), "data", leaf.path)


def _of_pattern(subject: Subject, compiled: Compiled, pattern: Pattern, place: Mark) -> Iterator[Use]:
    """Columns that a pattern names, and the row's key where it takes whole rows."""
    named = {test.column: Mark(test.line, 1) if test.line else place for test in pattern.where}
    for column in sorted({*pattern.takes, *(pattern.changed or ()), *pattern.same}):
        named.setdefault(column, place)
    for column, mark in named.items():
        source = _source(subject, pattern.table, column)
        if source is not None:
            yield _use(subject, compiled, source, mark, "match")


def _refs(subject: Subject, spoken: Spoken) -> Iterator[Ref]:
    """The columns an expression names, and those that parts among them are computed from."""
    yield from refs_in(spoken, subject.context.conditions)


def _refs_of(subject: Subject, leaf: Leaf) -> Iterator[Ref]:
    if leaf.taken is not None:
        yield leaf.taken
    for spoken in (*leaf.parts, *leaf.guards):
        yield from _refs(subject, spoken)


def _of_refs(subject: Subject, compiled: Compiled, refs: Iterable[Ref], how: str, field: str = "") -> Iterator[Use]:
    for ref in refs:
        for source in _with_parts(subject, ref):
            yield _use(subject, compiled, source, ref.mark, how, field)


def _with_parts(subject: Subject, ref: Ref) -> Iterator[Source]:
    """The column, and where it is a part the columns beside its packed one that it reads."""
    source = _source(subject, ref.table, ref.column)
    if source is not None:
        yield source
    for spoken in subject.spoken:
        if spoken.role == "part" and (spoken.table, spoken.column) == (ref.table, ref.column):
            for inner in refs_in(spoken, {}):
                found = _source(subject, inner.table, inner.column)
                if found is not None:
                    yield found


def _use(subject: Subject, compiled: Compiled, source: Source, place: Mark, how: str, field: str = "") -> Use:
    rule = compiled.rule
    mapping = subject.mapping.name
    return Use(source, mapping, subject.file, place, rule.name, how, rule.event or "", field, rule.event is None)


def _fills(subject: Subject) -> Iterator[Fill]:
    for leaf in subject.leaves:
        rule = leaf.rule.rule
        columns = dict.fromkeys(source for ref in _refs_of(subject, leaf) for source in _with_parts(subject, ref))
        constant = None if leaf.constant is None else ("null" if leaf.constant.is_null else leaf.constant.text)
        yield Fill(
            subject.mapping.name,
            rule.name,
            rule.event or "",
            leaf.path,
            subject.file,
            leaf.mark,
            tuple(columns),
            constant,
        )


def field_paths(record: RecordOf) -> Mapping[str, Avro]:
    """Every field of a contract by its path: records by their fields, too, and arrays by their items (``[]``)."""
    return dict(_paths(record, "", 0))


def _paths(avro: Avro, path: str, depth: int) -> Iterator[tuple[str, Avro]]:
    if depth > 12:
        return
    for branch in branches_of(avro)[0]:
        if isinstance(branch, RecordOf):
            for name, (inner, _) in branch.fields.items():
                below = f"{path}.{name}" if path else name
                yield below, inner
                yield from _paths(inner, below, depth + 1)
        elif isinstance(branch, ArrayOf):
            yield f"{path}[]", branch.items
            yield from _paths(branch.items, f"{path}[]", depth + 1)
        elif isinstance(branch, MapOfValues):
            yield f"{path}{{}}", branch.values
            yield from _paths(branch.values, f"{path}{{}}", depth + 1)
