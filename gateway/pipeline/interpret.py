"""What a change set meant: rules from top to bottom, each change explained once (language.md 4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache

from gateway.mapping.compiled import Pattern, RowOp, Rule, Scope, Truth
from gateway.model.change import ChangeEvent, ChangeSet
from gateway.model.errors import LetterClass, RecordError
from gateway.model.event import (
    Accounting,
    DomainEvent,
    Interpretation,
    Outcome,
    OutcomeKind,
    RowRef,
    Tried,
    Unexplained,
)
from gateway.model.finding import Finding, FindingKind
from gateway.model.lookup import ReferenceTables
from gateway.model.values import Unavailable, Value
from gateway.pipeline.account import accounting, ignored, row_outcome, unexplained
from gateway.pipeline.firing import Companion, Search, take
from gateway.pipeline.lookups import LookupDesk
from gateway.pipeline.match import both, class_of, fits, truth_of
from gateway.pipeline.net import Path, paths
from gateway.pipeline.plan import MappingPlan
from gateway.pipeline.rows import NetRow, net_row
from gateway.pipeline.trace import Tracer

__all__ = ["failed", "interpret"]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def interpret(
    change_set: ChangeSet, plan: MappingPlan, *, trace: bool = False, lookups: ReferenceTables | None = None
) -> Interpretation:
    """Run the mapping's rules over one change set. Never raises for its data: a failure fails the set whole.

    ``lookups``: reference data, else the plan's; without any what a rule looks up is missing.
    """
    changes = change_set.changes
    if change_set.snapshot and changes[0].table not in plan.snapshot_tables:
        return _SNAPSHOT
    run = _Run(change_set, plan, trace=trace, lookups=lookups)
    try:
        return run.whole()
    except RecordError as error:
        return failed(len(changes), error, (*run.findings, *error.findings), run.traced(str(error)))


def failed(
    records: int, error: RecordError, findings: tuple[Finding, ...] = (), trace: tuple[Tried, ...] = ()
) -> Interpretation:
    """The interpretation of a change set that fails whole."""
    outcome = Outcome(OutcomeKind.DEAD_LETTERED, error.letter_class)
    return Interpretation((), (outcome,) * records, findings=findings, failure=error, trace=trace)


_UNDONE = ignored("undone")
_SNAPSHOT = Interpretation((), (ignored("snapshot"),))


class _Run:
    """The state of one interpretation: rows, what is taken of them, the events so far."""

    def __init__(
        self, change_set: ChangeSet, plan: MappingPlan, *, trace: bool, lookups: ReferenceTables | None
    ) -> None:
        self.changes = change_set.changes
        self.lookups = plan.lookups if lookups is None else lookups
        self.plan = plan
        self.change_set = change_set
        self.findings: list[Finding] = []
        self.trace = trace
        self.tracer: Tracer | None = None
        self.events: list[DomainEvent] = []
        self.noise: dict[str, int] = {}
        self.paths: list[Path] = []
        self.rows: list[NetRow] = []
        self._seen: set[tuple[str, int, str, RowRef]] = set()
        self._key: dict[str, Value] | None = None
        self._transaction: dict[str, Value] | None = None

    def whole(self) -> Interpretation:
        self.paths, unknown = paths(self.changes, self.plan.tables)
        outcomes = [_UNDONE] * len(self.changes)
        gone = 0
        for path in self.paths:
            row = net_row(path, self.plan.mapping.key)
            if row is None:
                gone += 1
                continue
            self.rows.append(row)
            self.findings.extend(row.findings)
        self._unknown_tables(unknown, outcomes)
        for rule in self._rules() if self.rows else ():
            self._try(rule)
        left = self._left()
        for row in self.rows:
            outcome = row_outcome(row)
            for place in row.path.places:
                outcomes[place] = outcome
        account = accounting(self.rows, gone) if self.rows or gone else Accounting()
        return Interpretation(
            tuple(self.events),
            tuple(outcomes),
            account,
            left,
            tuple(self.findings),
            self.noise,
            None,
            self.traced(),
        )

    def traced(self, failure: str = "") -> tuple[Tried, ...]:
        return () if self.tracer is None else self.tracer.whole(failure)

    def _unknown_tables(self, places: Sequence[int], outcomes: list[Outcome]) -> None:
        for place in places:
            change = self.changes[place]
            if self.plan.mapping.undeclared == "park":
                raise _policy(LetterClass.DRIFT, f"no mapping knows table {change.table}", change)
            outcomes[place] = ignored("undeclared")
            if self.plan.mapping.undeclared == "report":
                self.findings.append(Finding(FindingKind.UNDECLARED_TABLE, change.table))

    def _left(self) -> tuple[Unexplained, ...]:
        """What nobody took; RecordError where a policy says that it parks."""
        left: list[Unexplained] = []
        for row in self.rows:
            table = row.plan.table
            if row.undeclared and table.undeclared == "park":
                names = ", ".join(row.undeclared)
                raise _policy(LetterClass.DRIFT, f"undeclared columns of {table.physical}: {names}", row.path.last)
            if row.undeclared and table.undeclared == "report":
                self._check_rename(row)
            units = unexplained(row)
            if units and table.unexplained == "park":
                names = ", ".join(unit.column or "the row" for unit in units)
                raise _policy(LetterClass.UNEXPLAINED, f"nothing explains {table.physical}: {names}", row.path.last)
            left.extend(units)
            if row.format_only:
                kind = FindingKind.FORMAT_ONLY
                self.findings.extend(Finding(kind, table.physical, raw) for raw in row.format_only)
        return tuple(left)

    def _check_rename(self, row: NetRow) -> None:
        """An unknown column changed, and one that a rule waits for is gone: it may be the same fact (ADR 0013)."""
        gone = {one.column for one in row.findings if one.kind is FindingKind.MISSING}
        awaited = gone & self.plan.awaited[row.plan.table.physical]
        if not awaited or row.op is not RowOp.UPDATE:
            return
        table, place = row.plan.table.physical, row.path.last.record.place
        what = (
            f"{table}: {', '.join(row.undeclared)} changed, and {', '.join(sorted(awaited))} is gone: perhaps renamed"
        )
        hint = f"write the new name under `{table}` in {self.plan.mapping.file}, or take the old one out there"
        raise RecordError(LetterClass.DRIFT, what, where=place, hint=hint, stage="interpret")

    # -- rules ----

    def _rules(self) -> tuple[Rule, ...]:
        """Rules worth trying; traced, all of them are tried, and those others stop where they must."""
        if not self.trace:
            return self.plan.candidates(self.rows)
        self.tracer = Tracer(self.rows, self.plan.physical, self._search, self._scope)
        return self.plan.mapping.rules

    def _try(self, rule: Rule) -> None:
        if rule.anchor is None:
            self._attempt(rule, None, True, [(p, self._search(p)) for p in rule.companions])
            return
        searches: list[tuple[Pattern, Search]] | None = None
        table = self.plan.physical(rule.anchor)
        for index, row in enumerate(self.rows):
            if row.plan.table.physical != table:
                continue
            truth = fits(rule.anchor, row, self._scope)
            if truth is False:
                self._note(rule, index, "the row does not fit")
                continue
            if searches is None:
                searches = [(pattern, self._search(pattern)) for pattern in rule.companions]
            self._attempt(rule, row, truth, searches, index)

    def _attempt(
        self, rule: Rule, anchor: NetRow | None, truth: Truth, searches: list[tuple[Pattern, Search]], index: int = -1
    ) -> None:
        found: dict[str, Companion] = {}
        for pattern, search in searches:
            companion = found[pattern.name] = search.find(anchor)
            truth = both(truth, companion.truth)
            if truth is False:
                self._note(rule, index, f"`{pattern.name}`: {pattern.count} not met", searches)
                return
        if anchor is None:
            truth = both(truth, _takes_any(rule, found))
            if truth is False:
                self._note(rule, index, "nothing to take", searches)
                return
        named = {name: companion.named for name, companion in found.items()}
        scope = Scope(anchor, named, self._domain_key(), self._domain_transaction())
        if rule.when is not None:
            truth = both(truth, truth_of(rule.when(scope)))
        if truth is False:
            self._note(rule, index, "`when` is not true", searches)
        elif isinstance(truth, Unavailable):
            self._note(rule, index, f"undecided: {truth.value}", searches)
            self._undecided(rule, truth)
        else:
            if self.tracer is not None:
                self.tracer.firing(rule, index, searches)
            self._fire(rule, anchor, found, scope)
            for _, search in searches:
                search.taken()

    def _undecided(self, rule: Rule, reason: Unavailable) -> None:
        if rule.undecided_skip:
            return
        what = f"rule {rule.name} cannot be decided: a value it tests is {reason.value}"
        raise self._error(class_of(reason), what, rule, "add `undecided: skip`, or test `is unavailable` first")

    def _fire(self, rule: Rule, anchor: NetRow | None, found: dict[str, Companion], scope: Scope) -> None:
        what = "noise" if rule.event is None else "event"
        if rule.event is not None:
            self._say(rule, rule.event, anchor, scope)
        units = take(rule.anchor, anchor, what) if rule.anchor is not None and anchor is not None else 0
        for pattern in rule.companions:
            units += sum(take(pattern, row, what) for row in found[pattern.name].rows)
        if rule.event is None:
            self.noise[rule.name] = self.noise.get(rule.name, 0) + units
        if self.tracer is not None:
            self.tracer.fired(-1 if rule.event is None else len(self.events) - 1)

    def _say(self, rule: Rule, event: str, anchor: NetRow | None, scope: Scope) -> None:
        version = self.plan.mapping.events[event].version
        path = self.paths[0] if anchor is None else anchor.path
        row = path.reference
        identity = (event, version, rule.slot, row)
        if identity in self._seen:
            hint = "widen `explains`, or give one of the rules a `slot:`"
            raise self._error(LetterClass.RULE, f"{event} would be said twice of one row", rule, hint)
        self._seen.add(identity)
        desk = self._desk() if rule.lookups else None
        scope.lookups = desk
        try:
            data = rule.data(scope) if rule.data is not None else {}
        except RecordError as error:
            error.rule = error.rule or rule.name
            raise
        place, change = len(self.events), path.places[0]
        used = () if desk is None else desk.uses
        self.events.append(
            DomainEvent(event, version, rule.intent, rule.name, data, row, place, rule.slot, change, used)
        )

    # -- what expressions may touch ----

    def _desk(self) -> LookupDesk:
        """Reference data as it is for this change set."""
        tables, last = self.lookups, self.changes[-1].record
        return LookupDesk(None if tables is None else tables.as_of(last.timestamp_ms))

    def _search(self, pattern: Pattern) -> Search:
        table = self.plan.physical(pattern)
        rows = [row for row in self.rows if row.plan.table.physical == table]
        return Search(pattern, rows, self._domain_key(), self._domain_transaction())

    def _scope(self, row: NetRow) -> Scope:
        return Scope(row, {}, self._domain_key(), self._domain_transaction())

    def _domain_key(self) -> dict[str, Value]:
        if self._key is None:
            self._key = self.plan.key(self.change_set.key)
        return self._key

    def _domain_transaction(self) -> dict[str, Value]:
        if self._transaction is None:
            source = self.changes[0].source
            self._transaction = _transaction(source.tx_id, source.ts_ms)
        return self._transaction

    def _note(self, rule: Rule, index: int, at: str, searches: list[tuple[Pattern, Search]] | None = None) -> None:
        if self.tracer is not None:
            self.tracer.stopped(rule, index, at, searches)

    def _error(self, letter_class: LetterClass, what: str, rule: Rule, hint: str) -> RecordError:
        where = f"{self.plan.mapping.file}:{rule.line}"
        return RecordError(letter_class, what, rule=rule.name, where=where, hint=hint, stage="interpret")


@lru_cache(maxsize=64)
def _transaction(tx_id: int | None, ts_ms: int) -> dict[str, Value]:
    return {"id": tx_id, "time": _EPOCH + dt.timedelta(milliseconds=ts_ms)}


def _takes_any(rule: Rule, found: dict[str, Companion]) -> Truth:
    """Whether a ``once`` rule takes anything: unknown where nothing is certain and something may fit."""
    takers = [found[pattern.name] for pattern in rule.companions if not pattern.witness]
    if any(companion.rows for companion in takers):
        return True
    doubts = [companion.named for companion in takers if isinstance(companion.named, Unavailable)]
    truth: Truth = bool(doubts)
    for doubt in doubts:
        truth = both(truth, doubt)
    return truth


def _policy(letter_class: LetterClass, what: str, change: ChangeEvent) -> RecordError:
    return RecordError(letter_class, what, where=change.record.place, stage="interpret")
