"""What every service of the stack offers to the one who starts it."""

from collections.abc import Callable
from typing import ClassVar, Protocol

from gateway.stack.processes import Command
from gateway.stack.site import Site

__all__ = ["Run", "Service", "Tell"]

Run = Callable[[Command], None]
"""Runs a program to its end and raises StackError if it fails; it is ended with us if we are stopped meanwhile."""

Tell = Callable[[str], None]
"""Hears how far something is, in a few words."""


class Service(Protocol):
    """One process: prepared, started, asked for its health, stopped."""

    name: ClassVar[str]
    requires: ClassVar[frozenset[str]]
    """Services without which this one does not start; they may start at the same time."""
    deadline: ClassVar[float]
    """Seconds within which a healthy start must have answered."""
    interrupt: ClassVar[bool]
    """Stopped by SIGINT instead of SIGTERM."""

    def __init__(self, site: Site) -> None: ...

    def fetch(self, tell: Tell) -> None:
        """Bring its programs into the cache, telling how far it is; raises StackError."""

    def prepare(self, run: Run) -> None:
        """Write its settings and, at a first start, its empty storage; raises StackError."""

    def command(self) -> Command:
        """Return the program to start."""

    def healthy(self) -> bool:
        """Say whether it answers, within a second or so."""

    def wipe(self) -> None:
        """Remove what it keeps outside the state folder."""
