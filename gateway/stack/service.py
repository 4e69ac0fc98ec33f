"""What every service of the stack offers to the one who starts it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from gateway.stack.processes import Command
from gateway.stack.site import Site

__all__ = ["Run", "Service", "Tell"]

Run = Callable[[Command], None]
"""Runs a program to its end and raises StackError if it fails; it is ended with us if we are stopped meanwhile."""

Tell = Callable[[str], None]
"""Hears how far something is, in a few words."""


class Service(ABC):
    """One process: prepared, started, asked for its health, stopped."""

    name: ClassVar[str]
    requires: ClassVar[frozenset[str]] = frozenset()
    """Services without which this one does not start; they may start at the same time."""
    deadline: ClassVar[float] = 90.0
    """Seconds within which a healthy start must have answered."""
    interrupt: ClassVar[bool] = False
    """Stopped by SIGINT instead of SIGTERM."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.folder = site.folder(self.name)

    @abstractmethod
    def fetch(self, tell: Tell) -> None:
        """Bring its programs into the cache, telling how far it is; raises StackError."""

    def prepare(self, run: Run) -> None:  # noqa: B027 - not every service has any
        """Write its settings and, at a first start, its empty storage; raises StackError."""

    @abstractmethod
    def command(self) -> Command:
        """Return the program to start."""

    @abstractmethod
    def healthy(self) -> bool:
        """Say whether it answers, within a second or so."""

    def wipe(self) -> None:  # noqa: B027
        """Remove what it keeps outside the state folder."""
