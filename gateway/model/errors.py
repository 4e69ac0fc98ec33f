"""Three families of errors, because the reaction to each differs (design.md, Errors)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.model.finding import Finding

__all__ = [
    "Awaited",
    "BarrierAwaited",
    "ConfigError",
    "DataLoss",
    "DependencyError",
    "Fault",
    "GatewayError",
    "LetterClass",
    "LookupAwaited",
    "LookupMissed",
    "PartitionHalted",
    "RecordError",
    "ResumeAwaited",
    "SourceRegressed",
    "SpillFull",
]


class LetterClass(StrEnum):
    """Why a record or change set became a dead letter."""

    DECODE = "decode"
    DRIFT = "drift"
    RULE = "rule"
    CONTRACT = "contract"
    UNEXPLAINED = "unexplained"
    LOOKUP = "lookup"
    OVERSIZED = "oversized"
    ORDER_BLOCKED = "order-blocked"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a configuration file: where (1-based line and column), what, and how to mend it."""

    file: str
    line: int
    column: int
    what: str
    hint: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        lines = [f"{self.file}:{self.line}:{self.column}: {self.what}"]
        if self.excerpt:
            lines += [f"    {self.excerpt}", f"    {' ' * (self.column - 1)}^"]
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)


class GatewayError(Exception):
    """Root of our errors: ``what`` happened, ``where`` (a place a person can go to), a ``hint`` what to do."""

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.what}{remedy}"


class RecordError(GatewayError):
    """A record or change set cannot be translated: park or dead-letter it and go on.

    ``findings``: what it tells about the data, beside the change set that fails.
    """

    def __init__(
        self,
        letter_class: LetterClass,
        what: str,
        *,
        rule: str = "",
        where: str = "",
        hint: str = "",
        stage: str = "",
        findings: tuple[Finding, ...] = (),
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.letter_class = letter_class
        self.rule = rule
        self.stage = stage
        self.findings = findings


class DependencyError(GatewayError):
    """Broker, registry, database or Connect is away: back off and try again; never dead-letter, never commit."""


class LookupMissed(RecordError):  # noqa: N818 - names what happened
    """Reference data has no entry under the ``key`` that a rule's data looks up in ``lookup``."""

    def __init__(self, lookup: str, key: str) -> None:
        super().__init__(
            LetterClass.LOOKUP,
            f"the lookup `{lookup}` has no entry `{key[:200]}`",
            hint="publish its reference record, or mend the column's value; then redrive",
            stage="interpret",
        )
        self.lookup = lookup
        self.key = key


class Awaited(DependencyError):  # noqa: N818 - names a state
    """Something is waited for: hold this partition, settle nothing of the unit. ``what_for``: in a few words."""

    def __init__(self, what: str, what_for: str, *, where: str = "") -> None:
        super().__init__(what, where=where)
        self.what_for = what_for


class BarrierAwaited(Awaited):
    """The unit stands behind the cut of a barrier that is not decided yet."""

    def __init__(self, barrier: str) -> None:
        super().__init__(f"waiting for the decision on barrier {barrier}", f"barrier {barrier}")


class ResumeAwaited(Awaited):
    """The partition is paused."""

    def __init__(self, by: str) -> None:
        super().__init__(f"paused by {by}", "`gateway resume`")


class LookupAwaited(Awaited):
    """A missing entry of reference data is still waited for."""

    def __init__(self, lookup: str, key: str) -> None:
        what = f"waiting for the entry `{key[:200]}` of the lookup `{lookup}`"
        super().__init__(what, f"lookup {lookup}", where=lookup)
        self.lookup = lookup
        self.key = key


class SpillFull(DependencyError):  # noqa: N818 - names a state
    """The disk has no room for a large transaction: pause this partition, go on when there is room."""


class ConfigError(GatewayError):
    """The configuration is wrong: refuse to start, showing every fault with its place and remedy."""

    def __init__(self, what: str, *, faults: tuple[Fault, ...] = (), where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.faults = faults

    def __str__(self) -> str:
        head = super().__str__()
        return "\n".join([head, *map(str, self.faults)]) if self.faults else head


class DataLoss(ConfigError):  # noqa: N818 - names what happened
    """Retention overtook the worker, a partition's next records are gone: it stops, others go on (protocol.md 4)."""


class SourceRegressed(ConfigError):  # noqa: N818 - the protocol's word for it
    """A position went back while its commit time went on: another timeline; the partition stops (protocol.md 3.4)."""


class PartitionHalted(ConfigError):  # noqa: N818 - names a state
    """A change set failed under ``on_error: halt``: the partition stops before it; what stands before is settled."""
