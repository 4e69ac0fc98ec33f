"""Patterns: the rows of one table that a rule wants, checked and compiled (language.md 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.mapping.branches import Branches
from gateway.mapping.compiled import Clause, Count, Expression, Pattern, RowOp, WhereTest
from gateway.mapping.expressions.compiler import compile_test
from gateway.mapping.expressions.names import CodeTable, LookupNames, Names, RowShape
from gateway.mapping.expressions.reading import Reading
from gateway.mapping.expressions.syntax import ExpressionFault, Parsed
from gateway.mapping.kinds import Kind, Type, constant
from gateway.mapping.nodes import Faults, Scalar, did_you_mean
from gateway.mapping.records import Section
from gateway.mapping.tables import TableInfo
from gateway.model.values import UNREADABLE, Value

__all__ = ["Context", "Match", "compile_pattern"]

Role = Literal["each", "with", "once"]


@dataclass(frozen=True, slots=True)
class Context:
    """What all rules of a mapping share."""

    tables: Mapping[str, TableInfo]
    key: Mapping[str, Type]
    conditions: Mapping[str, Parsed | None]
    codes: Mapping[str, CodeTable]
    faults: Faults
    doubtful: bool = False
    """Tables, conditions or codes have faults: unknown names are no news."""
    lookups: LookupNames = field(default_factory=LookupNames)
    branches: Branches | None = None
    """Watch those of the rules' data."""

    def names(self, anchor: RowShape | None = None) -> Names:
        """What a test of one row sees."""
        return Names(
            anchor=anchor,
            key=self.key,
            conditions=self.conditions,
            codes=self.codes,
            doubtful=self.doubtful,
        )

    def test(self, scalar: Scalar, names: Names) -> Expression | None:
        """A compiled ``when``; None after a fault."""
        if "{{" in scalar.text:
            self.faults.add(scalar.mark, "`when` is a bare expression", "leave {{ and }} out")
            return None
        try:
            return compile_test(scalar.text, names).run
        except ExpressionFault as fault:
            if not fault.silent:
                self.faults.add(scalar.at(fault.offset), fault.what, fault.hint)
            return None

    def clause(self, scalar: Scalar | None, names: Names) -> Clause | None:
        """A ``when`` to be explained; None where there is none. Its faults are those of `test`."""
        return None if scalar is None else Clause(scalar.text, Reading(scalar.text, names))


@dataclass(frozen=True, slots=True)
class Match:
    """A compiled pattern and the row as expressions see it."""

    pattern: Pattern
    shape: RowShape


def compile_pattern(
    section: Section, name: str, context: Context, role: Role, *, noise: bool, anchor: Match | None = None
) -> Match | None:
    """Compile one pattern; None after a fault that leaves nothing to go on with. ``anchor``: of a ``with`` pattern."""
    return _Pattern(section, name, context, role, noise, anchor).compile()


