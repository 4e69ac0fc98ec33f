"""Conditions, code tables and shared files that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from gateway.mapping.expressions.syntax import Parsed
from gateway.mapping.lints.declare import Fix, Found, Lint, Severity, house_lint, lint
from gateway.mapping.lints.subject import House, Subject

__all__ = ["conditions_used", "tables_used"]


def conditions_used(subject: Subject) -> set[str]:
    """Conditions that some `when` names, those named by such conditions included."""
    found: set[str] = set()
    trees = [spoken.parsed.tree for spoken in subject.spoken if spoken.role in ("when", "pattern")]
    while trees:
        tree = trees.pop()
        for node in (tree, *tree.find_all(nodes.Name)):
            if isinstance(node, nodes.Name) and node.name in subject.context.conditions and node.name not in found:
                found.add(node.name)
                parsed: Parsed | None = subject.context.conditions[node.name]
                trees += [] if parsed is None else [parsed.tree]
    return found


def tables_used(subject: Subject) -> set[str]:
    """Code tables that a column or the filter `decode` names."""
    named = {scalar.text for fact in subject.columns.values() if (scalar := fact.section.scalar("decode")) is not None}
    for spoken in subject.spoken:
        for filter_ in (spoken.parsed.tree, *spoken.parsed.tree.find_all(nodes.Filter)):
            if isinstance(filter_, nodes.Filter) and filter_.name == "decode" and filter_.args:
                named.add(str(getattr(filter_.args[0], "value", "")))
    return named


@lint(
    Lint(
        "GW521",
        "unused-condition",
        Severity.WARNING,
        "a condition that no `when` names decides nothing, though it reads as if it did",
        "name it in the rule it was written for, or take it out",
        "conditions: {cleansing: \"row.changedBy == 'BATCH'\"}   # and no rule says when: cleansing",
        fixable=True,
    )
)
def unused_conditions(subject: Subject) -> Iterator[Found]:
    """Conditions of the mapping itself that nothing names."""
    used = conditions_used(subject)
    for name, _ in subject.section.entries("conditions"):
        if name.text not in used:
            yield Found(name.mark, f"nothing names the condition `{name.text}`", Fix("entry", name.mark))


@house_lint(
    Lint(
        "GW522",
        "unused-shared-condition",
        Severity.WARNING,
        "a shared condition that no mapping names decides nothing",
        "name it in the rule it was written for, or take it out",
        "conditions: {by_batch: \"row.changedBy == 'BATCH'\"}   # in a shared file",
    )
)
def unused_shared_conditions(house: House) -> Iterator[tuple[Subject | None, Found]]:
    """Conditions of shared files that no mapping names."""
    if house.broken:
        return
    used = {name for subject in house.subjects for name in conditions_used(subject)}
    for file in house.shared.files.values():
        for name, _ in file.section.entries("conditions") if file.section is not None else ():
            if name.text not in used:
                what = f"no mapping names the condition `{name.text}`"
                yield None, Found(name.mark, what, file=file.faults.file)


@house_lint(
    Lint(
        "GW612",
        "unused-code-table",
        Severity.WARNING,
        "a code table that nothing decodes with is kept up in vain",
        "use it or take it out",
        "codes: {channels: {T: telephone}}   # and no column says decode: channels",
    )
)
def unused_code_tables(house: House) -> Iterator[tuple[Subject | None, Found]]:
    """Code tables of shared files that no mapping names."""
    if house.broken:
        return
    used = {name for subject in house.subjects for name in tables_used(subject)}
    for file in house.shared.files.values():
        for name, _ in file.section.entries("codes") if file.section is not None else ():
            if name.text not in used:
                yield None, Found(name.mark, f"nothing decodes with `{name.text}`", file=file.faults.file)


@lint(
    Lint(
        "GW613",
        "unused-shared-file",
        Severity.NOTE,
        "the mapping uses nothing of a file under `use:`, but its digest changes with it",
        "take it out of `use`",
        "use: [../shared/codes.yaml]   # and no decode or condition of it",
        fixable=True,
    )
)
def unused_shared_files(subject: Subject) -> Iterator[Found]:
    """Entries of `use` of which neither codes nor conditions are used."""
    used = tables_used(subject) | conditions_used(subject)
    scalars = subject.section.scalars("use")
    for scalar, file in zip(scalars, subject.loaded.used, strict=True):
        if not used & {*file.codes, *file.conditions}:
            fix = Fix("item", scalar.mark) if len(scalars) > 1 else Fix("entry", subject.section.mark_of("use"))
            yield Found(scalar.mark, f"nothing of `{scalar.text}` is used", fix)
