"""The ``tables:`` of a mapping: columns, parts, groups, checked and compiled."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from gateway.mapping.branches import Branches, BranchKind, Owner, Watch, watched_decoding
from gateway.mapping.columns import COLUMN_TYPES, Reader, decoding, nulling, reader_of
from gateway.mapping.compiled import Column, Table
from gateway.mapping.expressions.names import CodeTable, Names
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.grammar import RESERVED
from gateway.mapping.kinds import Kind, Type, text_of
from gateway.mapping.nodes import Faults, Scalar, did_you_mean
from gateway.mapping.records import Section
from gateway.mapping.templates import compile_template, is_template
from gateway.model.values import Value

__all__ = ["Policies", "TableInfo", "code_table", "compile_tables"]


@dataclass(frozen=True, slots=True)
class Policies:
    """What the mapping says about unexplained and undeclared columns, for tables that say nothing.

    ``codes_lost``: a shared file has faults, so an unknown code table is no news.
    """

    unexplained: str = "report"
    undeclared: str = "report"
    codes_lost: bool = False


@dataclass(slots=True)
class TableInfo:
    """A compiled table with what the checks need: types of its columns; ``lost``: names of columns with faults.

    ``lost`` is None where the names themselves could not be read.
    """

    table: Table
    types: dict[str, Type]
    lost: frozenset[str] | None = frozenset()
    section: Section | None = None
    places: dict[str, Scalar] = field(default_factory=dict)

    def hides(self, column: str) -> bool:
        """Whether an unknown column is the consequence of a fault noted elsewhere."""
        return self.lost is None or column in self.lost

    @property
    def facts(self) -> frozenset[str]:
        """All declared columns but bookkeeping."""
        return frozenset(name for name, column in self.table.columns.items() if not column.bookkeeping)


def _code_value(scalar: Scalar) -> Value:
    if scalar.is_null:
        return None
    return scalar.text == "true" if not scalar.style and scalar.text in ("true", "false") else scalar.text


def code_table(entries: tuple[tuple[Scalar, object], ...], faults: Faults) -> CodeTable | None:
    """A code table from its entries; None after a fault."""
    codes: dict[str | None, Value] = {}
    kinds: dict[Kind, Scalar] = {}
    for key, value in entries:
        assert isinstance(value, Scalar)
        code = None if key.is_null else key.text.rstrip(" ")
        if code in codes:
            faults.add(key.mark, f"the code `{key.text}` stands here twice", "trailing blanks do not count")
            return None
        codes[code] = _code_value(value)
        if codes[code] is not None:
            kinds[Kind.BOOL if isinstance(codes[code], bool) else Kind.TEXT] = value
    if len(kinds) > 1:
        faults.add(kinds[Kind.BOOL].mark, "a code table gives text or true/false, not both", "quote 'true' for text")
        return None
    return CodeTable(codes, _type_of(codes.values()))


def _type_of(values: object) -> Type:
    known = [value for value in cast("list[Value]", list(values)) if value is not None]  # type: ignore[call-overload]
    if known and isinstance(known[0], bool):
        return Type(Kind.BOOL)
    return Type(Kind.TEXT, frozenset(str(value) for value in known))


def compile_tables(
    entries: tuple[tuple[Scalar, Section], ...],
    codes: Mapping[str, CodeTable],
    policies: Policies,
    faults: Faults,
    branches: Branches | None = None,
) -> dict[str, TableInfo]:
    """All tables by domain name. ``codes`` are the shared code tables in use; ``branches``: watch those of columns."""
    found: dict[str, TableInfo] = {}
    for physical, section in entries:
        name = section.scalar("as")
        if name is None:
            continue
        if name.text in RESERVED:
            faults.add(name.mark, f"`{name.text}` is reserved", "choose another name for the table")
        elif name.text in found:
            faults.add(name.mark, f"two tables are called `{name.text}`", "choose another name")
        else:
            found[name.text] = _Table(physical.text, name.text, section, codes, policies, faults, branches).compile()
    return found


class _Table:
    """Compiles one table."""

    def __init__(
        self,
        physical: str,
        name: str,
        section: Section,
        codes: Mapping[str, CodeTable],
        policies: Policies,
        faults: Faults,
        branches: Branches | None,
    ) -> None:
        self.physical = physical
        self.name = name
        self.section = section
        self.codes = codes
        self.policies = policies
        self.faults = faults
        self.branches = branches
        self.columns: dict[str, Column] = {}
        self.types: dict[str, Type] = {}
        self.places: dict[str, Scalar] = {}
        self.lost: set[str] = set()
        self.nameless = "columns" in section.faulty and section.values.get("columns") is None

    def compile(self) -> TableInfo:
        packed: list[tuple[Scalar, Section]] = []
        for raw, column in self.section.named("columns"):
            if "parts" in column:
                packed.append((raw, column))
            else:
                self._plain(raw, column)
        plain = dict(self.types)
        for raw, column in packed:
            self._packed(raw, column, plain)
        groups = self._groups()
        row = self._row(groups)
        unexplained = self.section.word("unexplained", self.policies.unexplained)
        undeclared = self.section.word("undeclared", self.policies.undeclared)
        table = Table(
            self.physical,
            self.name,
            row,
            self.columns,
            cast(Literal["drift", "ignore"], self.section.word("truncate", "drift")),
            cast(Literal["report", "park"], unexplained),
            cast(Literal["report", "park", "ignore"], undeclared),
            groups,
        )
        return TableInfo(table, self.types, self._lost(), self.section, self.places)

    def _lost(self) -> frozenset[str] | None:
        return None if self.nameless else frozenset(self.lost)

    def _add(self, place: Scalar, column: Column, type_: Type) -> None:
        if column.name in self.columns:
            self.faults.add(place.mark, f"two columns are called `{column.name}`", "choose another `as`")
            self.nameless = True
            return
        self.columns[column.name] = column
        self.types[column.name] = type_
        self.places[column.name] = place

    def _plain(self, raw: Scalar, section: Section) -> None:
        alias = section.scalar("as")
        place = alias or raw
        if alias is None and (not re.fullmatch(r"[A-Za-z_]\w*", raw.text, re.ASCII) or keyword.iskeyword(raw.text)):
            self.faults.add(raw.mark, f"the column `{raw.text}` cannot keep its name", "give it a domain name: as: …")
            self.nameless = True
            return
        read = self._reading(section, place.text)
        if read is None or section.broken:
            self._lose(place, section)
        else:
            type_, reader, spelled = read
            self._add(place, self._column(place.text, raw.text, spelled, type_, reader, section), type_)

    def _lose(self, place: Scalar, section: Section) -> None:
        self.lost.add(place.text)
        self.nameless |= "as" in section.faulty

    def _column(self, name: str, raw: str, spelled: str, type_: Type, read: Reader, section: Section) -> Column:
        symbols = None if type_.symbols is None else frozenset[Value](type_.symbols)
        return Column(
            name, raw, spelled, read, pii=section.flag("pii"), bookkeeping=section.flag("bookkeeping"), symbols=symbols
        )

    def _packed(self, raw: Scalar, section: Section, plain: Mapping[str, Type]) -> None:
        for key in ("as", "decode", "null_when", "otherwise", "pii", "bookkeeping"):
            if key in section:
                self.faults.add(section.mark_of(key), f"`{key}` beside `parts`", "say it of each part")
        kind, value = reader_of(section.word("type", "text")) or (Kind.TEXT, None)
        if value is None:
            self._unknown_type(section)
        names = Names(value=Type(kind), image=plain, doubtful=bool(self.lost or self.nameless))
        self.nameless |= "parts" in section.faulty and not section.named("parts")
        for name, part in section.named("parts"):
            before = len(self.columns)
            if value is not None:
                self._part(raw.text, name, part, names, value)
            if len(self.columns) == before:
                self.lost.add(name.text)

    def _part(self, raw: str, name: Scalar, part: Section, names: Names, value: Reader) -> None:
        template = part.scalar("is")
        if template is None:
            return
        if not is_template(template):
            self.faults.add(template.mark, "a part is computed", 'write "{{ value | … }}"')
            return
        try:
            typed = compile_template(template.text, replace(names, watch=self._watch(name.text)).within(template))
        except ExpressionFault as fault:
            if not fault.silent:
                self.faults.add(template.at(fault.offset), fault.what, fault.hint)
            return
        reads = any(key in part for key in ("type", "decode", "null_when", "otherwise"))
        read = self._reading(part, name.text) if reads else _as_computed(typed.type)
        if read is None:
            return
        type_, reader, spelled = read
        if reads:
            inner = reader
            reader = lambda part: inner(_raw_again(part))  # noqa: E731 - a wrapper of one call
        column = self._column(name.text, raw, spelled, type_, reader, part)
        packed = Column(
            column.name,
            column.raw,
            column.type,
            column.read,
            column.pii,
            column.bookkeeping,
            typed.run,
            value,
            column.symbols,
        )
        self._add(name, packed, type_)

    def _unknown_type(self, section: Section) -> None:
        spelled = section.scalar("type")
        if spelled is not None:
            known = "; types are " + ", ".join(COLUMN_TYPES)
            self.faults.add(
                spelled.mark,
                f"unknown type `{spelled.text[:40]}`",
                did_you_mean(spelled.text, COLUMN_TYPES) or known[2:],
            )

    def _reading(self, section: Section, name: str) -> tuple[Type, Reader, str] | None:
        """Type, reader and spelled type of a column from type, null_when, decode and otherwise."""
        decoded = self._decoding(section, name)
        if decoded is None:
            return None
        type_, read, spelled = decoded
        nulls = section.scalars("null_when")
        if nulls:
            read = nulling(read, frozenset(scalar.text.rstrip(" ") for scalar in nulls if not scalar.is_null))
        return type_, read, spelled

    def _decoding(self, section: Section, name: str) -> tuple[Type, Reader, str] | None:
        if "decode" not in section:
            if "otherwise" in section:
                self.faults.add(section.mark_of("otherwise"), "`otherwise` without `decode`", "add the code table")
            found = reader_of(section.word("type", "text"))
            if found is None:
                self._unknown_type(section)
                return None
            return Type(found[0]), found[1], section.word("type", "text")
        if "type" in section:
            self.faults.add(section.mark_of("type"), "`type` beside `decode`", "the code table decides: leave it out")
        table = self._codes(section)
        if table is None:
            return None
        fallback = section.scalar("otherwise")
        if fallback is None:
            return table.type, decoding(table.codes), table.type.kind.value
        other = _code_value(fallback)
        known = {value for value in table.codes.values() if value is not None}
        if other is not None and known and isinstance(other, bool) != (table.type.kind is Kind.BOOL):
            self.faults.add(fallback.mark, f"`otherwise` gives another type than the code table ({table.type})")
            return None
        type_ = _type_of([*known, other])
        return type_, self._otherwise(table, fallback, other, name), type_.kind.value

    def _otherwise(self, table: CodeTable, fallback: Scalar, other: Value, name: str) -> Reader:
        watch = self._watch(name)
        if watch is None:
            return decoding(table.codes, other)
        branch = watch.within(fallback).branch(BranchKind.OTHERWISE, f"otherwise: {fallback.text}")
        return watched_decoding(table.codes, other, branch)

    def _watch(self, column: str) -> Watch | None:
        if self.branches is None:
            return None
        return Watch(self.branches, Owner(self.faults.file, table=self.name, column=column))

    def _codes(self, section: Section) -> CodeTable | None:
        name = section.scalar("decode")
        if name is None:
            entries = section.entries("decode")
            return code_table(entries, self.faults) if section.values.get("decode") is not None else None
        if name.text not in self.codes:
            if not self.policies.codes_lost:
                hint = did_you_mean(name.text, self.codes) or "add its file under `use:`"
                self.faults.add(name.mark, f"there is no code table `{name.text}`", hint)
            return None
        return self.codes[name.text]

    def _groups(self) -> dict[str, tuple[str, ...]]:
        groups: dict[str, tuple[str, ...]] = {}
        for name, members in self.section.entries("groups"):
            scalars = cast("tuple[Scalar, ...]", members)
            if name.text in self.columns or name.text in RESERVED:
                self.faults.add(name.mark, f"the name `{name.text}` is taken", "choose another name for the group")
            for member in scalars:
                if not self._must_be_column(member):
                    self.lost.add(member.text)
            groups[name.text] = tuple(member.text for member in scalars if member.text in self.columns)
        return groups

    def _must_be_column(self, scalar: Scalar) -> bool:
        if scalar.text in self.columns:
            return True
        if not self.nameless and scalar.text not in self.lost:
            hint = did_you_mean(scalar.text, self.columns)
            self.faults.add(scalar.mark, f"the table `{self.name}` has no column `{scalar.text}`", hint)
        return False

    def _row(self, groups: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for scalar in self.section.scalars("row"):
            if scalar.text in groups:
                found.update(dict.fromkeys(groups[scalar.text]))
            elif self._must_be_column(scalar):
                found[scalar.text] = None
            parts = [name for name in groups.get(scalar.text, (scalar.text,)) if self._is_part(name)]
            if parts:
                self.faults.add(scalar.mark, f"`{parts[0]}` is a part", "a row is identified by whole columns")
        return tuple(found)

    def _is_part(self, name: str) -> bool:
        return name in self.columns and self.columns[name].part is not None


def _as_computed(type_: Type) -> tuple[Type, Reader, str]:
    """A part without a type of its own: text as in any column (blanks at its end cut), other values as they are."""
    found = reader_of(str(type_)) if type_.kind is Kind.TEXT else None
    if found is None:
        return type_, lambda part: cast(Value, part), str(type_)
    symbols = type_.symbols
    known = None if symbols is None else frozenset(text.rstrip(" ") for text in symbols) - {""}
    return Type(Kind.TEXT, known), found[1], str(type_)


def _raw_again(value: object) -> object:
    """The result of a part's expression as a raw value, so that its type or code table reads it."""
    return value if value is None or isinstance(value, (str, int)) else text_of(cast(Value, value))
