"""Ends what a starter started, should the starter itself be gone: run as a program with a pipe for its input.

The starter writes a line `<pid> <time of birth>` for each process, and `done` once all may stay. If the pipe ends
without `done` (a crash, a kill -9), the processes named so far are killed with all that they started, and those that
carry the starter's token in their environment: one may have been born just before the blow. Kept free of imports of
our own, so that it is up in a blink.
"""

import contextlib
import signal
import sys
from collections.abc import Iterable

import psutil

__all__ = ["STARTED_BY", "watch"]

STARTED_BY = "GATEWAY_STACK_STARTED_BY"
"""The variable that holds the starter's token."""


def watch(lines: Iterable[str]) -> list[tuple[int, float]] | None:
    """Read a starter's lines to their end; return the processes to kill: None after `done`."""
    named: list[tuple[int, float]] = []
    for line in lines:
        if line.strip() == "done":
            return None
        pid, created = line.split()
        named.append((int(pid), float(created)))
    return named


def _kill(pid: int, created: float) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if abs(process.create_time() - created) < 0.05:
            for doomed in (*process.children(recursive=True), process):
                with contextlib.suppress(psutil.NoSuchProcess):
                    doomed.kill()


def _marked(token: str) -> list[tuple[int, float]]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(STARTED_BY) == token:
                found.append((process.pid, process.create_time()))
    return found


if __name__ == "__main__":
    for deaf in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(deaf, signal.SIG_IGN)
    orphans = watch(sys.stdin)
    for orphan in orphans or ():
        _kill(*orphan)
    if orphans is not None:
        for pid, created in _marked(sys.argv[1]):
            _kill(pid, created)
