"""Whether null can come out of an expression: what the mapping, or a recording, says of each column that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import nodes

from gateway.mapping.compiled import Count, Pattern, RowOp
from gateway.mapping.conjuncts import Conjuncts, Domain, conjuncts_in, conjuncts_of
from gateway.mapping.expressions.names import HAS_AFTER
from gateway.mapping.lints.payload import Leaf
from gateway.mapping.lints.spoken import Ref, Spoken, column_named, in_template
from gateway.mapping.lints.subject import ColumnFact, Subject
from gateway.mapping.rules import Compiled
from gateway.mapping.slots import asked_of

__all__ = ["Asks", "asks_of", "null_of_column", "null_of_leaf", "null_of_node", "null_of_ref"]

Asks = Mapping[RowOp, Mapping[tuple[str, str], Domain]]
"""What is certain of a row: domains by operation, then by (before or after, column)."""


def asks_of(pattern: Pattern | None, when: Conjuncts) -> Asks:
    """What a pattern and the conjuncts of its tests make certain of the row."""
    if pattern is None:
        return {}
    found = {op: dict(asked_of(pattern, when, op)) for op in pattern.ops}
    for test in pattern.where:
        if test.transition and RowOp.UPDATE in found:
            asked = found[RowOp.UPDATE]
            for side, values, other in (("before", test.became, "after"), ("after", test.was, "before")):
                if values is not None and len(values) == 1:
                    key = (side, test.column)
                    asked[key] = asked.get(key, Domain()) & Domain(None, frozenset(values))
                    assert other
    return found


def _asks_of_rule(compiled: Compiled, subject: Subject, guards: tuple[Spoken, ...] = ()) -> Asks:
    conditions = subject.context.conditions
    said = conjuncts_of(compiled.section.scalar("when"), conditions)
    for guard in guards:
        more = conjuncts_in(guard.parsed.tree, conditions)
        said = Conjuncts((*said.domains, *more.domains), said.opaque | more.opaque)
    return asks_of(compiled.rule.anchor, said)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is certain at a place: of the anchor's row, of companions' rows, and tests that must have held."""

    subject: Subject
    anchor: Asks
    companions: Mapping[str, Pattern]
    tests: tuple[nodes.Node, ...] = ()

    def asks(self, root: str) -> Asks:
        if root in ("", "item"):
            return self.anchor if root == "" else {}
        pattern = self.companions.get(root)
        return asks_of(pattern, Conjuncts())


def null_of_leaf(leaf: Leaf, subject: Subject) -> str:
    """Why null can reach a field; empty where nothing says that it can."""
    known = _Known(subject, _asks_of_rule(leaf.rule, subject, leaf.guards), _companions(leaf.rule))
    tests = tuple(guard.parsed.tree for guard in leaf.guards)
    known = _Known(subject, known.anchor, known.companions, tests)
    if leaf.taken is not None:
        return _of_ref(leaf.taken, known)
    return next((why for part in leaf.parts if (why := _of_node(part.parsed.tree, part, known))), "")


def null_of_node(node: nodes.Node, spoken: Spoken, subject: Subject) -> str:
    """Why a node of an expression can be null; empty where nothing says so."""
    anchor = {} if spoken.rule is None or spoken.pattern is not spoken.rule.rule.anchor else _asks(spoken, subject)
    companions = {} if spoken.rule is None else _companions(spoken.rule)
    return _of_node(node, spoken, _Known(subject, anchor, companions))


def null_of_ref(ref: Ref, subject: Subject) -> str:
    """Why a column can be null where a rule names it."""
    companions = {} if ref.rule is None else _companions(ref.rule)
    anchor = {} if ref.rule is None else _asks_of_rule(ref.rule, subject)
    return _of_ref(ref, _Known(subject, anchor, companions))


def _asks(spoken: Spoken, subject: Subject) -> Asks:
    """What the rule's pattern makes certain; its `when` too, but not for the `when` itself."""
    assert spoken.rule is not None
    if spoken.role == "data":
        return _asks_of_rule(spoken.rule, subject)
    return asks_of(spoken.pattern, Conjuncts())


def _companions(compiled: Compiled) -> Mapping[str, Pattern]:
    return {pattern.name: pattern for pattern in compiled.rule.companions}


def _of_node(node: nodes.Node, spoken: Spoken, known: _Known) -> str:
    if isinstance(node, nodes.Name):
        return "null is written" if node.name == "null" else ""
    ref = column_named(node, spoken)
    if ref is not None:
        return _of_ref(ref, known)
    if isinstance(node, nodes.Filter):
        return _of_filter(node, spoken, known)
    if isinstance(node, nodes.CondExpr):
        yes = _Known(known.subject, known.anchor, known.companions, (*known.tests, node.test))
        no = _Known(known.subject, known.anchor, known.companions, (*known.tests, nodes.Not(node.test)))
        second = _of_node(node.expr2, spoken, no) if node.expr2 is not None else ""
        return _of_node(node.expr1, spoken, yes) or second
    if isinstance(node, (nodes.Concat, nodes.Add, nodes.Sub, nodes.Mul, nodes.Neg)):
        return next((why for child in node.iter_child_nodes() if (why := _of_node(child, spoken, known))), "")
    return ""


def _of_filter(node: nodes.Filter, spoken: Spoken, known: _Known) -> str:
    assert node.node is not None
    if node.name == "default":
        return _of_node(node.args[0], spoken, known) if node.args else ""
    if node.name == "decode" and node.args and isinstance(node.args[0], nodes.Const):
        table = known.subject.context.codes.get(str(node.args[0].value))
        if table is not None and None in table.codes.values():
            return f"the code table `{node.args[0].value}` gives null"
    why = _of_node(node.node, spoken, known)
    if node.name == "if_unavailable" and not why and node.args:
        return _of_node(node.args[0], spoken, known)
    return why


