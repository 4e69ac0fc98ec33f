"""Expressions at their places: every `when`, condition, template and part, and the columns that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from jinja2 import nodes

from gateway.mapping.compiled import Pattern
from gateway.mapping.expressions.names import Names
from gateway.mapping.expressions.syntax import ExpressionFault, Parsed, parse
from gateway.mapping.nodes import Map, Mark, Node, Scalar, Seq
from gateway.mapping.patterns import Context
from gateway.mapping.records import Section
from gateway.mapping.rules import Compiled
from gateway.mapping.templates import is_template, spans

__all__ = [
    "SIDES",
    "Ref",
    "Spoken",
    "column_named",
    "conditions_spoken",
    "in_template",
    "patterns_of",
    "refs_in",
    "speak",
    "spoken_in",
    "within",
]

SIDES = ("before", "after", "row")


@dataclass(frozen=True, slots=True)
class Spoken:
    """An expression: where it stands, its tree and what it may name.

    ``role``: when, pattern, data, part. ``pattern``: the row that before/after/row speak of (None in parts and once
    rules). ``table``: of a part, its table.
    """

    role: str
    scalar: Scalar
    start: int
    parsed: Parsed
    names: Names
    rule: Compiled | None = None
    pattern: Pattern | None = None
    table: str = ""
    column: str = ""

    def mark(self, node: nodes.Node | None = None) -> Mark:
        """The place of a node, or of the whole expression."""
        return self.scalar.at(self.start + (0 if node is None else self.parsed.start(node)))


@dataclass(frozen=True, slots=True)
class Ref:
    """A column that is named. ``root``: '' for the anchor, a companion or `item`; ``side``: before, after, row."""

    table: str
    column: str
    root: str
    side: str
    mark: Mark
    rule: Compiled | None = None


def speak(role: str, scalar: Scalar | None, names: Names, **more: object) -> Iterator[Spoken]:
    """A bare expression, if it can be parsed."""
    if scalar is None:
        return
    try:
        yield Spoken(role, scalar, 0, parse(scalar.text), names, **more)  # type: ignore[arg-type]
    except ExpressionFault:
        return


def in_template(role: str, scalar: Scalar, names: Names, **more: object) -> Iterator[Spoken]:
    """The expressions of a template."""
    try:
        for start, end in spans(scalar.text):
            yield Spoken(role, scalar, start, parse(scalar.text[start:end]), names, **more)  # type: ignore[arg-type]
    except ExpressionFault:
        return


def spoken_in(rules: tuple[Compiled, ...], context: Context) -> Iterator[Spoken]:
    """Every expression of the rules and of the parts of columns (conditions are looked into where they are used)."""
    for info in context.tables.values():
        for _, column in info.section.named("columns") if info.section else ():
            for name, part in column.named("parts"):
                template = part.scalar("is")
                if template is not None:
                    plain = {each: info.types[each] for each, one in info.table.columns.items() if one.part is None}
                    names = Names(image=plain, value=info.types.get(name.text))
                    yield from in_template("part", template, names, table=info.table.name, column=name.text)
    for compiled in rules:
        rule, section = compiled.rule, compiled.section
        yield from speak("when", section.scalar("when"), compiled.names, rule=compiled, pattern=rule.anchor)
        for pattern, place in patterns_of(compiled):
            shape = compiled.names.anchor if pattern is rule.anchor else compiled.names.companions[pattern.name].shape
            names = context.names(shape)
            if pattern is not rule.anchor:
                yield from speak("pattern", place.scalar("when"), names, rule=compiled, pattern=pattern)
        data = section.node("data")
        if data is not None:
            yield from _in_data(data, compiled, compiled.names)


def conditions_spoken(
    spoken: Iterable[Spoken], places: Mapping[str, Scalar], conditions: Mapping[str, Parsed | None]
) -> Mapping[str, tuple[Spoken, ...]]:
    """The mapping's own conditions (``places``: where each stands), each once for every test that names it."""
    found: dict[str, list[Spoken]] = {}
    for each in spoken:
        pending, seen = [each], {""}
        while pending:
            current = pending.pop()
            tree = current.parsed.tree
            for node in (tree, *tree.find_all(nodes.Name)):
                name = node.name if isinstance(node, nodes.Name) else ""
                parsed, scalar = conditions.get(name), places.get(name)
                if name in seen or parsed is None or scalar is None or each.names.image is not None:
                    continue
                seen.add(name)
                alone = replace(each.names, companions={}, item=None)
                inner = replace(each, scalar=scalar, start=0, parsed=parsed, names=alone)
                found.setdefault(name, []).append(inner)
                pending.append(inner)
    return {name: tuple(uses) for name, uses in found.items()}


