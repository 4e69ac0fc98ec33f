"""Processes that outlive us, known by pid and time of birth, so that a reused pid is never taken for ours."""

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

__all__ = ["Command", "ProcessRecord", "end", "spawn"]


@dataclass(frozen=True, slots=True)
class Command:
    """A program to start: arguments, working directory, added environment and, to drop rights, (uid, gid)."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    user: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process that we started; `created` is its time of birth in seconds since 1970 as the system tells it."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "ProcessRecord":
        """Return the record of a living process; raises psutil.NoSuchProcess if it is gone already."""
        return cls(pid, psutil.Process(pid).create_time())

    @classmethod
    def read(cls, path: Path) -> "ProcessRecord | None":
        """Return the record kept in a file, or None where there is none or a torn one."""
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError, TypeError):
            return cls(**json.loads(path.read_text()))
        return None

    def write(self, path: Path) -> None:
        """Keep the record in a file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(path)

    def process(self) -> psutil.Process | None:
        """Return the living process, or None if it ended, is a zombie, or its pid now belongs to another."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 0.05
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


def spawn(command: Command, log: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start a program in a session of its own (Ctrl-C does not reach it), its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    user, group = command.user or (None, None)
    with log.open("ab") as output:
        return subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env={**environment, **command.env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )


def end(records: Iterable[ProcessRecord], *, grace: float, interrupt: bool = False) -> None:
    """Stop processes: ask (SIGTERM, or SIGINT), wait at most `grace` seconds, then kill them with all they started.

    A grace of 0 kills at once. Returns when all are gone; a pid that meanwhile belongs to another is left alone.
    """
    living = [record for record in records if record.process()]
    if grace > 0:
        for record in living:
            _send(record, signal.SIGINT if interrupt else signal.SIGTERM)
        living = _outlasting(living, grace)
    doomed = [*living, *(child for record in living for child in _children(record))]
    for record in doomed:
        _send(record, signal.SIGKILL)
    _outlasting(doomed, 10)


def _children(record: ProcessRecord) -> list[ProcessRecord]:
    with contextlib.suppress(psutil.NoSuchProcess):
        if process := record.process():
            return [ProcessRecord(child.pid, child.create_time()) for child in process.children(recursive=True)]
    return []


def _send(record: ProcessRecord, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        if process := record.process():
            process.send_signal(number)


def _outlasting(records: Iterable[ProcessRecord], seconds: float) -> list[ProcessRecord]:
    """Wait until all are gone; return those that are still there after `seconds`.

    psutil's own wait counts a zombie as alive, and who reaps an orphan, and when, is the affair of the system.
    """
    end_of_wait = time.monotonic() + seconds
    living = [record for record in records if record.process()]
    while living and time.monotonic() < end_of_wait:
        time.sleep(0.02)
        living = [record for record in living if record.process()]
    return living
