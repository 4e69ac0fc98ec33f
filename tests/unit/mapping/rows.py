"""Rows for the tests of expressions and templates: plain values where the interpreter would have net changes."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.mapping.compiled import RowView, Scope
from gateway.model.values import Value


@dataclass(frozen=True)
class FakeRow:
    op: str = "update"
    before: Mapping[str, Value] | None = None
    after: Mapping[str, Value] | None = None
    changed: frozenset[str] = frozenset()
    other: Mapping[str, Value] | None = None


def scope_of(anchor: RowView | None = None, key: Mapping[str, Value] | None = None, **companions: object) -> Scope:
    return Scope(anchor, companions, key or {}, {})  # type: ignore[arg-type]
