"""Personal data: from tagged columns into tagged fields, and no other way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jinja2 import nodes

from gateway.mapping.lints.declare import Found, Lint, Severity, lint
from gateway.mapping.lints.payload import Leaf, tagged_fields
from gateway.mapping.lints.spoken import Ref, column_named
from gateway.mapping.lints.subject import Subject

__all__: list[str] = []


@lint(
    Lint(
        "GW601",
        "personal-data-untagged",
        Severity.WARNING,
        "a column tagged as personal data reaches a field that is not: consumers do not know what they hold",
        'tag the field ("pii": true, or "Personal data." in its doc), or mask the value: | mask(4)',
        'nm: {as: name, pii: true}   # and the field name has no "Personal data" in its doc',
    )
)
def personal_data_untagged(subject: Subject) -> Iterator[Found]:
    """Tagged columns that reach untagged fields other than through `mask`."""
    for leaf, refs in _reaching(subject):
        tagged = [ref for ref in refs if _pii(ref, subject)]
        if tagged and not _tagged(leaf, subject):
            yield Found(leaf.mark, f"`{tagged[0].column}` is personal data, the field `{leaf.path}` is not tagged so")


@lint(
    Lint(
        "GW602",
        "personal-data-unmarked",
        Severity.WARNING,
        "a field is tagged as personal data and the column that fills it is not: it stays readable where it is masked",
        "write `pii: true` at the column, or take the tag off the field",
        'nm: {as: name}   # and the field says "Personal data."',
    )
)
def personal_data_unmarked(subject: Subject) -> Iterator[Found]:
    """Untagged columns that fill tagged fields, told at the column."""
    seen = set()
    for leaf, refs in _reaching(subject):
        plain = [ref for ref in refs if not _pii(ref, subject)]
        if not plain or len(plain) < len(refs) or not _tagged(leaf, subject):
            continue
        fact = subject.columns.get((plain[0].table, plain[0].column))
        if fact is not None and fact.place not in seen:
            seen.add(fact.place)
            event = leaf.rule.rule.event
            what = f"`{leaf.path}` of {event} is personal data, its column `{fact.column.name}` is not tagged"
            yield Found(fact.place, what)


def _reaching(subject: Subject) -> Iterator[tuple[Leaf, list[Ref]]]:
    """Each field with the columns whose values can reach it."""
    for leaf in subject.leaves:
        refs = [] if leaf.taken is None else [leaf.taken]
        for part in leaf.parts:
            refs += [ref for node in _values(part.parsed.tree) if (ref := column_named(node, part)) is not None]
        yield leaf, refs


def _values(node: nodes.Node) -> Iterator[nodes.Node]:
    """The nodes whose value becomes part of the result: not tests, not what is masked."""
    if isinstance(node, (nodes.Compare, nodes.Test, nodes.Not, nodes.And, nodes.Or)):
        return
    if isinstance(node, nodes.Filter) and node.name in ("mask", "length"):
        return
    yield node
    if isinstance(node, nodes.CondExpr):
        yield from _values(node.expr1)
        yield from _values(node.expr2) if node.expr2 is not None else ()
    elif not isinstance(node, nodes.Getattr):
        for child in node.iter_child_nodes():
            yield from _values(child)


def _pii(ref: Ref, subject: Subject) -> bool:
    fact = subject.columns.get((ref.table, ref.column))
    return fact is not None and fact.column.pii


def _tagged(leaf: Leaf, subject: Subject) -> bool:
    contract = subject.loaded.contracts[leaf.rule.rule.event or ""]
    assert contract is not None
    tags: Mapping[tuple[str, str], bool] = tagged_fields(contract.schema)
    name = leaf.path.rpartition(".")[2].rstrip("[]{}")
    return tags.get((leaf.record, name), False)
