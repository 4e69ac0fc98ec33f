"""Starts programs for one call; a guard ends them all should we crash before they may stay."""

import os
import secrets
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from gateway.stack.errors import StackError, tail
from gateway.stack.guard import STARTED_BY
from gateway.stack.processes import Command, ProcessRecord, end, spawn

__all__ = ["CancelledError", "Launcher"]

_GUARD = Path(__file__).with_name("guard.py")

# Settings of the caller's own Java or PostgreSQL must not reach ours.
_FOREIGN = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH", "KAFKA_OPTS", "LD_LIBRARY_PATH")


class CancelledError(Exception):
    """The call that wanted this program was given up meanwhile."""


class Launcher:
    """Programs of one call, ended together by `abandon`, or by the guard if we are gone, until `release`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: list[ProcessRecord] = []
        self.cancelled = threading.Event()
        self._token = secrets.token_hex(8)
        self._guard = subprocess.Popen(
            (sys.executable, "-I", str(_GUARD), self._token), stdin=subprocess.PIPE, start_new_session=True, text=True
        )

    def start(self, command: Command, log: Path) -> "subprocess.Popen[bytes]":
        """Start a program and leave it running. Raises CancelledError, or StackError if it cannot be run."""
        with self._lock:
            if self.cancelled.is_set():
                raise CancelledError
            try:
                # By the token the guard finds a program, too, that we had no time to name to it.
                process = spawn(command, log, {**_environment(), STARTED_BY: self._token})
            except OSError as error:
                raise StackError(command.argv[0], str(error), "Is the extra `stack` installed whole?") from error
            self._watch(process)
            return process

    def run(self, command: Command, log: Path) -> None:
        """Run a program to its end. Raises CancelledError, or StackError with its last lines if it fails."""
        process = self.start(command, log)
        status = process.wait()
        if self.cancelled.is_set():
            raise CancelledError
        if status != 0:
            raise StackError(command.argv[0], f"it ended with status {status}", f"See {log}.", tail(log))

    def release(self) -> None:
        """Let the programs outlive us."""
        self._tell("done\n")
        self._close()

    def abandon(self) -> None:
        """Kill every program started here and start no more."""
        self.cancelled.set()
        with self._lock:
            end(self._started, grace=0)
        self.release()

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        try:
            record = ProcessRecord.of(process.pid)
        except psutil.NoSuchProcess:
            return
        self._started.append(record)
        self._tell(f"{record.pid} {record.created!r}\n")

    def _tell(self, line: str) -> None:
        if self._guard.stdin is None or self._guard.stdin.closed:
            return
        try:
            self._guard.stdin.write(line)
            self._guard.stdin.flush()
        except BrokenPipeError as error:
            raise StackError("guard", "it is gone", "Somebody killed it; run the command again.") from error

    def _close(self) -> None:
        if self._guard.stdin is not None and not self._guard.stdin.closed:
            self._guard.stdin.close()
            self._guard.wait()


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in _FOREIGN and not key.startswith("PG")}
