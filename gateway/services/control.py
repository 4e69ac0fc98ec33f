"""Giving commands: append one to the control log, and wait for the partitions it is aimed at (protocol.md 8)."""

from __future__ import annotations

import getpass
import secrets
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from gateway.bridge.commands import Ack, Command
from gateway.model.errors import ConfigError, DependencyError
from gateway.ports import Clock, Cluster, LogReader, Partition, TransactionalSink
from gateway.services.worker_state import STATE_PARTITIONS, ack_key, state_partition

__all__ = ["ControlDesk", "Desk", "new_id", "whoami"]

_LOOK_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class Desk:
    """What giving commands needs. ``sink``: of a transactional id of its own; ``answers`` reads the state topic.

    ``wait``: lets so many seconds pass.
    """

    sink: TransactionalSink
    cluster: Cluster
    answers: LogReader
    clock: Clock
    wait: Callable[[float], None]
    control_topic: str
    state_topic: str


def new_id() -> str:
    """A name for a command that no other has."""
    return secrets.token_hex(6)


def whoami() -> str:
    """Who gives commands, where nobody says so: user and machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "somebody"
    return f"{user}@{socket.gethostname()}"


class ControlDesk:
    """Gives commands and hears the answers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._opened = False
        self._heard: dict[tuple[str, Partition], Ack] = {}

    def open(self) -> None:
        """Make sure that there is a control log, and listen from now on. ConfigError, DependencyError."""
        desk = self._desk
        try:
            desk.cluster.shape(desk.control_topic)
        except ConfigError as error:
            hint = "`gateway connect apply` creates the topics of an installation"
            raise ConfigError("there is no control log", where=desk.control_topic, hint=hint) from error
        places = [Partition(desk.state_topic, number) for number in range(STATE_PARTITIONS)]
        desk.answers.assign({place: desk.cluster.high_watermark(place) for place in places})
        self._reopen()
        self._opened = True

    def _reopen(self) -> None:
        until = self._desk.clock.monotonic() + 20
        while True:
            try:
                self._desk.sink.reopen()
            except DependencyError:
                if self._desk.clock.monotonic() > until:
                    raise
                self._desk.wait(_LOOK_EVERY)
            else:
                return

    def give(self, *commands: Command) -> int:
        """Append commands in one transaction; the first one's offset. InDoubt: nobody knows, look at the status."""
        if not self._opened:
            self.open()
        offsets: list[int] = []
        self._desk.sink.begin()
        for command in commands:
            key, value = command.id.encode(), command.encoded()
            self._desk.sink.send(self._desk.control_topic, key, value, partition=0, delivered=offsets.append)
        self._desk.sink.commit({}, None)
        return offsets[0]

    def answers(self, command: str, places: Iterable[Partition], seconds: float) -> Mapping[Partition, Ack]:
        """What the partitions answered within so many seconds; fewer than asked where some did not."""
        wanted = list(places)
        until = self._desk.clock.monotonic() + seconds
        while True:
            self._listen()
            found = {place: self._heard[command, place] for place in wanted if (command, place) in self._heard}
            if len(found) == len(wanted) or self._desk.clock.monotonic() >= until:
                return found
            self._desk.wait(_LOOK_EVERY)

    def pass_time(self, seconds: float) -> None:
        """Wait so many seconds."""
        self._desk.wait(seconds)

    def _listen(self) -> None:
        for record in self._desk.answers.take().records:
            if record.key is None or record.value is None:
                continue
            match msgspec.json.decode(record.key):
                case ["ack", str(command), str(topic), int(partition)]:
                    ack = msgspec.json.decode(record.value, type=Ack)
                    self._heard[command, Partition(topic, partition)] = ack
                case _:
                    pass

    def tidy(self, command: str, places: Iterable[Partition]) -> None:
        """Delete answers that were read and are not needed any more."""
        self._desk.sink.begin()
        for place in places:
            key, partition = ack_key(place, command), state_partition(place)
            self._desk.sink.send(self._desk.state_topic, key, None, partition=partition)
        self._desk.sink.commit({}, None)

    def close(self) -> None:
        """Let go of all connections. Never raises."""
        for one in (self._desk.sink, self._desk.answers, self._desk.cluster):
            one.close()
