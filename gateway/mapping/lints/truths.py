"""Tests that are never true, or always."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from gateway.mapping.compiled import Pattern, RowOp, Scope
from gateway.mapping.conjuncts import Conjuncts, Domain, conjuncts_of
from gateway.mapping.expressions.compiler import compile_test
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.lints.declare import Found, Lint, Severity, lint
from gateway.mapping.lints.nullness import asks_of, null_of_column
from gateway.mapping.lints.ranges import emptied
from gateway.mapping.lints.spoken import Spoken, column_named, patterns_of
from gateway.mapping.lints.subject import Subject
from gateway.mapping.nodes import Mark
from gateway.mapping.records import Section

__all__: list[str] = []

NEVER = Lint(
    "GW511",
    "never-true",
    Severity.ERROR,
    "a test can never be true: its parts exclude each other, or a value cannot occur there",
    "mend the test; join alternatives with `or`",
    "when: row.kind == 'legal' and row.kind == 'billing'",
)


@lint(NEVER)
def never_true(subject: Subject) -> Iterator[Found]:
    """Contradictions in a rule's tests, in an expression, and transitions from a value to itself; a place once."""
    found: dict[Mark, Found] = {}
    for each in _never(subject):
        found.setdefault(each.mark, each)
    yield from found.values()


def _never(subject: Subject) -> Iterator[Found]:
    for compiled in subject.rules:
        said = conjuncts_of(compiled.section.scalar("when"), subject.context.conditions)
        for pattern, section in patterns_of(compiled):
            own = pattern is compiled.rule.anchor
            yield from _to_itself(pattern, section)
            yield from _contradiction(pattern, section, said if own else Conjuncts(), compiled.section, subject)
    yield from _everywhere(subject, never=True)


def _everywhere(subject: Subject, *, never: bool) -> Iterator[Found]:
    """Constant tests in every expression; in a condition those that are so for each test that names it."""
    for spoken in subject.spoken:
        yield from _in_tree(spoken.parsed.tree, spoken, subject, never=never)
    for uses in subject.conditions.values():
        first, *others = [
            {each.mark: each for each in _in_tree(use.parsed.tree, use, subject, never=never)} for use in uses
        ]
        yield from (each for mark, each in first.items() if all(mark in other for other in others))


def _contradiction(
    pattern: Pattern, section: Section, said: Conjuncts, rule: Section, subject: Subject
) -> Iterator[Found]:
    """A column of which no value is left, whatever the operation."""
    empty: list[tuple[str, str]] = []
    asks = asks_of(pattern, said)
    for asked in asks.values():
        key = next((key for key, domain in asked.items() if _impossible(key[1], domain, pattern.table, subject)), None)
        if key is None:
            return
        empty.append(key)
    if not empty:
        return
    column = empty[0][1]
    places = {name.text: name.mark for name, _ in section.entries("where")}
    when = rule.scalar("when")
    in_when = when is not None and any(name == column for (_, name), _ in said.domains)
    mark = when.at(0) if in_when and when is not None else places.get(column, section.mark)
    yield Found(mark, f"no row can have such a `{column}`: the tests exclude each other")


def _impossible(column: str, domain: Domain, table: str, subject: Subject) -> bool:
    if domain.empty:
        return True
    fact = subject.columns.get((table, column))
    symbols = None if fact is None else fact.column.symbols
    if fact is None or symbols is None or not symbols or (None not in domain.never and domain.only is None):
        return False
    left = (domain.only or symbols) - domain.never
    return not (left & symbols) and not (domain.only is not None and None in left)


def _to_itself(pattern: Pattern, section: Section) -> Iterator[Found]:
    places = {name.text: name.mark for name, _ in section.entries("where")}
    for test in pattern.where:
        if test.was is not None and test.was == test.became and len(test.was) == 1 and pattern.ops == {RowOp.UPDATE}:
            yield Found(places[test.column], f"`{test.column}` cannot change from {test.was[0]!r} to itself")


@lint(
    Lint(
        "GW513",
        "test-of-every-value",
        Severity.WARNING,
        "a `where` lists every value the column can have, so it tests nothing",
        "take it out, or leave out the values that are not meant",
        "where: {check: [pending, verified, rejected, null]}",
    )
)
def tests_of_every_value(subject: Subject) -> Iterator[Found]:
    """`where` lists with all values of a code table."""
    for compiled in subject.rules:
        for pattern, section in patterns_of(compiled):
            places = {name.text: name.mark for name, _ in section.entries("where")}
            for test in pattern.where:
                fact = subject.columns[pattern.table, test.column]
                symbols = fact.column.symbols
                if not symbols or test.transition or test.negated or not symbols <= set(test.equals):
                    continue
                if None in test.equals or not null_of_column(fact, subject):
                    yield Found(places[test.column], f"every value of `{test.column}` is listed")


