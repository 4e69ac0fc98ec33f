"""Workers as processes of their own, each with a pipe for its reports."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

__all__ = ["ReportingProcess"]

_Report = TypeVar("_Report")


class ReportingProcess(Generic[_Report]):
    """Runs ``work(*arguments, pipe)`` in a process of its own; what it sends are reports, the newest counts.

    Processes are forked from a server that has imported ``preload`` once, so that a successor works within moments.

    ``merge`` joins a newer report to the one nobody has looked at yet; ``taken`` is what remains once it was looked at.
    """

    def __init__(
        self,
        work: Callable[..., None],
        arguments: tuple[object, ...],
        nothing: _Report,
        merge: Callable[[_Report, _Report], _Report],
        taken: Callable[[_Report], _Report],
        preload: str,
    ) -> None:
        fresh = multiprocessing.get_context("forkserver")
        fresh.set_forkserver_preload([preload])
        self._pipe: Connection
        self._pipe, theirs = fresh.Pipe(duplex=False)
        self._process = fresh.Process(target=work, args=(*arguments, theirs))
        self._process.start()
        theirs.close()
        self._report = nothing
        self._merge = merge
        self._taken = taken

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """None while it lives; negative: the signal that ended it."""
        return self._process.exitcode

    def report(self) -> _Report:
        """The newest report."""
        try:
            while self._pipe.poll():
                self._report = self._merge(self._report, self._pipe.recv())
        except (EOFError, OSError):
            pass  # it has ended: what it sent before stands
        found, self._report = self._report, self._taken(self._report)
        return found

    def terminate(self) -> None:
        """Ask the process to end (SIGTERM); it may take its time."""
        self._process.terminate()

    def kill(self) -> None:
        """End the process at once (SIGKILL); it cannot clean up."""
        self._process.kill()
