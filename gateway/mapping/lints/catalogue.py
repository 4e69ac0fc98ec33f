"""All lints: importing this completes the register."""

from __future__ import annotations

from gateway.mapping.lints import (
    codes,
    columns,
    events,
    fields,
    lists,
    loading,
    nulls,
    privacy,
    shadows,
    suppress,
    tests,
    truths,
    unused,
)
from gateway.mapping.lints.declare import LINTS, Lint

__all__ = ["all_lints"]

_MODULES = (codes, columns, events, fields, lists, loading, nulls, privacy, shadows, suppress, tests, truths, unused)


def all_lints() -> tuple[Lint, ...]:
    """Every lint, in the order of the codes."""
    assert _MODULES
    return tuple(LINTS[code] for code in sorted(LINTS))
