"""One raw partition that this worker owns: where it stands, what of it is open, what of it is parked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from operator import add
from typing import TYPE_CHECKING

from gateway.bridge.standing_orders import paused_by
from gateway.model.errors import ConfigError
from gateway.model.letter import ParkEntry
from gateway.model.record import RawRecord
from gateway.model.unit import Taken, Unit
from gateway.pipeline.assemble import Tail
from gateway.pipeline.decode import Decoder
from gateway.pipeline.progress import Counters, Progress, format_progress
from gateway.pipeline.spool import record_at
from gateway.ports import Committed, Partition
from gateway.services.worker_plan import RawTopic

if TYPE_CHECKING:
    from gateway.services.worker_cursor import Cursor

__all__ = ["MetadataTooLong", "OwnedPartition", "Phase"]


NOTHING: tuple[int, ...] = tuple(Counters())


class MetadataTooLong(ConfigError):  # noqa: N818 - names what happened
    """The progress of ``place`` does not fit into a committed offset's metadata: it stops, the others go on."""

    def __init__(self, place: Partition, error: ConfigError) -> None:
        super().__init__(error.what, where=str(place), hint=error.hint)
        self.place = place


class Phase(Enum):
    """What the worker does with a partition it owns."""

    ASKING = "asking its committed offset"
    READING_STATE = "reading its part of the state topic"
    RUNNING = "running"
    HELD = "waiting for an entry of reference data, or for a barrier"
    PAUSED = "paused by a command"
    CURSOR = "publishing a large transaction, step by step"
    STOPPED = "stopped"


@dataclass(slots=True)
class OwnedPartition:
    """Everything a worker knows of a partition; all of it can be rebuilt from the log (protocol.md R5).

    ``expected``: next raw offset to take; ``position``: all below was delivered; ``progress``: as last committed;
    ``next_offset``, ``last_unit``, ``counters``: what the open transaction adds to it; ``moved``: whether it does.
    ``held``: complete units that wait to be settled (phases HELD, CURSOR), of which the first may be published in part:
    ``cursor``; ``steps``: what of it the open transaction adds; ``resume``: what a predecessor did of the unit to come.
    ``raw``: its rules; they change at a barrier.
    ``key_form``: of the keys settled; ``sound_at``: what was settled when the topic was last seen to be what it was.
    """

    place: Partition
    phase: Phase = Phase.ASKING
    ask_at: float = 0.0
    committed: Committed | None = None
    tail: Tail | None = None
    decoder: Decoder | None = None
    raw: RawTopic | None = None
    progress: Progress | None = None
    last_unit: Unit | None = None
    counters: tuple[int, ...] = NOTHING
    next_offset: int = 0
    expected: int = 0
    position: int = 0
    moved: bool = False
    key_form: str = ""
    sound_at: int = 0
    held: list[Unit] = field(default_factory=list)
    cursor: Cursor | None = None
    steps: tuple[int, int, int] | None = None
    resume: tuple[int, int, int] | None = None
    parked: dict[str, ParkEntry] = field(default_factory=dict)
    letters_from: int = 0
    high_watermark: int = 0
    stopped_by: str = ""
    told_paused: bool = False

    def take(self, record: RawRecord) -> list[Unit]:
        """Units that this next record completes. ConfigError as ``Decoder`` and ``Tail.add`` raise it."""
        assert self.tail is not None
        assert self.decoder is not None
        return self.tail.add(self.decoder(record))

    def settle(self, unit: Unit, counters: Counters) -> None:
        """The open transaction settles one more unit."""
        self.last_unit = unit
        self.counters = tuple(map(add, self.counters, counters))
        self.next_offset = unit.next_offset
        self.moved = True
        if not self.key_form and self.decoder is not None:
            forms = (self.decoder.form_of(entry.record) for entry in unit.entries)
            self.key_form = next(filter(None, forms), "")

    def settle_steps(self, unit: Unit, last: int, done: int, counters: Counters) -> None:
        """The open transaction settles steps of a large unit, up to ``done``; ``last``: its last record's offset."""
        self.steps = (unit.first_offset, last, done)
        self.counters = tuple(map(add, self.counters, counters))
        self.moved = True

    def fold(self) -> None:
        """What the open transaction adds becomes part of the progress."""
        assert self.progress is not None
        counters = Counters(*self.counters)
        if self.last_unit is not None:
            self.progress = self.progress.after(self.last_unit, counters)
        elif self.steps is not None:
            self.progress = self.progress.within(self.steps, counters)
        if self.progress.key_form != self.key_form:
            self.progress = replace(self.progress, key_form=self.key_form)
        self.last_unit, self.steps, self.counters = None, None, NOTHING

    def commit_point(self) -> Committed:
        """Offset and metadata for the open transaction to commit. MetadataTooLong."""
        self.fold()
        assert self.progress is not None
        try:
            return Committed(self.settled_up_to(), format_progress(self.progress))
        except ConfigError as error:
            raise MetadataTooLong(self.place, error) from error

    def reset(self, ask_at: float) -> None:
        """Forget everything but ownership: the assignment's steps begin again, not before ``ask_at``."""
        self.phase = Phase.ASKING
        self.ask_at = ask_at
        self.committed = self.tail = self.decoder = self.raw = self.progress = self.last_unit = None
        self.counters = NOTHING
        self.next_offset = self.expected = self.position = self.sound_at = 0
        self.key_form = ""
        self.moved = False
        self.held = []
        self.cursor = self.steps = self.resume = None
        self.parked = {}
        self.stopped_by = ""
        self.told_paused = False

    @property
    def serving(self) -> bool:
        """Whether its records are taken, or will be once what it waits for is there."""
        return self.phase in (Phase.RUNNING, Phase.HELD, Phase.PAUSED, Phase.CURSOR)

    @property
    def paused(self) -> bool:
        """Whether a command says that nothing of it is settled for now."""
        return self.progress is not None and paused_by(self.progress.barriers) is not None

    @property
    def amid_unit(self) -> bool:
        """Whether a large unit is published in part."""
        return self.cursor is not None or self.resume is not None

    @property
    def settled_hi(self) -> Taken | None:
        """The last row settled, the open transaction's included."""
        if self.last_unit is not None:
            return self.last_unit.hi
        return self.progress.hi if self.progress is not None else None

    @property
    def unsettled(self) -> tuple[int, int | None]:
        """Records taken and not settled, and the time (ms) of the first of them."""
        assert self.tail is not None
        records = self.tail.held_records + sum(len(unit.entries) for unit in self.held)
        return records, record_at(self.held[0].entries, 0).timestamp_ms if self.held else self.tail.open_since_ms

    @property
    def running(self) -> bool:
        """Whether its records are taken."""
        return self.phase is Phase.RUNNING

    def settled_up_to(self) -> int:
        """The offset to commit: the first of the open unit, or the position when none is open (protocol.md 5)."""
        if self.running and self.tail is not None and self.tail.open_offset is None:
            return max(self.next_offset, self.position)
        return self.next_offset
