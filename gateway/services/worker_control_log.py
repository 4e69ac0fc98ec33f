"""The control log as a worker knows it: every command from the first on, read whole (protocol.md 8)."""

from __future__ import annotations

from gateway.bridge.commands import read_command
from gateway.bridge.history import History
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.ports import Partition
from gateway.services.worker_plan import Outside, WorkerPlan
from gateway.telemetry.signals import FindingSeen

__all__ = ["ControlLog"]

_READ_EVERY = 0.02
_LOOK_AGAIN = 1.0


class ControlLog:
    """``position``: all below this offset was read; ``read``: and all that stood there at the start."""

    def __init__(self, plan: WorkerPlan, outside: Outside) -> None:
        self._outside = outside
        self._place = Partition(plan.control_topic, 0)
        self.history = History()
        self._found = self._missing = False
        self.read = outside.control is None
        self._at = float("-inf")
        self.position = 0

    def turn(self) -> None:
        """Read what is there; nothing while the topic does not exist. DependencyError: later."""
        now = self._outside.clock.monotonic()
        if self._outside.control is None or now < self._at:
            return
        self._at = now + _READ_EVERY
        if not self._found and not self._find():
            return
        batch = self._outside.control.take()
        for record in batch.records:
            self._take(record)
        self.position = max(self.position, batch.ends.get(self._place, 0))
        self.read = self.read or self._place in batch.ends

    def _find(self) -> bool:
        assert self._outside.control is not None
        try:
            self._outside.cluster.shape(self._place.topic)
        except ConfigError:  # an installation of an earlier release: it comes with the next `gateway connect apply`
            self._at = self._outside.clock.monotonic() + _LOOK_AGAIN
            self._missing = self.read = True
            return False
        self._outside.control.assign({self._place: 0})
        self._found, self._missing = True, False
        return True

    def _take(self, record: RawRecord) -> None:
        self.position = max(self.position, record.offset + 1)
        try:
            command = read_command(record.value or b"")
        except ConfigError as error:
            self._outside.telemetry.emit(FindingSeen(f"{self._place}@{record.offset}: {error}", 1))
            return
        self.history.add(record.offset, command)

    @property
    def there(self) -> bool:
        """Whether there is a log, read at least to where it ended at the start."""
        return self._found and self.read

    def reached(self, offset: int) -> bool:
        """Whether all below ``offset`` was read, and what stood in the log at the start. ConfigError: it is gone."""
        if self._outside.control is None:
            return True
        if self.position >= offset and self.read:
            return True
        if (self._missing and offset) or (self._found and self._outside.cluster.high_watermark(self._place) < offset):
            raise ConfigError(
                f"the control log ends before {offset}, up to which commands were obeyed",
                where=self._place.topic,
                hint="it was deleted or created anew; nothing in it may be lost",
            )
        return False
