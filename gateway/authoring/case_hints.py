"""Why a case may have failed: where the rules stopped that could have said a missing event; columns left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.authoring.case_nouns import Case
from gateway.authoring.cases import StepResult
from gateway.authoring.lookups import given
from gateway.authoring.shown import plain
from gateway.mapping.compiled import CompiledMapping, Rule
from gateway.mapping.nodes import did_you_mean
from gateway.model.errors import LetterClass
from gateway.model.event import Tried
from gateway.model.lookup import ReferenceTables
from gateway.model.values import Unavailable, Value
from gateway.pipeline.interpret import interpret
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.split import change_set, groups

__all__ = ["hints"]

_RULES = 4
"""How many rules are named for a missing event, those first that came nearest to it."""


def hints(result: StepResult, case: Case, mapping: CompiledMapping, book: Rulebook) -> tuple[str, ...]:
    """What may help with a step of ``case`` that failed, each once; empty if it passed."""
    if not result.differences:
        return ()
    lookups = given(mapping, case.lookups)
    found = [*_missing_columns(result), *_unknown_columns(result, mapping), *_rules(result, mapping, book, lookups)]
    return tuple(dict.fromkeys(found))


def _rules(result: StepResult, mapping: CompiledMapping, book: Rulebook, lookups: ReferenceTables) -> Iterator[str]:
    missing = [each.number for each in result.differences if each.what == "missing" and each.number is not None]
    if not missing:
        return
    if LetterClass.ORDER_BLOCKED in result.classes:
        yield "the aggregate is parked behind a dead letter of an earlier step: nothing is interpreted"
        return
    stops = _stops(result, mapping, book, lookups)
    for name in dict.fromkeys(result.step.then.events[number].event for number in missing):
        rules = [rule for rule in mapping.rules if rule.event == name]
        if not rules:
            known = did_you_mean(name, mapping.events)
            yield f"no rule of {mapping.name} says {name}; {known}"
        nearest = sorted(rules, key=lambda rule: -max(map(_passed, stops.get(rule.name, ())), default=-1))
        yield from (_told(rule, mapping, stops.get(rule.name, ())) for rule in nearest[:_RULES])
        if rules[_RULES:]:
            yield f"{len(rules) - _RULES} more rules say {name}"


def _told(rule: Rule, mapping: CompiledMapping, tried: Iterable[Tried]) -> str:
    where = f"rule {rule.name} ({mapping.file}:{rule.line})"
    seen = tuple(tried)
    if any(each.fired for each in seen):
        return f"{where} fired, for other rows"
    stops = dict.fromkeys(_stop(each) for each in seen)
    return f"{where} stopped: {'; '.join(stops)}" if stops else f"{where} was not tried: no row here that it wants"


def _passed(tried: Tried) -> int:
    """How many of its tests were true before the first that is not."""
    return next((place for place, each in enumerate(tried.checks) if each.truth is not True), len(tried.checks))


def _stop(tried: Tried) -> str:
    """The first test that is not true, as the mapping says it, with the values that it saw."""
    check = next((each for each in tried.checks if each.truth is not True and each.truth is not None), None)
    if check is None:
        return tried.stopped_at
    pattern = f"{check.pattern}: " if check.pattern else ""
    seen = () if check.kind == "op" else check.saw
    saw = ", ".join(f"{name} is {_shown(value)}" for name, value in seen)
    why = "; ".join(part for part in (check.why, saw) if part)
    return f"{pattern}`{check.text}`" + (f" ({why})" if why else "")


def _shown(value: Value) -> str:
    if isinstance(value, Unavailable):
        return value.value
    return "null" if value is None else repr(plain(value))


def _stops(
    result: StepResult, mapping: CompiledMapping, book: Rulebook, lookups: ReferenceTables
) -> Mapping[str, list[Tried]]:
    """The trace of the step's change sets, by rule."""
    tried: dict[str, list[Tried]] = {}
    for unit in result.units:
        for group in groups(unit):
            if group.rows and not group.broken:
                changes = change_set(group, unit, mapping.name, book.incarnations)
                for each in interpret(changes, book.plan, trace=True, lookups=lookups).trace:
                    tried.setdefault(each.rule, []).append(each)
    return tried


def _missing_columns(result: StepResult) -> Iterator[str]:
    """Columns that a rule read and no row gave: only where that made a dead letter."""
    if LetterClass.DRIFT not in result.classes or str(LetterClass.DRIFT) in result.step.then.letters:
        return
    prefix = "missing column "
    absent = dict.fromkeys(one.removeprefix(prefix) for one in result.findings if one.startswith(prefix))
    if absent:
        remedy = "name it in the row, in `rows` or in `defaults`"
        yield f"a rule reads a column that the rows do not give: {remedy} ({', '.join(absent)})"


def _unknown_columns(result: StepResult, mapping: CompiledMapping) -> Iterator[str]:
    """Names in the given rows that the mapping does not declare, where one is near."""
    for row in result.step.given:
        table = mapping.tables.get(row.table)
        if table is None:
            yield f"{mapping.name} does not declare {row.table}; {did_you_mean(row.table, mapping.tables)}"
            continue
        for name in {**(row.before or {}), **(row.after or {})}:
            if name not in table.raw_columns:
                yield f"{row.table} has no column {name} in {mapping.name}; {did_you_mean(name, table.raw_columns)}"
