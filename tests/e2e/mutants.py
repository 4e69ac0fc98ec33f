"""Mutants of compiled mappings: what a rule author could get wrong, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gateway.mapping.compiled import CompiledMapping, Expression, Pattern, RowOp, Rule, Scope, WhereTest
from gateway.model.values import Value

__all__ = ["Mutant", "mutants"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mapping with one fault; ``snapshot``: it can only show in snapshot rows."""

    name: str
    mapping: CompiledMapping
    snapshot: bool


class _AnythingBut(tuple[Value, ...]):
    """Contains what the tuple does not."""

    __slots__ = ()

    def __contains__(self, value: object) -> bool:
        return not super().__contains__(value)


def mutants(mapping: CompiledMapping) -> Iterator[Mutant]:
    """Each rule and noise rule removed; each condition removed and negated; each ``where`` test negated."""
    for place, rule in enumerate(mapping.rules):

        def with_rule(name: str, *new: Rule, place: int = place, rule: Rule = rule) -> Mutant:
            rules = (*mapping.rules[:place], *new, *mapping.rules[place + 1 :])
            return Mutant(f"{mapping.name}/{rule.name}: {name}", replace(mapping, rules=rules), _snapshot(rule))

        yield with_rule("rule removed")
        if rule.when is not None:
            yield with_rule("when removed", replace(rule, when=None))
            yield with_rule("when negated", replace(rule, when=_negated(rule.when)))
        for name, put, pattern in _patterns(rule):
            if pattern.when is not None:
                yield with_rule(f"{name}: when removed", put(replace(pattern, when=None)))
                yield with_rule(f"{name}: when negated", put(replace(pattern, when=_negated(pattern.when))))
            for number, test in enumerate(pattern.where):
                for how, other in _negations(test):
                    where = (*pattern.where[:number], other, *pattern.where[number + 1 :])
                    yield with_rule(f"{name}: where {test.column} {how}", put(replace(pattern, where=where)))


def _snapshot(rule: Rule) -> bool:
    return rule.anchor is not None and rule.anchor.ops == frozenset({RowOp.SNAPSHOT})


def _patterns(rule: Rule) -> Iterator[tuple[str, Callable[[Pattern], Rule], Pattern]]:
    if rule.anchor is not None:
        yield "each", lambda new: replace(rule, anchor=new), rule.anchor
    for place, companion in enumerate(rule.companions):

        def put(new: Pattern, place: int = place) -> Rule:
            return replace(rule, companions=(*rule.companions[:place], new, *rule.companions[place + 1 :]))

        yield companion.name, put, companion


def _negated(test: Expression) -> Expression:
    def negated(scope: Scope) -> Value:
        value = test(scope)
        return not value if isinstance(value, bool) else value

    return negated


def _negations(test: WhereTest) -> Iterator[tuple[str, WhereTest]]:
    if not test.transition:
        yield "negated", replace(test, negated=not test.negated)
    if test.was is not None:
        yield "from negated", replace(test, was=_AnythingBut(test.was))
    if test.became is not None:
        yield "to negated", replace(test, became=_AnythingBut(test.became))
