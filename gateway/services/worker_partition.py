"""One raw partition that this worker owns: where it stands, what of it is open, what of it is parked."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from gateway.model.letter import ParkEntry
from gateway.pipeline.assemble import Tail
from gateway.pipeline.progress import Progress
from gateway.ports import Committed, Partition

__all__ = ["OwnedPartition", "Phase"]


class Phase(Enum):
    """What the worker does with a partition it owns."""

    ASKING = "asking its committed offset"
    READING_STATE = "reading its part of the state topic"
    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(slots=True)
class OwnedPartition:
    """Everything a worker knows of a partition; all of it can be rebuilt from the log (protocol.md R5).

    ``expected``: next raw offset to take; ``next_offset``/``progress``: after the last unit translated, what the open
    transaction will commit; ``position``: everything below was delivered; ``moved``: the open transaction moves it.
    """

    place: Partition
    phase: Phase = Phase.ASKING
    ask_at: float = 0.0
    committed: Committed | None = None
    tail: Tail | None = None
    progress: Progress | None = None
    next_offset: int = 0
    expected: int = 0
    position: int = 0
    moved: bool = False
    parked: dict[str, ParkEntry] = field(default_factory=dict)
    letters_from: int = 0
    high_watermark: int = 0
    stopped_by: str = ""

    def reset(self, ask_at: float) -> None:
        """Forget everything but ownership: the assignment's steps begin again, not before ``ask_at``."""
        self.phase = Phase.ASKING
        self.ask_at = ask_at
        self.committed = self.tail = self.progress = None
        self.next_offset = self.expected = self.position = 0
        self.moved = False
        self.parked = {}
        self.stopped_by = ""

    @property
    def running(self) -> bool:
        """Whether its records are taken."""
        return self.phase is Phase.RUNNING

    def settled_up_to(self) -> int:
        """The offset to commit: the first of the open unit, or the position when none is open (protocol.md 5)."""
        if self.running and self.tail is not None and self.tail.open_offset is None:
            return max(self.next_offset, self.position)
        return self.next_offset
