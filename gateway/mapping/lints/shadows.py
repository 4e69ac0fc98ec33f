"""Rules that come too late: an earlier rule takes what they need."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.mapping.compiled import RowOp
from gateway.mapping.lints.declare import Found, Lint, Severity, lint
from gateway.mapping.lints.implied import fires_wherever, taken_by
from gateway.mapping.lints.spoken import patterns_of
from gateway.mapping.lints.subject import Subject
from gateway.mapping.nodes import Mark
from gateway.mapping.rules import Compiled

__all__: list[str] = []


@lint(
    Lint(
        "GW201",
        "shadowed-rule",
        Severity.ERROR,
        "an earlier rule takes every change that this one wants, so it never fires",
        "put it before the earlier rule, or let their tests exclude each other",
        "- {rule: moved, each: {table: address, changed: [city]}}\n"
        "- {rule: moved-abroad, each: {table: address, changed: [city], where: {kind: legal}}}   # never",
    )
)
def shadowed_rules(subject: Subject) -> Iterator[Found]:
    """Rules of which each operation is taken by some earlier rule."""
    for place, later in enumerate(subject.rules):
        anchor = later.rule.anchor
        if anchor is None:
            continue
        takers = [_taker(subject, subject.rules[:place], later, op) for op in sorted(anchor.ops)]
        if takers and all(takers):
            names = ", ".join(dict.fromkeys(f"`{each.rule.name}`" for each in takers if each is not None))
            section = later.section
            mark = _name(section.marks.get("rule") or section.mark_of("noise"), later)
            yield Found(mark, f"`{later.rule.name}` never fires: {names} takes what it needs")


def _name(mark: Mark, compiled: Compiled) -> Mark:
    scalar = compiled.section.scalar("rule") or compiled.section.scalar("noise")
    return scalar.mark if scalar is not None else mark


def _taker(subject: Subject, earlier: tuple[Compiled, ...], later: Compiled, op: RowOp) -> Compiled | None:
    """The earlier rule that leaves nothing of an operation for the later one."""
    return next((each for each in earlier if _leaves_nothing(each, later, op, subject)), None)


def _leaves_nothing(earlier: Compiled, later: Compiled, op: RowOp, subject: Subject) -> bool:
    if not fires_wherever(earlier, later, op, subject):
        return False
    taken = taken_by(earlier, later, op)
    if taken is None:
        return True
    wanted = later.rule.anchor
    assert wanted is not None
    transitions = {test.column for test in wanted.where if test.transition}
    if transitions & taken:
        return True
    return wanted.changed is not None and wanted.changed <= taken


@lint(
    Lint(
        "GW202",
        "shadowed-column",
        Severity.WARNING,
        "an earlier rule always takes this column, so it never makes this rule fire",
        "take the column out of one of the two lists",
        "- {rule: moved, each: {table: address, changed: [street, city]}}\n"
        "- {rule: tidied, each: {table: address, changed: [city, check]}}   # never by city",
    )
)
def shadowed_columns(subject: Subject) -> Iterator[Found]:
    """Columns of `changed` that an earlier rule with wider tests takes; not where the whole rule is shadowed."""
    for place, later in enumerate(subject.rules):
        anchor = later.rule.anchor
        if anchor is None or anchor.changed is None or RowOp.UPDATE not in anchor.ops or anchor.witness:
            continue
        each = later.section.section("each")
        words = () if each is None else each.scalars("changed")
        if len(words) == 1 and words[0].text == "any":
            continue
        groups = subject.context.tables[anchor.table].table.groups
        if _taker(subject, subject.rules[:place], later, RowOp.UPDATE) is not None:
            continue
        for word in words:
            columns = frozenset(groups.get(word.text, (word.text,)))
            for earlier in subject.rules[:place]:
                if earlier.rule.anchor is None or earlier.rule.anchor.changed is None:
                    continue
                taken = taken_by(earlier, later, RowOp.UPDATE)
                if taken and columns <= taken and fires_wherever(earlier, later, RowOp.UPDATE, subject):
                    yield Found(word.mark, f"`{word.text}` is always taken by `{earlier.rule.name}` before")
                    break


@lint(
    Lint(
        "GW203",
        "noise-too-broad",
        Severity.WARNING,
        "a noise rule lists a column by whose change events are told: where no event fits, the change is silenced",
        "leave the column out, so that a change nobody explains stays visible",
        "- {rule: moved, each: {table: address, changed: [city], where: {kind: legal}}}\n"
        "- {noise: tidied, because: spelling, each: {table: address, changed: [city, check]}}",
    )
)
def broad_noise(subject: Subject) -> Iterator[Found]:
    """Columns of a noise rule without tests that events of the same table are told by."""
    telling: dict[tuple[str, str], str] = {}
    for compiled in subject.rules:
        anchor, each = compiled.rule.anchor, compiled.section.section("each")
        words = () if each is None else each.scalars("changed")
        if compiled.rule.event is None or anchor is None or [word.text for word in words] == ["any"]:
            continue
        for column in anchor.changed or ():
            telling.setdefault((anchor.table, column), compiled.rule.name)
    for compiled in subject.rules:
        if compiled.rule.event is not None:
            continue
        for pattern, section in patterns_of(compiled):
            if pattern.where or compiled.rule.when is not None or compiled.rule.companions:
                continue
            groups = subject.context.tables[pattern.table].table.groups
            for word in (*section.scalars("changed"), *section.scalars("explains")):
                told = [c for c in groups.get(word.text, (word.text,)) if (pattern.table, c) in telling]
                if told:
                    what = (
                        f"`{told[0]}` makes `{telling[pattern.table, told[0]]}` fire, and is noise here without a test"
                    )
                    yield Found(word.mark, what)
