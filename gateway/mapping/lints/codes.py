"""Codes: values that were recorded and have no decoding, code tables that were never written down."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.mapping.lints.declare import Found, Lint, Severity, lint
from gateway.mapping.lints.subject import Subject
from gateway.model.values import UNREADABLE

__all__: list[str] = []


@lint(
    Lint(
        "GW611",
        "code-without-decode",
        Severity.ERROR,
        "a code that was recorded is not in the code table: a change that brings it becomes a dead letter",
        "add the code to `decode`, or say what unlisted codes are with `otherwise`",
        "sts: {decode: {A: active}}   # and 'M' was recorded",
        needs="schema",
    )
)
def codes_without_decode(subject: Subject) -> Iterator[Found]:
    """Recorded values of a decoded column, or of a part, that cannot be decoded."""
    for fact in subject.columns.values():
        if "decode" not in fact.section or fact.recorded is None or not fact.recorded.values:
            continue
        if fact.column.part is not None:
            continue
        bad = [code for code in sorted(fact.recorded.values) if fact.column.read(code) is UNREADABLE]
        if bad:
            words = ", ".join(repr(code) for code in bad[:5])
            yield Found(fact.section.mark_of("decode"), f"`{fact.column.name}` has no decoding of {words}")


@lint(
    Lint(
        "GW614",
        "code-never-recorded",
        Severity.NOTE,
        "a long recording never had this code, so its spelling was never proved",
        "compare it with the legacy system's own list",
        "sts: {decode: {A: active, ZZ: ghost}}   # 'ZZ' was never recorded",
        needs="schema",
    )
)
def codes_never_recorded(subject: Subject) -> Iterator[Found]:
    """Codes of an inline table that a recording of at least 1,000 rows of the table lacks."""
    for fact in subject.columns.values():
        table = subject.recorded(fact.table.table.physical)
        if table is None or table.rows < 1_000 or fact.recorded is None or fact.recorded.values is None:
            continue
        for code, _ in fact.section.entries("decode") if fact.column.part is None else ():
            if not code.is_null and code.text.rstrip(" ") not in fact.recorded.values:
                yield Found(code.mark, f"{code.text!r} was never recorded in {table.rows} rows")
