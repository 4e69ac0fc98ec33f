"""A budget for a comparison: how much may differ before it fails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.errors import ConfigError

__all__ = ["NAMES", "Allowance", "Spent", "amount_of", "parse_budget", "spend"]

NAMES = ("added", "gone", "changed", "order", "letters", "unexplained")
"""What may be limited: events added, gone, changed; change sets with their events in another order; records newly
dead-lettered or parked; newly unexplained units."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most ``most`` of a kind, or that share of the old version's events where ``percent``."""

    name: str
    most: float
    percent: bool = False

    def __str__(self) -> str:
        return f"{self.most:g}%" if self.percent else f"{self.most:g}"


@dataclass(frozen=True, slots=True)
class Spent:
    """One allowance against what was found."""

    name: str
    allowed: str
    found: int
    kept: bool


def parse_budget(text: str) -> tuple[Allowance, ...]:
    """``changed=0,gone=0,added=10`` or ``changed=0.1%``. ConfigError: an unknown name, or no number."""
    return tuple(_allowance(part) for part in text.split(",") if part.strip())


def _allowance(part: str) -> Allowance:
    name, _, amount = (word.strip() for word in part.partition("="))
    if name not in NAMES:
        raise ConfigError(
            f"a budget has no `{name}`", where=f"--budget {part.strip()}", hint=f"known: {', '.join(NAMES)}"
        )
    return Allowance(name, *amount_of(amount, f"--budget {part.strip()}"))


def amount_of(text: str, where: str) -> tuple[float, bool]:
    """A number, and whether it is a percentage. ConfigError: neither 10 nor 0.1%."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(%?)", text.strip())
    if match is None or (not match[2] and "." in match[1]):
        raise ConfigError(
            f"`{text}` is no amount", where=where, hint="write a whole number, or a percentage as in 0.1%"
        )
    return float(match[1]), bool(match[2])


def spend(budget: tuple[Allowance, ...], found: Mapping[str, int], events: int) -> tuple[Spent, ...]:
    """Each allowance against ``found`` (by name); percentages are of ``events``, those of the old version."""
    return tuple(
        Spent(
            one.name,
            str(one),
            found[one.name],
            found[one.name] * 100 <= one.most * events if one.percent else found[one.name] <= one.most,
        )
        for one in budget
    )
