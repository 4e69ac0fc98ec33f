"""Coverage as figures and lists: how much is explained, what never fired, what never happened, what nobody took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.authoring.coverage import BOOKKEEPING, NOBODY, Coverage, MappingCover
from gateway.authoring.shown import plain
from gateway.mapping.branches import Branch, BranchKind
from gateway.model.values import Value

__all__ = [
    "BranchLine",
    "ColumnLine",
    "MappingReport",
    "Report",
    "RuleLine",
    "Share",
    "TableLine",
    "TestLine",
    "Turn",
    "report_of",
    "shown",
]


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole."""

    part: int
    whole: int

    @property
    def percent(self) -> float:
        """0 to 100; 100 of nothing. Never 100 of less than all."""
        return 100.0 if not self.whole else min(self.part / self.whole * 100, 100 if self.part == self.whole else 99.99)


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """Changes of one column (or of whole rows, ``column`` ''), by who took them: events, noise, bookkeeping, nobody."""

    column: str
    by_event: int
    by_noise: int
    bookkeeping: int
    unexplained: int
    takers: tuple[tuple[str, int], ...] = ()

    @property
    def units(self) -> int:
        """All of them."""
        return self.by_event + self.by_noise + self.bookkeeping + self.unexplained


@dataclass(frozen=True, slots=True)
class TableLine:
    """One table: its changes by operation, and by column. ``still``: declared columns that never changed."""

    table: str
    physical: str
    operations: Mapping[str, ColumnLine]
    columns: tuple[ColumnLine, ...]
    still: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TestLine:
    """One test of a rule and how often it was true and false. ``verdict``: '', never true, never false, never asked."""

    text: str
    pattern: str
    true: int
    false: int

    @property
    def verdict(self) -> str:
        """What is missing of it."""
        if self.true and self.false:
            return ""
        return "never asked" if not self.true and not self.false else "never true" if not self.true else "never false"


@dataclass(frozen=True, slots=True)
class BranchLine:
    """One branch point of a rule's data, an older version's ``set`` or a column (the other two are then '').

    ``true``, ``false``: how often its test was; of `otherwise`, how many different codes were unlisted and listed.
    """

    kind: str
    place: str
    text: str
    owner: str
    field: str
    rule: str
    event: str
    table: str
    column: str
    true: int
    false: int

    @property
    def seen(self) -> str:
        """Which ways it went: both, true, false or never."""
        return ("both" if self.false else "true") if self.true else "false" if self.false else "never"

    @property
    def verdict(self) -> str:
        """What is missing of it; '' where it went both ways."""
        if self.kind == BranchKind.OTHERWISE:
            return {"both": "", "true": "always needed", "false": "never needed", "never": "never asked"}[self.seen]
        return {"both": "", "true": "never false", "false": "never true", "never": "never asked"}[self.seen]

    @property
    def whose(self) -> str:
        """Owner and field in words."""
        return f"{self.owner}, {self.field}" if self.field else self.owner


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule: how often it fired, how much it took, where it stops most, its tests."""

    rule: str
    event: str
    place: str
    fired: int
    units: int
    stops: tuple[tuple[str, int], ...]
    tests: tuple[TestLine, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """A code's turn from one value to another: how often, and who took it (NOBODY where nobody did)."""

    table: str
    column: str
    before: Value
    after: Value
    count: int
    takers: tuple[tuple[str, int], ...]

    @property
    def unmatched(self) -> int:
        """How often nobody took it."""
        return dict(self.takers).get(NOBODY, 0)


@dataclass(frozen=True, slots=True)
class MappingReport:
    """One mapping."""

    name: str
    records: int
    sets: int
    failed: Mapping[str, int]
    parked: int
    outcomes: Mapping[str, int]
    explained: Share
    fired: Share
    both_ways: Share
    taken: Share
    tables: tuple[TableLine, ...]
    rules: tuple[RuleLine, ...]
    turns: tuple[Turn, ...]
    unseen: tuple[tuple[str, str, tuple[Value, ...]], ...]
    """Codes that the mapping lists and no record had: table, column, symbols."""
    branches: tuple[BranchLine, ...] = ()

    @property
    def lacks(self) -> tuple[tuple[str, str], ...]:
        """What to look at, the worst first: a word for the kind, and where."""
        return tuple(_lacks(self))


@dataclass(frozen=True, slots=True)
class Report:
    """All mappings and what they have in common."""

    source: str
    masked: bool
    mappings: tuple[MappingReport, ...]

    def _sum(self, shares: Iterable[Share]) -> Share:
        found = list(shares)
        return Share(sum(one.part for one in found), sum(one.whole for one in found))

    @property
    def explained(self) -> Share:
        """Changes that an event or noise rule took, or that are bookkeeping, of all."""
        return self._sum(one.explained for one in self.mappings)

    @property
    def fired(self) -> Share:
        """Rules that fired, of all."""
        return self._sum(one.fired for one in self.mappings)

    @property
    def both_ways(self) -> Share:
        """Tests that were seen both true and false, of all."""
        return self._sum(one.both_ways for one in self.mappings)

    @property
    def taken(self) -> Share:
        """Branch points of data and columns that were seen to go both ways, of all."""
        return self._sum(one.taken for one in self.mappings)

    @property
    def records(self) -> int:
        """Raw records."""
        return sum(one.records for one in self.mappings)

    @property
    def sets(self) -> int:
        """Change sets, parked ones and snapshot rows apart."""
        return sum(one.sets for one in self.mappings)

    @property
    def failed(self) -> int:
        """Change sets that became dead letters."""
        return sum(sum(one.failed.values()) for one in self.mappings)