def patterns_of(compiled: Compiled) -> Iterator[tuple[Pattern, Section]]:
    """The patterns of a rule with their sections, the anchor first."""
    rule, section = compiled.rule, compiled.section
    each = section.section("each")
    if rule.anchor is not None and each is not None:
        yield rule.anchor, each
    places = {name.text: place for key in ("with", "once") for name, place in section.named(key)}
    for pattern in rule.companions:
        yield pattern, places[pattern.name]


def _in_data(node: Node, compiled: Compiled, names: Names) -> Iterator[Spoken]:
    more = {"rule": compiled, "pattern": compiled.rule.anchor}
    if isinstance(node, Scalar):
        if is_template(node):
            yield from in_template("data", node, names, **more)
    elif isinstance(node, Seq):
        for item in node.items:
            yield from _in_data(item, compiled, names)
    else:
        inner = within(node, names)
        for key, value in node.entries:
            if key.text == "$when" and isinstance(value, Scalar):
                yield from speak("when", value, inner, **more)
            elif key.text not in ("$each", "$from", "$take", "$record"):
                yield from _in_data(value, compiled, inner)


def within(node: Map, names: Names) -> Names:
    """What is visible inside a map: with `$each`, the item, too."""
    each = node.get("$each")
    rows = names.companions.get(each.text) if isinstance(each, Scalar) else None
    return names if rows is None else replace(names, item=rows.shape)


def column_named(node: nodes.Node, spoken: Spoken) -> Ref | None:
    """The column that a dotted name stands for; None for anything else (keys and transaction are no columns)."""
    if not isinstance(node, nodes.Getattr):
        return None
    mark, names = spoken.mark(node), spoken.names
    base = node.node
    if isinstance(base, nodes.Name) and names.image is not None:
        return Ref(spoken.table, node.attr, "", "row", mark) if base.name == "row" else None
    if isinstance(base, nodes.Name) and base.name in SIDES and names.anchor is not None:
        return Ref(names.anchor.table, node.attr, "", base.name, mark, spoken.rule)
    if isinstance(base, nodes.Getattr) and isinstance(base.node, nodes.Name) and base.attr in SIDES:
        root = base.node.name
        shape = names.item if root == "item" else None
        if root in names.companions:
            shape = names.companions[root].shape
        return None if shape is None else Ref(shape.table, node.attr, root, base.attr, mark, spoken.rule)
    return None


def refs_in(spoken: Spoken, conditions: Mapping[str, Parsed | None], depth: int = 0) -> Iterator[Ref]:
    """The columns that an expression names, those of its conditions included (at the place of the condition's name)."""
    tree = spoken.parsed.tree
    for node in (tree, *tree.find_all(nodes.Node)):
        ref = column_named(node, spoken)
        if ref is not None:
            yield ref
        elif isinstance(node, nodes.Name) and node.name not in spoken.names.companions and depth < 20:
            parsed = conditions.get(node.name)
            if parsed is not None and spoken.names.image is None:
                alone = replace(spoken.names, companions={}, item=None)
                mark = spoken.mark(node)
                inner = replace(spoken, parsed=parsed, names=alone)
                yield from (replace(ref, mark=mark) for ref in refs_in(inner, conditions, depth + 1))
