"""Lists that say a thing twice, defaults written out, companions that do nothing: harmless, and confusing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.mapping.compiled import Count
from gateway.mapping.lints.declare import Fix, Found, Lint, Severity, lint
from gateway.mapping.lints.spoken import patterns_of
from gateway.mapping.lints.subject import Subject
from gateway.mapping.nodes import Map, Mark, Node, Scalar, Seq
from gateway.mapping.records import Section

__all__: list[str] = []


@lint(
    Lint(
        "GW204",
        "said-twice",
        Severity.NOTE,
        "a list names one thing twice, which reads as if it meant something",
        "leave the second one out",
        "changed: [street, city, street]",
        fixable=True,
    )
)
def said_twice(subject: Subject) -> Iterator[Found]:
    """Words that stand twice in one list of a rule, a group or a row."""
    assert subject.loaded.root is not None
    yield from _twice(subject.loaded.root)


def _twice(node: Node) -> Iterator[Found]:
    if isinstance(node, Map):
        for _, value in node.entries:
            yield from _twice(value)
    elif isinstance(node, Seq):
        seen: set[tuple[str, bool]] = set()
        for item in node.items:
            if not isinstance(item, Scalar):
                yield from _twice(item)
                continue
            key = (item.text, item.is_null)
            if key in seen:
                yield Found(item.mark, f"`{item.text[:60]}` stands in this list already", Fix("item", item.mark))
            seen.add(key)


@lint(
    Lint(
        "GW205",
        "explained-anyway",
        Severity.NOTE,
        "`explains` names a column that `changed`, `from` or `to` takes anyway",
        "leave it out of `explains`",
        "each: {table: address, changed: [place], explains: [city]}   # city is of place",
        fixable=True,
    )
)
def explained_anyway(subject: Subject) -> Iterator[Found]:
    """Words of `explains` whose columns are taken without it."""
    for compiled in subject.rules:
        for pattern, section in patterns_of(compiled):
            groups = subject.context.tables[pattern.table].table.groups
            taken = _columns(section.scalars("changed"), groups)
            taken |= {test.column for test in pattern.where if test.transition}
            for word in section.scalars("explains"):
                columns = set(groups.get(word.text, (word.text,)))
                if word.text != "nothing" and columns <= taken:
                    yield Found(word.mark, f"`{word.text}` is taken without `explains`", Fix("item", word.mark))


def _columns(words: Iterable[Scalar], groups: Mapping[str, tuple[str, ...]]) -> set[str]:
    return {column for word in words for column in groups.get(word.text, (word.text,))}


@lint(
    Lint(
        "GW206",
        "idle-companion",
        Severity.WARNING,
        "a companion that is not needed, takes nothing and is read by nothing changes nothing",
        "take it out, or say what it is for: a count, an `explains`, a field of `data`",
        "with: {proof: {table: log, op: insert, count: at most one, explains: nothing}}",
        fixable=True,
    )
)
def idle_companions(subject: Subject) -> Iterator[Found]:
    """Witnesses whose count is always met and whose name stands nowhere else in the rule."""
    for compiled in subject.rules:
        read = {ref.root for ref in subject.refs if ref.rule is compiled}
        text = " ".join(_texts(compiled.section))
        for name, _ in compiled.section.named("with"):
            pattern = next(each for each in compiled.rule.companions if each.name == name.text)
            idle = pattern.witness and pattern.count in (Count.ANY, Count.AT_MOST_ONE)
            if idle and name.text not in read and name.text not in text.split():
                yield Found(name.mark, f"`{name.text}` changes nothing", Fix("entry", name.mark))


def _texts(section: Section) -> Iterator[str]:
    when, data = section.scalar("when"), section.node("data")
    if when is not None:
        yield when.text
    yield from _scalars(data)


def _scalars(node: Node | None) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    elif isinstance(node, Map):
        for _, value in node.entries:
            yield from _scalars(value)
    elif isinstance(node, Seq):
        for item in node.items:
            yield from _scalars(item)


_DEFAULTS = {"intent": "fact", "count": "one", "pii": "false", "bookkeeping": "false"}


@lint(
    Lint(
        "GW207",
        "default-written-out",
        Severity.NOTE,
        "a key says what holds without it",
        "leave it out",
        "intent: fact",
        fixable=True,
    )
)
def defaults_written_out(subject: Subject) -> Iterator[Found]:
    """Keys of rules, patterns and columns with their default as value."""
    sections = [compiled.section for compiled in subject.rules]
    sections += [place for compiled in subject.rules for _, place in patterns_of(compiled)]
    sections += [fact.section for fact in subject.columns.values()]
    seen: set[Mark] = set()
    for section in sections:
        for key, default in _DEFAULTS.items():
            mark = section.mark_of(key)
            if section.word(key) == default and mark not in seen:
                seen.add(mark)
                yield Found(mark, f"`{key}: {default}` holds anyway", Fix("entry", mark))