def _lacks(one: MappingReport) -> Iterable[tuple[str, str]]:
    for table in one.tables:
        for line in table.columns:
            if line.unexplained:
                yield "nobody took", f"{table.table}.{line.column}: {line.unexplained:,} of {line.units:,} changes"
        for op, line in table.operations.items():
            if op != "update" and line.unexplained:
                yield "nobody took", f"{op} of {table.table}: {line.unexplained:,} of {line.units:,}"
    for turn in one.turns:
        if turn.unmatched:
            told = f"{turn.table}.{turn.column}: {shown(turn.before)} → {shown(turn.after)}, {turn.unmatched:,}×"
            yield "nobody took the turn", told
    for rule in one.rules:
        if not rule.fired:
            stop = f"stopped most at {rule.stops[0][0]}" if rule.stops else "no row came to it"
            yield "never fired", f"{rule.rule} ({rule.place}): {stop}"
    for rule in one.rules:
        for test in rule.tests if rule.fired else ():
            if test.verdict:
                yield test.verdict, f"{rule.rule}: {test.text}"
    idle = {rule.rule for rule in one.rules if not rule.fired}
    for branch in one.branches:
        if branch.verdict and branch.rule not in idle:
            word = "otherwise" if branch.kind == BranchKind.OTHERWISE else "branch"
            yield f"{word} {branch.verdict}", f"{branch.whose} ({branch.place}): {branch.text}"
    for name, column, symbols in one.unseen:
        yield "code never seen", f"{name}.{column}: {', '.join(map(shown, symbols))}"


def shown(value: Value) -> str:
    """A domain value in words."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(plain(value))


def report_of(coverage: Coverage, source: str, *, masked: bool = False) -> Report:
    """The report. ``source``: where the records come from, in words."""
    return Report(source, masked, tuple(_mapping(one) for one in coverage.mappings.values()))


def _mapping(cover: MappingCover) -> MappingReport:
    rules = tuple(_rules(cover))
    tests = [test for rule in rules for test in rule.tests]
    branches = tuple(_branch(one) for one in cover.branches)
    units = sum(cover.units.values())
    nobody = sum(count for (*_, taker), count in cover.units.items() if taker == NOBODY)
    return MappingReport(
        cover.mapping.name,
        cover.records,
        cover.sets,
        dict(cover.failed.most_common()),
        cover.parked,
        dict(cover.outcomes.most_common()),
        Share(units - nobody, units),
        Share(sum(rule.fired > 0 for rule in rules), len(rules)),
        Share(sum(not test.verdict for test in tests), len(tests)),
        Share(sum(not branch.verdict for branch in branches), len(branches)),
        tuple(_tables(cover)),
        rules,
        tuple(_turns(cover)),
        tuple(_unseen(cover)),
        branches,
    )


def _branch(one: Branch) -> BranchLine:
    owner, mark = one.owner, one.mark
    return BranchLine(
        str(one.kind),
        f"{owner.file}:{mark.line}:{mark.column}",
        one.text if one.kind is BranchKind.OTHERWISE else f"{one.kind} {one.text}",
        str(owner),
        one.fills,
        owner.rule,
        owner.event,
        owner.table,
        owner.column,
        one.true,
        one.false,
    )


def _line(cover: MappingCover, column: str, takers: Counter[str]) -> ColumnLine:
    noise = {rule.name for rule in cover.mapping.rules if rule.event is None}
    by_noise = sum(count for taker, count in takers.items() if taker in noise)
    left, bookkeeping = takers[NOBODY], takers[BOOKKEEPING]
    by_event = takers.total() - by_noise - left - bookkeeping
    return ColumnLine(column, by_event, by_noise, bookkeeping, left, tuple(takers.most_common()))


def _tables(cover: MappingCover) -> Iterable[TableLine]:
    for physical, table in cover.mapping.tables.items():
        by_op: dict[str, Counter[str]] = {}
        by_column: dict[str, Counter[str]] = {}
        for (name, op, column, taker), count in cover.units.items():
            if name == table.name:
                by_op.setdefault(op, Counter())[taker] += count
                by_column.setdefault(column, Counter())[taker] += count
        still = tuple(name for name in table.columns if name not in by_column and name not in table.row)
        columns = [_line(cover, name, takers) for name, takers in by_column.items() if name]
        yield TableLine(
            table.name,
            physical,
            {op: _line(cover, "", takers) for op, takers in sorted(by_op.items())},
            tuple(sorted(columns, key=lambda one: (-one.unexplained, -one.units, one.column))),
            still,
        )


def _rules(cover: MappingCover) -> Iterable[RuleLine]:
    for rule in cover.mapping.rules:
        seen = cover.rules[rule.name]
        tests = [
            TestLine(text, pattern, truths[True], truths[False]) for (pattern, _, text), truths in seen.tests.items()
        ]
        place = f"{cover.mapping.file}:{rule.line}"
        stops = tuple(seen.stops.most_common(5))
        yield RuleLine(rule.name, rule.event or "", place, seen.fired, seen.units, stops, tuple(tests))


def _turns(cover: MappingCover) -> Iterable[Turn]:
    found: dict[tuple[str, str, Value, Value], Counter[str]] = {}
    for (table, column, before, after, taker), count in cover.turns.items():
        found.setdefault((table, column, before, after), Counter())[taker] += count
    turns = [Turn(*key, takers.total(), tuple(takers.most_common())) for key, takers in found.items()]
    return sorted(turns, key=lambda one: (-one.unmatched, one.table, one.column, -one.count))


def _unseen(cover: MappingCover) -> Iterable[tuple[str, str, tuple[Value, ...]]]:
    for table in cover.mapping.tables.values():
        for name, column in table.columns.items():
            left = set(column.symbols or ()) - cover.values.get((table.name, name), set())
            if left and (table.name, name) in cover.values:
                yield table.name, name, tuple(sorted(left, key=str))
