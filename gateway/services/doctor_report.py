"""What a look at one part of the surroundings found: findings with their remedy, and what was fine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Area", "AreaReport", "Diagnosis", "Finding", "Severity", "size"]


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """Would lose or garble data, or keeps the gateway from running."""
    WARNING = "warning"
    """Nothing is lost now; something else has to happen first."""
    NOTE = "note"
    """Worth knowing."""


class Area(StrEnum):
    """A part of the surroundings, in the order in which they are looked at."""

    DATABASE = "database"
    CONNECT = "connect"
    TOPICS = "topics"
    REGISTRY = "registry"
    MAPPINGS = "mappings"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be: the object, the reason, and the exact command or SQL that mends it."""

    severity: Severity
    object: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class AreaReport:
    """One area. ``fine``: what was looked at and is well; ``unseen``: why it could not be looked at ('' if it was)."""

    area: Area
    findings: tuple[Finding, ...] = ()
    fine: tuple[str, ...] = ()
    unseen: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All areas that were asked for."""

    areas: Sequence[AreaReport]

    def count(self, severity: Severity) -> int:
        """Findings of this severity."""
        return sum(finding.severity is severity for area in self.areas for finding in area.findings)

    @property
    def exit_code(self) -> int:
        """1: something would lose or garble data; 2: nothing was found, but not all could be looked at; else 0."""
        if self.count(Severity.ERROR):
            return 1
        return 2 if any(area.unseen for area in self.areas) else 0


def size(count: int) -> str:
    """Bytes as a person reads them."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
