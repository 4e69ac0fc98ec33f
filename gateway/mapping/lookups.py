"""The ``lookups:`` of a mapping: topics of reference data, and what a missing key means (language.md 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gateway.mapping.compiled import LookupSource, Rule
from gateway.mapping.nodes import Faults, Scalar
from gateway.mapping.records import Section

__all__ = ["MAX_WAIT", "compile_lookups", "with_columns"]

MAX_WAIT = 3_600
"""Seconds: a partition is held that long at most."""
_SECONDS = {"s": 1, "m": 60}


def compile_lookups(section: Section, faults: Faults) -> dict[str, LookupSource]:
    """The lookups that could be read, by name, without their columns yet."""
    found = {}
    for name, lookup in section.named("lookups"):
        topic = lookup.scalar("topic")
        wait = _wait(lookup.scalar("missing"), faults)
        if topic is not None and wait is not None:
            found[name.text] = LookupSource(name.text, topic.text, wait, frozenset())
    return found


def _wait(missing: Scalar | None, faults: Faults) -> float | None:
    """Seconds to wait for a missing key; 0 for ``deadletter``, which is the default; None after a fault."""
    if missing is None or missing.text == "deadletter":
        return 0.0
    match = re.fullmatch(r"wait\(([1-9][0-9]{0,3})(s|m)\)", missing.text)
    if match is not None and int(match[1]) * _SECONDS[match[2]] <= MAX_WAIT:
        return float(int(match[1]) * _SECONDS[match[2]])
    hint = "write deadletter, or wait(30s), wait(2m), an hour at most"
    faults.add(missing.mark, f"`{missing.text[:60]}` is no policy for a missing key", hint)
    return None


def with_columns(lookups: Mapping[str, LookupSource], rules: Iterable[Rule]) -> dict[str, LookupSource]:
    """The lookups with the columns that rules ask for; those that no rule asks for are left out."""
    columns: dict[str, set[str]] = {}
    for rule in rules:
        for name, column in rule.lookups:
            columns.setdefault(name, set()).add(column)
    return {
        name: LookupSource(name, source.topic, source.wait, frozenset(columns[name]))
        for name, source in lookups.items()
        if name in columns
    }
