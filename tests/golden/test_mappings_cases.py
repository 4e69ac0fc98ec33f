"""Every rule of the mappings has its cases, and each is needed: without it, or with a test negated, a case fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from gateway.authoring.case_files import Case, read_cases
from gateway.authoring.cases import CaseResult, run_case
from gateway.authoring.offline import books_of
from gateway.mapping.compiled import CompiledMapping, Expression, Pattern, Rule, Scope, Table, WhereTest
from gateway.mapping.loader import load
from gateway.model.values import Unavailable, Value

MAPPINGS = Path(__file__).parents[2] / "mappings"
NAMES = ("billing", "claim", "customer", "policy")


@cache
def mapping_of(name: str) -> CompiledMapping:
    return next(mapping for mapping in load(MAPPINGS) if mapping.name == name)


@cache
def cases_of(name: str) -> tuple[Case, ...]:
    return read_cases(MAPPINGS / name / f"{name}_test.yaml")


def results(mapping: CompiledMapping) -> Iterator[CaseResult]:
    book = books_of([mapping])[mapping.name]
    for case in cases_of(mapping.name):
        yield run_case(case, mapping, book)


def cases() -> list[object]:
    return [pytest.param(name, case, id=f"{name}: {case.name}") for name in NAMES for case in cases_of(name)]


def opposite(expression: Expression) -> Expression:
    def run(scope: Scope) -> Value:
        truth = expression(scope)
        return truth if truth is None or isinstance(truth, Unavailable) else not truth

    return run


def negated(test: WhereTest, table: Table) -> WhereTest:
    """The test with the opposite answer; of a transition, with every other value on the tested side."""
    if not test.transition:
        return replace(test, negated=not test.negated)
    others = frozenset(table.columns[test.column].symbols or ()) | {None}
    if test.became is not None:
        return replace(test, became=tuple(others - set(test.became)))
    return replace(test, was=tuple(others - set(test.was or ())))


def with_negations(rule: Rule, tables: dict[str, Table]) -> Iterator[tuple[str, Rule]]:
    if rule.when is not None:
        yield "when", replace(rule, when=opposite(rule.when))

    def variants(pattern: Pattern) -> Iterator[tuple[str, Pattern]]:
        for index, test in enumerate(pattern.where):
            where = list(pattern.where)
            where[index] = negated(test, tables[pattern.table])
            yield f"{pattern.name}.{test.column}", replace(pattern, where=tuple(where))

    if rule.anchor is not None:
        for what, pattern in variants(rule.anchor):
            yield what, replace(rule, anchor=pattern)
    for index, companion in enumerate(rule.companions):
        for what, pattern in variants(companion):
            others = rule.companions
            yield what, replace(rule, companions=(*others[:index], pattern, *others[index + 1 :]))


def mutants(mapping: CompiledMapping) -> Iterator[tuple[str, CompiledMapping]]:
    tables = {name: table for table in mapping.tables.values() for name in (table.name, table.physical)}
    for index, rule in enumerate(mapping.rules):
        before, after = mapping.rules[:index], mapping.rules[index + 1 :]
        yield f"without {rule.name}", replace(mapping, rules=(*before, *after))
        for what, mutant in with_negations(rule, tables):
            yield f"{rule.name}, {what} negated", replace(mapping, rules=(*before, mutant, *after))


@pytest.mark.parametrize(("name", "case"), cases())
def test_a_case_gives_what_it_says(name: str, case: Case) -> None:
    mapping = mapping_of(name)
    assert run_case(case, mapping, books_of([mapping])[name]).differences == ()


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_and_noise_rule_fires_in_a_case(name: str) -> None:
    mapping = mapping_of(name)
    fired = frozenset[str]().union(*(result.fired for result in results(mapping)))
    assert {rule.name for rule in mapping.rules} - fired == set()


@pytest.mark.parametrize("name", NAMES)
def test_no_rule_and_no_test_of_a_rule_is_idle(name: str) -> None:
    idle = [what for what, mutant in mutants(mapping_of(name)) if not any(r.differences for r in results(mutant))]
    assert idle == []
