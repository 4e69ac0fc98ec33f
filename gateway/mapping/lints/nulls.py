"""Comparisons that a null turns round: what is not equal is true of null, too."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from gateway.mapping.compiled import WhereTest
from gateway.mapping.conjuncts import Conjuncts, conjuncts_of
from gateway.mapping.lints.declare import Found, Lint, Severity, lint
from gateway.mapping.lints.nullness import Asks, asks_of, null_of_column, null_of_node
from gateway.mapping.lints.spoken import Spoken, patterns_of
from gateway.mapping.lints.subject import Subject
from gateway.mapping.nodes import Mark
from gateway.mapping.rules import Compiled

__all__: list[str] = []


@lint(
    Lint(
        "GW501",
        "null-turns-comparison",
        Severity.WARNING,
        "null is a value: `!=`, `not in` and `not (… == …)` are true of it, which is seldom meant",
        "ask `… is not null and …` as well, or list null among the values",
        "when: row.channel != 'web'   # true where channel is null",
    )
)
def null_turns_comparison(subject: Subject) -> Iterator[Found]:
    """Negative comparisons of a column that can be null with values of which none is null."""
    uses = [use for each in subject.conditions.values() for use in each]
    found: dict[Mark, Found] = {}
    for spoken in (*subject.spoken, *uses):
        for each in _in_tree(spoken.parsed.tree, spoken, subject, ()):
            found.setdefault(each.mark, each)
    yield from found.values()
    for compiled in subject.rules:
        yield from _in_where(compiled, subject)


def _in_tree(node: nodes.Node, spoken: Spoken, subject: Subject, beside: tuple[nodes.Node, ...]) -> Iterator[Found]:
    if isinstance(node, (nodes.And, nodes.Or)):
        yield from _in_tree(node.left, spoken, subject, (*beside, node.right))
        yield from _in_tree(node.right, spoken, subject, (*beside, node.left))
        return
    asked = _negative(node)
    if asked is not None:
        why = null_of_node(asked, spoken, subject)
        if why and not any(_speaks_of_null(other, asked) for other in beside):
            yield Found(spoken.mark(asked), f"this is true of null: {why}")
    for child in node.iter_child_nodes():
        yield from _in_tree(child, spoken, subject, beside)


def _negative(node: nodes.Node) -> nodes.Node | None:
    """The operand of a comparison that null makes true."""
    inverted = isinstance(node, nodes.Not)
    inner = node.node if isinstance(node, nodes.Not) else node
    if not isinstance(inner, nodes.Compare) or len(inner.ops) != 1:
        return None
    operand = inner.ops[0]
    if operand.op in (("eq",) if inverted else ("ne",)):
        return inner.expr if isinstance(operand.expr, nodes.Const) else None
    if operand.op in (("in",) if inverted else ("notin",)) and isinstance(operand.expr, nodes.List):
        null = any(isinstance(item, nodes.Name) and item.name == "null" for item in operand.expr.items)
        return None if null else inner.expr
    return None


def _speaks_of_null(other: nodes.Node, asked: nodes.Node) -> bool:
    """Whether a test beside it asks the same column `is null` or compares it with null."""
    tests = [each for each in (other, *other.find_all(nodes.Test)) if isinstance(each, nodes.Test)]
    return any(each.name == "null" and repr(each.node) == repr(asked) for each in tests)


def _in_where(compiled: Compiled, subject: Subject) -> Iterator[Found]:
    said = conjuncts_of(compiled.section.scalar("when"), subject.context.conditions)
    for pattern, section in patterns_of(compiled):
        asks = asks_of(pattern, said if pattern is compiled.rule.anchor else Conjuncts())
        places = {name.text: name.mark for name, _ in section.entries("where")}
        for test in pattern.where:
            if _excludes_but_null(test) and not _known(asks, test.column):
                fact = subject.columns[pattern.table, test.column]
                why = null_of_column(fact, subject)
                if why:
                    yield Found(places[test.column], f"this is true of null: {why}")


def _excludes_but_null(test: WhereTest) -> bool:
    return test.negated and None not in test.equals


def _known(asks: Asks, column: str) -> bool:
    return bool(asks) and all(
        any(name == column and domain.only is not None for (_, name), domain in asked.items())
        for asked in asks.values()
    )