def _in_tree(node: nodes.Node, spoken: Spoken, subject: Subject, *, never: bool) -> Iterator[Found]:
    """Tests inside an expression that are constant; the outermost is told."""
    if spoken.parsed.tree is not node or isinstance(node, (nodes.Test, nodes.Compare, nodes.And, nodes.Or, nodes.Not)):
        verdict = _verdict(node, spoken, subject)
        if verdict is not None:
            truth, why = verdict
            if truth is not never:
                yield Found(_mark(node, spoken), why)
            return
    for child in node.iter_child_nodes():
        yield from _in_tree(child, spoken, subject, never=never)


def _mark(node: nodes.Node, spoken: Spoken) -> Mark:
    while isinstance(node, (nodes.And, nodes.Or)):
        node = node.left
    if isinstance(node, nodes.Test):
        node = node.node
    return spoken.mark(node)


def _verdict(node: nodes.Node, spoken: Spoken, subject: Subject) -> tuple[bool, str] | None:
    """Whether a test is the same for every row, and why; None for anything else."""
    if isinstance(node, nodes.And):
        column = emptied(node, subject.context.conditions)
        return None if column is None else (False, f"the parts exclude each other: no `{column}` fits both")
    if isinstance(node, nodes.Or):
        column = emptied(nodes.Not(node), subject.context.conditions)
        return None if column is None else (True, f"one of the parts is true of every `{column}`")
    if not isinstance(node, (nodes.Test, nodes.Compare)):
        return None
    if isinstance(node, nodes.Test):
        return _of_test(node, spoken)
    if not any(True for _ in node.find_all((nodes.Getattr, nodes.Filter))) and not _names(node):
        return _constant(node, spoken)
    operand = node.ops[0]
    same = repr(operand.expr) == repr(node.expr)
    if same and operand.op in ("eq", "ne", "lt", "gt"):  # but null <= null is false
        return operand.op == "eq", "both sides are the same"
    if (_is_null(operand.expr) or _is_null(node.expr)) and operand.op in ("lt", "lteq", "gt", "gteq"):
        return False, "null is neither before nor after anything"
    return _of_op(node, spoken)


def _names(node: nodes.Node) -> bool:
    return any(name.name != "null" for name in node.find_all(nodes.Name))


def _is_null(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "null"


def _constant(node: nodes.Compare, spoken: Spoken) -> tuple[bool, str] | None:
    start, text = spoken.parsed.start(node), spoken.parsed.text
    try:
        result = compile_test(text, spoken.names).run(Scope(None, {}, {}, {})) if node is spoken.parsed.tree else None
    except ExpressionFault:
        return None
    if isinstance(result, bool):
        return result, f"`{text[start:][:40]}` compares constants"
    constants = [node.expr, node.ops[0].expr]
    if all(isinstance(each, nodes.Const) for each in constants) and node.ops[0].op in ("eq", "ne"):
        equal = constants[0].value == constants[1].value  # type: ignore[attr-defined]
        return equal is (node.ops[0].op == "eq"), "constants are compared"
    return None


def _of_test(node: nodes.Test, spoken: Spoken) -> tuple[bool, str] | None:
    ref = column_named(node.node, spoken)
    if node.name == "changed" and ref is not None and ref.root == "" and spoken.names.anchor is not None:
        if RowOp.UPDATE not in spoken.names.anchor.ops:
            return False, "`is changed` is false outside updates"
        fact_changed = spoken.pattern
        if fact_changed is not None and spoken.names.anchor.ops == {RowOp.UPDATE}:
            must = {test.column for test in fact_changed.where if test.transition}
            if fact_changed.changed is not None and len(fact_changed.changed) == 1:
                must |= fact_changed.changed
            if ref.column in must:
                return True, f"the pattern wants `{ref.column}` changed already"
    named = node.node
    if node.name != "null" or not isinstance(named, nodes.Getattr) or not isinstance(named.node, nodes.Name):
        return None
    return (False, f"`key.{named.attr}` is never null") if named.node.name == "key" else None


def _of_op(node: nodes.Compare, spoken: Spoken) -> tuple[bool, str] | None:
    """`op == 'x'`: whether the pattern has other operations at all."""
    operand = node.ops[0]
    shape = spoken.names.anchor if isinstance(node.expr, nodes.Name) and node.expr.name == "op" else None
    if shape is None or operand.op not in ("eq", "ne") or not isinstance(operand.expr, nodes.Const):
        return None
    ops = {str(op) for op in shape.ops}
    if operand.expr.value not in ops:
        return operand.op == "ne", f"the operation is {' or '.join(sorted(ops))}"
    return (operand.op == "eq", f"the operation is always {operand.expr.value}") if len(ops) == 1 else None


@lint(
    Lint(
        "GW512",
        "always-true",
        Severity.WARNING,
        "a test is true of every row, so it tests nothing",
        "take it out, or mend it",
        "when: row.kind == row.kind",
    )
)
def always_true(subject: Subject) -> Iterator[Found]:
    """Constant tests that are true."""
    yield from _everywhere(subject, never=False)
