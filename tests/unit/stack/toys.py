"""Little services for the stack's tests: real processes, quick to start."""

import sys
from typing import ClassVar

from gateway.stack.probe import answers
from gateway.stack.processes import Command
from gateway.stack.service import Run, Tell
from gateway.stack.site import Site


class WebToy:
    """A web server that answers at the registry's address."""

    name: ClassVar[str] = "registry"
    requires: ClassVar[frozenset[str]] = frozenset()
    deadline: ClassVar[float] = 30.0
    interrupt: ClassVar[bool] = True

    def __init__(self, site: Site) -> None:
        self.site = site
        self.folder = site.folder(self.name)

    def fetch(self, tell: Tell) -> None:
        """Nothing."""

    def prepare(self, run: Run) -> None:
        """Nothing."""

    def command(self) -> Command:
        port = str(self.site.ports[self.name])
        return Command((sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1"), self.folder)

    def healthy(self) -> bool:
        return answers(f"http://127.0.0.1:{self.site.ports[self.name]}/")

    def wipe(self) -> None:
        """Nothing."""


class FailingToy(WebToy):
    """A program that says why it ends, and ends."""

    name: ClassVar[str] = "kafka"

    def command(self) -> Command:
        return Command(("/bin/sh", "-c", "echo no room on the disk; exit 3"), self.folder)

    def healthy(self) -> bool:
        return False


class MuteToy(WebToy):
    """A program that runs, but never answers."""

    name: ClassVar[str] = "connect"
    deadline: ClassVar[float] = 1.0

    def command(self) -> Command:
        return Command(("/bin/sh", "-c", "echo waiting for godot; sleep 300"), self.folder)

    def healthy(self) -> bool:
        return False
