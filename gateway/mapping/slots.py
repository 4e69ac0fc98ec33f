"""Two rules of one event type that can both fire on one row need a slot (language.md 9): a conservative check."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.mapping.expressions.syntax import Parsed
from gateway.mapping.nodes import Faults
from gateway.mapping.rules import Compiled


def check_slots(rules: tuple[Compiled, ...], conditions: Mapping[str, Parsed | None], faults: Faults) -> None:
    """todo"""
