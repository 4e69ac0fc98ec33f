"""Ends what a starter started, should the starter itself be gone: run as a program with a pipe for its input.

The starter writes a line `<pid> <time of birth>` for each process, and `done` once all may stay. If the pipe ends
without `done` (a crash, a kill -9), the processes named so far are killed with all that they started. Kept free of
imports of our own, so that it is up in a blink.
"""

import contextlib
import signal
import sys
from collections.abc import Iterable

import psutil

__all__ = ["watch"]


def watch(lines: Iterable[str]) -> list[tuple[int, float]]:
    """Read a starter's lines to their end; return the processes to kill: none after `done`."""
    named: list[tuple[int, float]] = []
    for line in lines:
        if line.strip() == "done":
            return []
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


if __name__ == "__main__":
    for deaf in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(deaf, signal.SIG_IGN)
    for orphan in watch(sys.stdin):
        _kill(*orphan)
