"""The control log as a worker knows it: every command from the first on, read whole (protocol.md 8)."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.bridge.commands import Command, read_command
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.ports import Partition
from gateway.services.worker_plan import Outside, WorkerPlan
from gateway.telemetry.signals import FindingSeen

__all__ = ["ControlLog"]

_READ_EVERY = 0.02
_LOOK_AGAIN = 1.0


class ControlLog:
    """Commands in their order. ``position``: all below this offset was read."""

    def __init__(self, plan: WorkerPlan, outside: Outside) -> None:
        self._outside = outside
        self._place = Partition(plan.control_topic, 0)
        self._commands: list[tuple[int, Command]] = []
        self._known: set[str] = set()
        self._found = False
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

    def _find(self) -> bool:
        assert self._outside.control is not None
        try:
            self._outside.cluster.shape(self._place.topic)
        except ConfigError:  # an installation of an earlier release: it comes with the next `gateway connect apply`
            self._at = self._outside.clock.monotonic() + _LOOK_AGAIN
            return False
        self._outside.control.assign({self._place: 0})
        self._found = True
        return True

    def _take(self, record: RawRecord) -> None:
        self.position = max(self.position, record.offset + 1)
        try:
            command = read_command(record.value or b"")
        except ConfigError as error:
            self._outside.telemetry.emit(FindingSeen(f"{self._place}@{record.offset}: {error}", 1))
            return
        if command.id not in self._known:  # given twice by somebody who did not hear that it was taken: no-op
            self._known.add(command.id)
            self._commands.append((record.offset, command))

    def since(self, offset: int) -> Iterator[tuple[int, Command]]:
        """Commands from ``offset`` on, each with its own."""
        return ((at, one) for at, one in self._commands if at >= offset)

    def named(self, name: str) -> Command | None:
        """The command with this id, if it was read."""
        return next((one for _, one in self._commands if one.id == name), None)
