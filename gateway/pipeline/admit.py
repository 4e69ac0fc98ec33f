"""Duplicates: which rows were taken before, judged by position alone (protocol.md 3)."""

from __future__ import annotations

from enum import Enum

from gateway.model.change import ChangeEvent
from gateway.model.errors import ConfigError, SourceRegressed
from gateway.model.position import SourcePosition

__all__ = ["Incarnations", "Standing", "check_source", "incarnation_of", "judge"]

Incarnations = tuple[tuple[int, int], ...]
"""Declared timelines of a source: number and first commit time (ms), ascending. Before the first one it is 1."""


def incarnation_of(ts_ms: int, declared: Incarnations) -> int:
    """The source's incarnation at a commit time: a function of the record alone."""
    number = 1
    for name, since_ms in declared:
        if since_ms <= ts_ms:
            number = name
    return number


class Standing(Enum):
    """Where a row stands to the last one taken."""

    ABOVE = 1
    EQUAL = 0
    BELOW = -1


def judge(change: ChangeEvent, position: SourcePosition, hi: tuple[int, int, int] | None, ts: int) -> Standing:
    """Compare a row's position with ``hi``. ``ts``: the greatest commit time (ms) taken so far.

    SourceRegressed: the position is not above ``hi`` but its commit time is later than all seen: another timeline.
    """
    if hi is None or position > hi:
        return Standing.ABOVE
    if change.source.ts_ms > ts:
        raise SourceRegressed(
            f"the source went back: position {position.commit}/{position.lsn} is not above {hi[1]}/{hi[2]}, "
            f"but its commit time {change.source.ts_ms} is later than {ts}",
            where=change.record.place,
            hint=f"restored or failed over? declare it, incarnations: [{{name: {hi[0] + 1}, from: T}}], T (ms) later "
            f"than the last commit before that and at most {change.source.ts_ms}; then restart",
        )
    return Standing.EQUAL if position == hi else Standing.BELOW


def check_source(change: ChangeEvent, expected: tuple[str, str]) -> None:
    """ConfigError if a second connector or database writes to this raw topic (protocol.md 3.7)."""
    name, database = expected
    source = change.source
    if source.name != name or (database and source.database != database):
        raise ConfigError(
            f"a second source writes to this topic: {source.name}/{source.database} beside {name}/{database or '?'}",
            where=change.record.place,
            hint="one raw topic is fed by one connector: give the other one topics of its own",
        )
