"""`gateway run`: workers, their health and metrics, and a live view on a terminal."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Annotated

import typer
from rich.console import Console

from gateway.adapters.clock import SystemClock
from gateway.adapters.pages import Page, serve_pages
from gateway.adapters.processes import ReportingProcess
from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.cli.live_view import LiveView
from gateway.services.supervisor import Supervisor, WorkerReport
from gateway.settings import Settings
from gateway.telemetry.log import LogTelemetry, configure_logging
from gateway.telemetry.merge import merged
from gateway.telemetry.totals import Totals

__all__ = ["app"]

app = typer.Typer(help="Translate raw records into domain events until told to stop.", add_completion=False)


@app.command(
    epilog=examples(
        "gateway run --from-beginning              the first time",
        "gateway run --workers 4",
    )
)
def run(
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes in the consumer group.")] = 1,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Partitions nobody has read yet begin at their first record.")
    ] = False,
    live: Annotated[bool, typer.Option("--live/--no-live", help="The live view, where there is a terminal.")] = True,
) -> None:
    """Translate raw records into domain events until SIGTERM or Ctrl-C."""
    live = live and sys.stdout.isatty()
    with failures_told():
        settings = Settings()
        configure_logging()
        _Run(settings, workers, from_beginning, live).run()


class _Run:
    def __init__(self, settings: Settings, workers: int, fresh: bool, live: bool) -> None:
        self._settings = settings
        self._fresh = fresh
        self._view = LiveView(Console()) if live else None
        self._supervisor = Supervisor(
            workers, self._start, LogTelemetry(pid=os.getpid()), SystemClock(), settings.worker_crashes
        )
        self._reports: Mapping[int, WorkerReport] = {}
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: self._supervisor.stop())

    def _start(self, slot: int) -> ReportingProcess[WorkerReport]:
        arguments = (self._settings, slot, self._fresh, self._view is not None)
        return ReportingProcess(
            _work, arguments, WorkerReport(), _newer, lambda one: replace(one, notes=()), "gateway.cli.run_worker"
        )

    def run(self) -> None:
        pages = {"/metrics": self._metrics, "/health": self._health}
        server = serve_pages(self._settings.http_host, self._settings.http_port, pages)
        address = f"http://{self._settings.http_host}:{server.server_port}"
        try:
            if self._view is None:
                print(json.dumps({"event": "serving", "health": f"{address}/health", "metrics": f"{address}/metrics"}))
                sys.stdout.flush()
                self._supervisor.run(self._look)
            else:
                with self._view.shown(address):
                    self._supervisor.run(self._look)
        finally:
            server.shutdown()

    def _look(self, reports: Mapping[int, WorkerReport]) -> None:
        self._reports = reports
        if self._view is not None:
            self._view.update({slot: worker.pid for slot, worker in self._supervisor.workers.items()}, reports)

    def _metrics(self) -> Page:
        pages = {str(slot): report.metrics for slot, report in self._reports.items() if report.metrics}
        return Page(200, "text/plain; version=0.0.4; charset=utf-8", merged(pages))

    def _health(self) -> Page:
        workers = []
        well = True
        for slot, worker in self._supervisor.workers.items():
            totals = self._reports[slot].totals if slot in self._reports else Totals()
            stopped = {f"{t}[{p}]": told for (t, p), told in totals.partitions.items() if told != "running"}
            alive = worker.exit_code is None
            well = well and alive and not stopped
            running = sorted(f"{t}[{p}]" for (t, p), told in totals.partitions.items() if told == "running")
            one = {"worker": slot, "pid": worker.pid, "alive": alive, "running": running}
            paused = {f"{t}[{p}]": told for (t, p), told in totals.paused.items()}
            workers.append({**one, "stopped": stopped, "paused": paused, "waiting_for": totals.away})
        body = json.dumps({"healthy": well, "workers": workers}, indent=2) + "\n"
        return Page(200 if well else 503, "application/json", body.encode())


def _work(settings: Settings, slot: int, fresh: bool, live: bool, pipe: Connection) -> None:
    from gateway.cli.run_worker import work  # only the workers' processes need all that a worker needs

    work(settings, slot, fresh, live, pipe)


def _newer(old: WorkerReport, new: WorkerReport) -> WorkerReport:
    return replace(new, notes=old.notes + new.notes, refused=new.refused or old.refused)
