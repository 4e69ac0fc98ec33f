"""Fields and what reaches them: null, unavailable, numbers too large, texts that are no symbol."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import nodes

from gateway.mapping.contract import EnumOf, Plain, branches_of
from gateway.mapping.kinds import Kind
from gateway.mapping.lints.declare import Found, Lint, Severity, lint
from gateway.mapping.lints.nullness import null_of_leaf, null_of_node
from gateway.mapping.lints.payload import Leaf
from gateway.mapping.lints.spoken import Spoken, in_template
from gateway.mapping.lints.subject import Subject
from gateway.mapping.lints.typing_of import column_of_leaf, type_of_leaf

__all__: list[str] = []

_MAY_FAIL = ("int", "decimal", "date", "decode")


@lint(
    Lint(
        "GW401",
        "null-reaches-field",
        Severity.ERROR,
        "null can reach a field that the contract wants filled: the change set becomes a dead letter",
        "write | default(…), ask `is not null` in the rule, or make the field nullable",
        'data: {until: "{{ after.validTo }}"}   # null_when: [99991231], and until is no union with null',
    )
)
def null_reaches_field(subject: Subject) -> Iterator[Found]:
    """Fields without null whose expression can be null, as the mapping or a recording says."""
    for leaf in subject.leaves:
        if leaf.nullable or leaf.constant is not None or leaf.path.endswith("{}"):
            continue
        why = null_of_leaf(leaf, subject)
        if why:
            yield Found(leaf.mark, f"null can reach `{leaf.path}` of {leaf.rule.rule.event}: {why}")


@lint(
    Lint(
        "GW402",
        "unavailable-reaches-field",
        Severity.WARNING,
        "a filter that fails on some values leaves the field unavailable: the change set becomes a dead letter",
        "write | if_unavailable(…) behind it, or declare the column with that type",
        'data: {number: "{{ after.code | int }}"}',
    )
)
def unavailable_reaches_field(subject: Subject) -> Iterator[Found]:
    """Filters in `data` that can fail, without `if_unavailable` around them."""
    for leaf in subject.leaves:
        for part in leaf.parts:
            yield from _failing(part.parsed.tree, part, leaf, False)


def _failing(node: nodes.Node, part: Spoken, leaf: Leaf, caught: bool) -> Iterator[Found]:
    if isinstance(node, nodes.Filter):
        caught |= node.name == "if_unavailable"
        if node.name in _MAY_FAIL and not caught and not isinstance(node.node, nodes.Const):
            yield Found(part.mark(node), f"`{node.name}` may fail, and `{leaf.path}` is then unavailable")
            return
    for child in node.iter_child_nodes():
        yield from _failing(child, part, leaf, caught)


@lint(
    Lint(
        "GW403",
        "null-empties-text",
        Severity.WARNING,
        "one null makes the whole joined text null",
        "write | default('') behind each part that may be null",
        "\"{{ after.firstName ~ ' ' ~ after.name }}\"   # firstName may be null",
    )
)
def null_empties_text(subject: Subject) -> Iterator[Found]:
    """Joined texts one part of which may be null."""
    for leaf in subject.leaves:
        if leaf.joined:
            for part in leaf.parts:
                why = null_of_node(part.parsed.tree, part, subject)
                if why:
                    yield Found(part.mark(part.parsed.tree), f"the whole text is null when this is: {why}")
    for spoken in (*subject.spoken,):
        for concat in spoken.parsed.tree.find_all(nodes.Concat):
            yield from _in_concat(concat, spoken, subject)
        if isinstance(spoken.parsed.tree, nodes.Concat):
            yield from _in_concat(spoken.parsed.tree, spoken, subject)


def _in_concat(concat: nodes.Concat, spoken: Spoken, subject: Subject) -> Iterator[Found]:
    for part in concat.nodes:
        why = null_of_node(part, spoken, subject)
        if why:
            yield Found(spoken.mark(part), f"the whole text is null when this is: {why}")


@lint(
    Lint(
        "GW404",
        "number-may-not-fit",
        Severity.WARNING,
        "the column holds numbers that the field cannot: such a change set becomes a dead letter",
        "widen the field in the next version, or declare the column as narrow as it is",
        "bal: {type: decimal(13,2)}   # and the contract says decimal(9,2)",
    )
)
def numbers_may_not_fit(subject: Subject) -> Iterator[Found]:
    """Decimal columns wider than their field; whole numbers of another scale than the field keeps."""
    for leaf in subject.leaves:
        fact = column_of_leaf(leaf, subject)
        match = re.fullmatch(r"decimal\( *([0-9]+) *, *([0-9]+) *\)", fact.column.type) if fact is not None else None
        if match is None:
            continue
        precision, scale = int(match[1]), int(match[2])
        decimals = [b for b in branches_of(leaf.avro)[0] if isinstance(b, Plain) and b.logical == "decimal"]
        if decimals and not any(b.precision - b.scale >= precision - scale and b.scale >= scale for b in decimals):
            assert fact is not None
            yield Found(leaf.mark, f"{fact.column.type} may not fit `{leaf.path}`, {decimals[0]}")


@lint(
    Lint(
        "GW405",
        "text-reaches-enum",
        Severity.WARNING,
        "any text may reach an enum: one that is no symbol makes the change set a dead letter",
        "decode the column, so that its values are known",
        'data: {kind: "{{ after.kind }}"}   # kind is plain text, the field an enum',
    )
)
def text_reaches_enum(subject: Subject) -> Iterator[Found]:
    """Enums filled from text whose values are not known."""
    for leaf in subject.leaves:
        enums = [branch for branch in branches_of(leaf.avro)[0] if isinstance(branch, EnumOf)]
        if not enums or leaf.constant is not None or len(branches_of(leaf.avro)[0]) > 1:
            continue
        type_ = type_of_leaf(leaf, subject)
        if type_ is not None and type_.kind is Kind.TEXT and type_.symbols is None:
            yield Found(leaf.mark, f"any text may reach `{leaf.path}`, {enums[0]}")


@lint(
    Lint(
        "GW406",
        "part-may-fail",
        Severity.WARNING,
        "a part that cannot be computed is unreadable: a change of the column becomes a dead letter, whatever it means",
        "guard the filter with a test of the row, or write | if_unavailable(null)",
        'ref: {parts: {policyId: {is: "{{ value | int }}"}}}   # ref holds names, too',
        needs="schema",
    )
)
def parts_may_fail(subject: Subject) -> Iterator[Found]:
    """Filters of parts that fail on recorded values, where nothing guards them."""
    for fact in subject.columns.values():
        template = fact.section.scalar("is") if fact.column.part is not None else None
        if template is None or fact.recorded is None or not fact.recorded.values:
            continue
        for spoken in in_template("part", template, subject.context.names()):
            tree = spoken.parsed.tree
            whole = isinstance(tree, nodes.Filter) and tree.name == "int" and isinstance(tree.node, nodes.Name)
            bad = [each for each in sorted(fact.recorded.values) if not re.fullmatch(r" *[+-]?[0-9]* *", each)]
            if whole and bad:
                yield Found(spoken.mark(tree), f"`int` fails on {bad[0]!r}, which was recorded")