class _Pattern:
    def __init__(
        self, section: Section, name: str, context: Context, role: Role, noise: bool, anchor: Match | None
    ) -> None:
        self.section = section
        self.name = name
        self.context = context
        self.faults = context.faults
        self.role = role
        self.noise = noise
        self.anchor = anchor

    def compile(self) -> Match | None:
        table = self.section.scalar("table")
        if table is None:
            return None
        info = self.context.tables.get(table.text)
        if info is None:
            if not self.context.doubtful:
                hint = did_you_mean(table.text, self.context.tables)
                self.faults.add(table.mark, f"there is no table `{table.text}`", hint)
            return None
        self.info = info
        changed = self._changed()
        tests = self._where()
        ops = self._ops(changed is not None, self._tests_change())
        explains, witness = self._explains(ops)
        transitions = frozenset(test.column for test in tests if test.transition)
        self._bookkeeping(transitions)
        takes = frozenset[str]()
        if RowOp.UPDATE in ops and not witness:
            takes = (changed or frozenset()) | transitions | explains
        shape = RowShape(table.text, info.types, ops, info.lost)
        pattern = Pattern(
            self.name,
            table.text,
            ops,
            changed,
            tests,
            takes,
            witness,
            Count(self.section.word("count", "one")),
            self._when(shape),
            self._same(),
            self.section.mark.line,
            self.context.clause(self.section.scalar("when"), self.context.names(shape)),
        )
        return Match(pattern, shape)

    def _expand(self, scalars: tuple[Scalar, ...]) -> frozenset[str]:
        """Columns and groups as columns; none of them may be bookkeeping."""
        found: set[str] = set()
        table = self.info.table
        for scalar in scalars:
            if scalar.text in table.groups:
                columns = table.groups[scalar.text]
            elif scalar.text in table.columns:
                columns = (scalar.text,)
            else:
                self._unknown_column(scalar)
                continue
            hidden = [column for column in columns if table.columns[column].bookkeeping]
            if hidden:
                hint = "bookkeeping is never a fact: leave it out, or declare it as an ordinary column"
                self.faults.add(scalar.mark, f"`{hidden[0]}` is a bookkeeping column", hint)
            found.update(columns)
        return frozenset(found)

    def _unknown_column(self, scalar: Scalar) -> None:
        if self.info.hides(scalar.text):
            return
        table = self.info.table
        if scalar.text in ("any", "nothing"):
            place = "`any` stands in `changed` only" if scalar.text == "any" else "`nothing` stands alone in `explains`"
            self.faults.add(scalar.mark, f"`{scalar.text}` is no column", place)
            return
        hint = did_you_mean(scalar.text, [*table.columns, *table.groups])
        self.faults.add(scalar.mark, f"the table `{table.name}` has no column `{scalar.text}`", hint)

    def _changed(self) -> frozenset[str] | None:
        if "changed" not in self.section:
            return None
        scalars = self.section.scalars("changed")
        if len(scalars) == 1 and scalars[0].text == "any":
            if self.noise:
                self.faults.add(scalars[0].mark, "`any` in a noise rule", "name the columns one by one")
            return self.info.facts
        return self._expand(scalars)

    def _explains(self, ops: frozenset[RowOp]) -> tuple[frozenset[str], bool]:
        scalars = self.section.scalars("explains")
        if len(scalars) == 1 and scalars[0].text == "nothing":
            return frozenset(), True
        if scalars and RowOp.UPDATE not in ops:
            hint = "on other operations the row is taken; for a witness write explains: nothing"
            self.faults.add(self.section.mark_of("explains"), "`explains` without an update", hint)
        return self._expand(scalars), False

    def _bookkeeping(self, transitions: frozenset[str]) -> None:
        for scalar, _ in self.section.entries("where"):
            column = self.info.table.columns.get(scalar.text)
            if column is not None and column.bookkeeping and scalar.text in transitions:
                what = f"`{scalar.text}` is a bookkeeping column"
                self.faults.add(scalar.mark, what, "bookkeeping is never a fact: test its value instead of from/to")

    def _tests_change(self) -> bool:
        """Whether a test asks ``from`` or ``to``, be its column known or not."""
        tests = (test for _, test in self.section.entries("where") if isinstance(test, Section))
        return any("from" in test or "to" in test for test in tests)

    def _ops(self, changed: bool, transition: bool) -> frozenset[RowOp]:
        implies = changed or transition
        if "op" not in self.section:
            if not implies and not self.section.broken:
                hint = "write op: insert (or delete, leaves, arrives), or changed: [columns]"
                self.faults.add(self.section.mark, "the pattern does not say what happened", hint)
            return frozenset({RowOp.UPDATE})
        ops = frozenset(RowOp(scalar.text) for scalar in self.section.scalars("op"))
        place = self.section.mark_of("op")
        if RowOp.SNAPSHOT in ops and len(ops) > 1:
            self.faults.add(place, "`snapshot` is mixed with other operations", "write a rule of its own for snapshots")
        if RowOp.UPDATE in ops and not implies:
            hint = "add changed: [columns]" + ("" if self.noise else ", or changed: any for every column")
            if "explains" in self.section:
                hint += "; `explains` says what else is taken, not what must have changed"
            self.faults.add(place, "`update` without `changed`, `from` or `to`", hint)
        if changed and RowOp.UPDATE not in ops:
            self.faults.add(self.section.mark_of("changed"), "`changed` speaks of updates", "add update to `op`")
        if RowOp.SNAPSHOT in ops and transition:
            self.faults.add(place, "a snapshot row did not change", "test a value instead of from/to")
        return ops or frozenset({RowOp.UPDATE})

    def _where(self) -> tuple[WhereTest, ...]:
        tests = []
        for column, wanted in self.section.entries("where"):
            type_ = self.info.types.get(column.text)
            if type_ is None:
                if column.text in self.info.table.groups:
                    self.faults.add(column.mark, f"`{column.text}` is a group", "test its columns one by one")
                else:
                    self._unknown_column(column)
                continue
            test = self._test(column, type_, wanted)
            if test is not None:
                tests.append(test)
        return tuple(tests)

    def _test(self, column: Scalar, type_: Type, wanted: object) -> WhereTest | None:
        line = column.mark.line
        if isinstance(wanted, Scalar):
            return WhereTest(column.text, self._values((wanted,), type_), line=line)
        if isinstance(wanted, tuple):
            return WhereTest(column.text, self._values(wanted, type_), line=line)
        assert isinstance(wanted, Section)
        negated = "not" in wanted
        transition = "from" in wanted or "to" in wanted
        if negated and transition:
            self.faults.add(wanted.mark, "`not` beside `from` or `to`", "write one of them; put the other into `when`")
            return None
        if not negated and not transition:
            if not wanted.broken:
                self.faults.add(wanted.mark, "an empty test", "write a value, {not: …}, {from: …} or {to: …}")
            return None
        if negated:
            return WhereTest(column.text, self._values(wanted.scalars("not"), type_), negated=True, line=line)
        was = self._values(wanted.scalars("from"), type_) if "from" in wanted else None
        became = self._values(wanted.scalars("to"), type_) if "to" in wanted else None
        return WhereTest(column.text, transition=True, was=was, became=became, line=line)

    def _values(self, scalars: tuple[Scalar, ...], type_: Type) -> tuple[Value, ...]:
        values: list[Value] = []
        for scalar in scalars:
            value = None if scalar.is_null else constant(type_.kind, scalar.text)
            if value is UNREADABLE:
                self.faults.add(scalar.mark, f"`{scalar.text[:60]}` is no {type_}", _example(type_.kind))
            elif type_.symbols is not None and value is not None and value not in type_.symbols:
                hint = did_you_mean(scalar.text, type_.symbols)
                self.faults.add(scalar.mark, f"`{scalar.text[:60]}` is none of the column's values", hint)
            else:
                values.append(value)
        return tuple(values)

    def _when(self, shape: RowShape) -> Expression | None:
        scalar = self.section.scalar("when")
        return None if scalar is None else self.context.test(scalar, self.context.names(shape))

    def _same(self) -> tuple[str, ...]:
        good: dict[str, None] = {}
        for scalar in self.section.scalars("same"):
            columns = self.info.table.groups.get(scalar.text, (scalar.text,))
            good.update((column, None) for column in columns if self._joins(scalar, column))
        return tuple(good)

    def _joins(self, scalar: Scalar, column: str) -> bool:
        """Whether a column of ``same`` is one of the anchor's, too, and of the same type."""
        mine = self.info.types.get(column)
        if mine is None:
            self._unknown_column(scalar)
            return False
        if self.anchor is None:
            return False
        theirs = self.anchor.shape.columns.get(column)
        if theirs is None:
            if not self.anchor.shape.hides(column):
                what = f"the anchor's table `{self.anchor.shape.table}` has no column `{column}`"
                self.faults.add(scalar.mark, what, "`same` compares columns of one name")
        elif theirs.kind is not mine.kind:
            self.faults.add(scalar.mark, f"`{column}` is {mine} here and {theirs} in the anchor")
        return theirs is not None and theirs.kind is mine.kind


def _example(kind: Kind) -> str:
    return {
        Kind.DATE: "write dates as 2026-01-02",
        Kind.TIMESTAMP: "write times as 2026-01-02T03:04:05Z",
        Kind.BOOL: "write true or false",
    }.get(kind, "")
