"""The control log as a whole: every command in its order, and what follows from it (protocol.md 8). Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from gateway.bridge.commands import Command, Kind

__all__ = ["History"]


class History:
    """Commands with their offsets. One that was given twice counts where it stands first."""

    def __init__(self) -> None:
        self._commands: list[tuple[int, Command]] = []
        self._named: dict[str, Command] = {}
        self._decisions: dict[str, Kind] = {}
        self._stored: dict[str, Command] = {}
        self._committed: list[Command] = []

    def add(self, offset: int, command: Command) -> None:
        """The next command of the log."""
        if command.id in self._named:
            return
        self._named[command.id] = command
        self._commands.append((offset, command))
        if command.kind == Kind.RULES:
            self._stored.setdefault(command.version, command)
        elif command.kind in (Kind.COMMIT, Kind.CANCEL) and command.barrier not in self._decisions:
            self._decide(command)

    def _decide(self, command: Command) -> None:
        """The first decision of a barrier wins: all partitions find the same one."""
        prepare = self._named.get(command.barrier)
        if prepare is None:
            return
        self._decisions[command.barrier] = Kind(command.kind)
        if command.kind == Kind.COMMIT:
            self._committed.append(prepare)

    def since(self, offset: int) -> Iterator[tuple[int, Command]]:
        """Commands from ``offset`` on, each with its own."""
        first = bisect_left(self._commands, offset, key=lambda placed: placed[0])
        return iter(self._commands[first:])

    def named(self, name: str) -> Command | None:
        """The command with this id."""
        return self._named.get(name)

    def decision(self, barrier: str) -> Kind | None:
        """COMMIT or CANCEL; None while the barrier is undecided."""
        return self._decisions.get(barrier)

    def prepared(self) -> list[Command]:
        """All barriers, oldest first."""
        return [one for _, one in self._commands if one.kind == Kind.PREPARE]

    def committed(self) -> list[Command]:
        """Barriers that were committed, in the order of their decisions; so with growing cuts."""
        return self._committed

    def stored(self, version: str) -> Command | None:
        """The version of the rules with this name."""
        return self._stored.get(version)

    def stored_with(self, topic: str, digest: str) -> Command | None:
        """A version under which a raw topic has this rules digest."""
        return next((one for one in self._stored.values() if one.digests.get(topic) == digest), None)

    def versions(self) -> list[Command]:
        """All versions, oldest first."""
        return list(self._stored.values())
