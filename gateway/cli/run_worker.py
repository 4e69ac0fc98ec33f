"""One worker process of `gateway run`: signals, reports through its pipe, exit status."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from prometheus_client import CollectorRegistry, generate_latest

from gateway.cli.failing import CONFIG
from gateway.model.errors import ConfigError
from gateway.services.supervisor import WorkerReport
from gateway.services.worker import Worker
from gateway.settings import Settings
from gateway.telemetry.log import LogTelemetry, configure_logging
from gateway.telemetry.metrics import PrometheusTelemetry
from gateway.telemetry.totals import Fanout, TotalsTelemetry
from gateway.wiring import wire_worker

__all__ = ["work"]

_REPORT_EVERY = 0.5


def work(settings: Settings, slot: int, fresh: bool, live: bool, pipe: Connection) -> None:
    """Run one worker until SIGTERM. ``live``: log lines go into the reports, for the parent's live view.

    Exit status: 0 asked to stop, 2 refused its configuration, else a crash.
    """
    process = _Process(slot, live, pipe)
    signal.signal(signal.SIGTERM, lambda *_: process.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which asks us to stop
    try:
        process.run(settings, fresh)
    except ConfigError as error:
        process.report(refused=str(error))
        sys.exit(CONFIG)
    finally:
        process.report()


class _Process:
    def __init__(self, slot: int, live: bool, pipe: Connection) -> None:
        self._slot = slot
        self._pipe = pipe
        self._lines = io.StringIO() if live else None
        configure_logging(self._lines or sys.stderr, person=live or None)
        self._registry = CollectorRegistry()
        self._totals = TotalsTelemetry()
        log = LogTelemetry(worker=slot, pid=os.getpid())
        self._telemetry = Fanout((PrometheusTelemetry(self._registry), self._totals, log))
        self._worker: Worker | None = None
        self._stopping = False
        self._reported_at = 0.0

    def stop(self) -> None:
        self._stopping = True
        if self._worker is not None:
            self._worker.stop()

    def run(self, settings: Settings, fresh: bool) -> None:
        with suppress(KeyboardInterrupt):  # asked to stop while it waited for the registry
            self._worker = wire_worker(settings, self._slot, self._telemetry, self._asked_to_stop, fresh=fresh)
            gc.collect()
            gc.freeze()  # what the start left lives as long as the process: no collection needs to look at it again
            if not self._stopping:
                self._worker.run(between=self._between)

    def _asked_to_stop(self) -> bool:
        self._between()
        return self._stopping

    def _between(self) -> None:
        if time.monotonic() - self._reported_at >= _REPORT_EVERY:
            self.report()

    def report(self, refused: str = "") -> None:
        """Tell the parent; if it is gone, end as if asked to."""
        self._reported_at = time.monotonic()
        metrics = generate_latest(self._registry).decode()
        try:
            self._pipe.send(WorkerReport(self._totals.totals, metrics, self._notes(), refused))
        except OSError:
            self.stop()

    def _notes(self) -> tuple[str, ...]:
        if self._lines is None:
            return ()
        text = self._lines.getvalue()
        self._lines.seek(0)
        self._lines.truncate()
        return tuple(text.splitlines())
