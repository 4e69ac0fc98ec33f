"""The stage: the native stack, the gateway's commands as a user types them, and its workers."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from gateway.stack import Endpoints, Stack

__all__ = ["QUIET", "ROOT", "Stage", "StageError", "wait"]

ROOT = Path(__file__).resolve().parents[2]


QUIET = {"log_level": 0}
"""Kafka clients of the demo say nothing when the stack is taken down under them; what matters reaches us as errors."""


class StageError(Exception):
    """A command of the demo failed; the text ends with what it printed last."""


class Stage:
    """Everything the demo starts, under one state folder; ``stop`` ends what this or an earlier run left running."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.stack = Stack(state / "stack")
        self._workers_file = state / "workers.json"

    @property
    def endpoints(self) -> Endpoints:
        """Where the parts of the stack answer; they must have been brought up."""
        return self.stack.endpoints

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the gateway's commands, for this stack."""
        ends = self.endpoints
        return {
            **os.environ,
            "GATEWAY_BOOTSTRAP": ends.bootstrap,
            "GATEWAY_REGISTRY_URL": ends.registry_url,
            "GATEWAY_CONNECT_URL": ends.connect_url,
            "GATEWAY_LEGACY_DSN": ends.postgres_dsn,
            "GATEWAY_MAPPINGS": str(ROOT / "mappings"),
            "GATEWAY_CONNECT": str(ROOT / "connect"),
            "GATEWAY_HTTP_PORT": "0",
            "GATEWAY_CAPTURE_PASSWORD": os.environ.get("GATEWAY_CAPTURE_PASSWORD", "capture"),
        }

    def gateway(self, *arguments: str, may_fail: tuple[int, ...] = ()) -> str:
        """Run ``gateway <arguments>`` to its end and return what it printed on stdout.

        StageError if its exit status is neither 0 nor one of ``may_fail``.
        """
        done = subprocess.run(
            [sys.executable, "-m", "gateway.cli.main", *arguments],
            env=self.environment,
            cwd=self.state,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode not in (0, *may_fail):
            raise StageError(
                f"gateway {' '.join(arguments)} ended with {done.returncode}\n{_tail(done.stdout + done.stderr)}"
            )
        return done.stdout

    def start_workers(self, count: int) -> None:
        """Start ``gateway run`` with ``count`` workers; its log goes to ``workers.log``."""
        with self.workers_log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gateway.cli.main", "run", "--workers", str(count), "--from-beginning"],
                env=self.environment,
                cwd=self.state,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        created = psutil.Process(process.pid).create_time()
        self._workers_file.write_text(json.dumps({"pid": process.pid, "created": created}))

    @property
    def workers_log(self) -> Path:
        """Where the workers write."""
        return self.state / "workers.log"

    def workers_alive(self) -> bool:
        """Whether the supervisor that this stage started is still running."""
        process = self._supervisor()
        return process is not None and process.status() != psutil.STATUS_ZOMBIE

    def stop_workers(self, within: float = 8.0) -> None:
        """Ask the workers to stop (SIGTERM), and end them by force after ``within`` seconds."""
        process = self._supervisor()
        if process is not None:
            family = [process, *process.children(recursive=True)]
            process.terminate()
            _, stubborn = psutil.wait_procs(family, timeout=within)
            for late in stubborn:
                with contextlib.suppress(psutil.NoSuchProcess):
                    late.kill()
        self._workers_file.unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop the workers and the stack, and forget their data."""
        self.stop_workers()
        self.stack.down(wipe=True)

    def _supervisor(self) -> psutil.Process | None:
        if not self._workers_file.exists():
            return None
        known: Mapping[str, float] = json.loads(self._workers_file.read_text())
        try:
            process = psutil.Process(int(known["pid"]))
        except psutil.NoSuchProcess:
            return None
        return process if abs(process.create_time() - known["created"]) < 1 else None

    def log_tail(self) -> str:
        """The last lines of the workers' log."""
        return _tail(self.workers_log.read_text(errors="replace")) if self.workers_log.exists() else ""


def _tail(text: str, lines: int = 30) -> str:
    return "\n".join(text.splitlines()[-lines:])


def wait(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll ``condition()`` until it is true; StageError when ``seconds`` are over."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise StageError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.25)
