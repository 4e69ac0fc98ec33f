"""A partition's progress, as it is committed with its offset: the metadata string (protocol.md 4), format 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec

from gateway.model.errors import ConfigError
from gateway.model.event import Outcome, OutcomeKind
from gateway.model.unit import Taken, Unit

__all__ = ["METADATA_LIMIT", "Counters", "Progress", "format_progress", "parse_progress"]

METADATA_LIMIT = 3_000
"""Bytes; the broker refuses 4,096 and the transaction with it."""
_FORMAT = "1"
_PUBLISHED, _IGNORED, _DEAD_LETTERED = OutcomeKind.PUBLISHED, OutcomeKind.IGNORED, OutcomeKind.DEAD_LETTERED


class Counters(NamedTuple):
    """Counts that move with the commit: ``consumed = published + ignored + dead_lettered + parked`` (records).

    Beside them: events written, change sets that failed themselves, change sets parked behind one, unexplained units.
    """

    consumed: int = 0
    published: int = 0
    ignored: int = 0
    dead_lettered: int = 0
    parked: int = 0
    events: int = 0
    dead_sets: int = 0
    parked_sets: int = 0
    unexplained: int = 0

    @classmethod
    def of(
        cls, outcomes: Sequence[Outcome], events: int, dead_sets: int, parked_sets: int, unexplained: int
    ) -> Counters:
        """Counters of one unit."""
        kinds = [outcome.kind for outcome in outcomes]
        published, ignored = kinds.count(_PUBLISHED), kinds.count(_IGNORED)
        dead_lettered = kinds.count(_DEAD_LETTERED) if published + ignored < len(kinds) else 0
        return cls(
            len(kinds),
            published,
            ignored,
            dead_lettered,
            len(kinds) - published - ignored - dead_lettered,
            events,
            dead_sets,
            parked_sets,
            unexplained,
        )

    def plus(self, other: Counters) -> Counters:
        """Both added, field by field."""
        return Counters(*(left + right for left, right in zip(self, other, strict=True)))


NO_COUNTS = Counters()


@dataclass(frozen=True, slots=True)
class Progress:
    """What is true of a partition below its committed offset.

    ``partitions``/``topic_id``/``key_form``: the raw topic and its keys as they were; ``hi``/``ts``: the last row taken
    and the greatest commit time (ms); ``control``: next offset of the control log; ``digest``: the rules in force.
    ``barriers`` and ``epochs`` are kept for later commands. ``cursor``: of the huge unit at the offset, which is
    published in part: its first and last offset, and how many of its steps are done (pipeline.cursor).
    """

    partitions: int
    topic_id: str = ""
    hi: Taken | None = None
    ts: int = 0
    control: int = 0
    digest: str = ""
    barriers: tuple[tuple[str, str], ...] = ()
    epochs: tuple[tuple[str, int], ...] = ()
    cursor: tuple[int, int, int] | None = None
    counters: Counters = NO_COUNTS
    key_form: str = ""

    @classmethod
    def fresh(cls, partitions: int, topic_id: str = "", digest: str = "") -> Progress:
        """Progress of a partition that nobody has read."""
        return cls(partitions, topic_id, digest=digest)

    def after(self, unit: Unit, counters: Counters) -> Progress:
        """Progress once ``unit`` is settled, ``counters`` being its translation's."""
        return replace(self, hi=unit.hi, ts=unit.ts, counters=self.counters.plus(counters), cursor=None)

    def within(self, cursor: tuple[int, int, int], counters: Counters) -> Progress:
        """Progress once some steps of a huge unit are settled; ``counters`` are theirs."""
        return replace(self, counters=self.counters.plus(counters), cursor=cursor)


def format_progress(progress: Progress) -> str:
    """The metadata string: the format's digit and JSON without blanks. ConfigError above ``METADATA_LIMIT`` bytes."""
    fields: dict[str, Any] = {
        "np": progress.partitions,
        "t": progress.topic_id,
        "hi": progress.hi,
        "ts": progress.ts,
        "k": progress.control,
        "d": progress.digest,
        "b": progress.barriers,
        "ep": progress.epochs,
        "u": progress.cursor,
        "s": progress.counters,
        **({"kf": progress.key_form} if progress.key_form else {}),
    }
    text = _FORMAT + msgspec.json.encode(fields).decode()
    if len(text.encode()) > METADATA_LIMIT:
        raise ConfigError(
            f"the progress of a partition needs {len(text.encode())} bytes, {METADATA_LIMIT} are allowed",
            hint="too many barriers or epochs are open at once: let them finish",
        )
    return text


class _Stored(msgspec.Struct):
    np: int
    t: str = ""
    hi: tuple[int, int, int, int] | None = None
    ts: int = 0
    k: int = 0
    d: str = ""
    b: tuple[tuple[str, str], ...] = ()
    ep: tuple[tuple[str, int], ...] = ()
    u: tuple[int, int, int] | None = None
    s: tuple[int, ...] = ()
    kf: str = ""


_decoder = msgspec.json.Decoder(_Stored)


def parse_progress(text: str) -> Progress:
    """The progress in a metadata string. ConfigError for an unknown format or a damaged string."""
    if not text.startswith(_FORMAT + "{"):
        raise ConfigError(
            f"committed metadata starts with {text[:1]!r}, this release reads format {_FORMAT}",
            hint="another release, or another program, committed for this group: use its release, or a new group",
        )
    try:
        stored = _decoder.decode(text[1:])
    except msgspec.MsgspecError as error:
        hint = "`gateway recover` restores the copy in gateway.state"
        raise ConfigError(f"committed metadata is damaged: {error}", hint=hint) from error
    counts = (stored.s + (0,) * len(Counters._fields))[: len(Counters._fields)]
    hi = None if stored.hi is None else Taken(*stored.hi)
    return Progress(
        stored.np,
        stored.t,
        hi,
        stored.ts,
        stored.k,
        stored.d,
        stored.b,
        stored.ep,
        stored.u,
        Counters(*counts),
        stored.kf,
    )