def _of_ref(ref: Ref, known: _Known) -> str:
    fact = known.subject.columns.get((ref.table, ref.column))
    if fact is None or any(_excludes(test, ref) for test in known.tests):
        return ""
    pattern = known.companions.get(ref.root)
    if pattern is not None and pattern.count in (Count.AT_MOST_ONE, Count.NONE) and not _present(ref.root, known.tests):
        return f"there may be no row `{ref.root}`"
    asks = known.asks(ref.root)
    if asks and all(_never_null(asked, ref, op) for op, asked in asks.items()):
        return ""
    return null_of_column(fact, known.subject, _certain(asks))


def _never_null(asked: Mapping[tuple[str, str], Domain], ref: Ref, op: RowOp) -> bool:
    side = ref.side if ref.side != "row" else "after" if op in HAS_AFTER else "before"
    domain = asked.get((side, ref.column))
    return domain is not None and (None in domain.never or (domain.only is not None and None not in domain.only))


def _present(root: str, tests: tuple[nodes.Node, ...]) -> bool:
    return any(f"Name('{root}', 'load')" in repr(test) and "'present'" in repr(test) for test in tests)


def _excludes(test: nodes.Node, ref: Ref) -> bool:
    """Whether a test that held says that the column is not null."""
    for (side, column), domain in conjuncts_in(test, {}).domains:
        if (ref.root, side, column) == ("", ref.side, ref.column) and domain.only is not None:
            if None not in domain.only:
                return True
        elif (ref.root, side, column) == ("", ref.side, ref.column) and None in domain.never:
            return True
    return _compared(test, ref)


def _compared(test: nodes.Node, ref: Ref) -> bool:
    """`NAME.after.x is not null`, which conjuncts know of the anchor only."""
    if isinstance(test, nodes.And):
        return _compared(test.left, ref) or _compared(test.right, ref)
    if not isinstance(test, nodes.Not) or not isinstance(test.node, nodes.Test) or test.node.name != "null":
        return False
    spelled = repr(test.node.node)
    return all(f"'{word}'" in spelled for word in (ref.root, ref.side, ref.column) if word)


def _certain(asks: Asks) -> Mapping[str, Domain]:
    """Domains of columns that hold whatever the operation, for looking into parts: those of the row itself."""
    found: list[dict[str, Domain]] = []
    for op, asked in asks.items():
        row = "after" if op in HAS_AFTER else "before"
        found.append({column: domain for (side, column), domain in asked.items() if side == row})
    if not found:
        return {}
    first, *rest = found
    return {name: domain for name, domain in first.items() if all(other.get(name) == domain for other in rest)}


def null_of_column(fact: ColumnFact, subject: Subject, certain: Mapping[str, Domain] | None = None) -> str:
    """Why a column can be null, as the mapping or a recording says; empty where neither does.

    ``certain``: what is known of other columns of the row, which decides the branches of a part.
    """
    name, section = fact.column.name, fact.section
    if any(not scalar.is_null for scalar in section.scalars("null_when")):
        return f"`{name}` is null_when {', '.join(scalar.text for scalar in section.scalars('null_when'))}"
    if "decode" in section and (code := _code_of_null(fact, subject)) is not None:
        return f"the code {code} of `{name}` means null"
    if fact.column.part is not None:
        return _of_part(fact, subject, certain or {})
    seen = fact.recorded
    if seen is not None and seen.nulls and not seen.not_null and not _blank_is_code(fact, subject):
        return f"`{name}` was recorded as null or blank"
    return ""


def _code_of_null(fact: ColumnFact, subject: Subject) -> str | None:
    entries = dict(_codes(fact, subject))
    return next((repr(code) for code, value in entries.items() if value is None and code is not None), None)


def _codes(fact: ColumnFact, subject: Subject) -> Iterator[tuple[str | None, object]]:
    name = fact.section.scalar("decode")
    if name is not None:
        table = subject.context.codes.get(name.text)
        yield from table.codes.items() if table is not None else ()
        return
    for key, value in fact.section.entries("decode"):
        null = getattr(value, "is_null", False)
        yield (None if key.is_null else key.text.rstrip(" ")), (None if null else getattr(value, "text", value))


def _blank_is_code(fact: ColumnFact, subject: Subject) -> bool:
    return "" in dict(_codes(fact, subject)) if "decode" in fact.section else False


def _of_part(fact: ColumnFact, subject: Subject, certain: Mapping[str, Domain]) -> str:
    """A part that is null under a test of its row: null, unless the test is known to hold."""
    template = fact.section.scalar("is")
    if template is None:
        return ""
    for spoken in in_template("part", template, subject.context.names(), table=fact.table.table.name):
        tree = spoken.parsed.tree
        if isinstance(tree, nodes.CondExpr) and isinstance(tree.expr2, nodes.Name) and tree.expr2.name == "null":
            domains = conjuncts_in(tree.test, {}).domains
            holds = domains and all(
                certain.get(column) is not None and _within(certain[column], domain) for (_, column), domain in domains
            )
            if not holds:
                return (
                    f"`{fact.column.name}` is null unless {spoken.parsed.text[spoken.parsed.start(tree.test) :][:60]}"
                )
    return ""


def _within(inner: Domain, outer: Domain) -> bool:
    """Whether every value of one domain lies in another."""
    if outer.only is not None:
        return inner.only is not None and inner.only - inner.never <= outer.only - outer.never
    return (inner.only is not None and not inner.only & outer.never) or outer.never <= inner.never
