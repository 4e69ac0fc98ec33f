"""The worker under the meter: what `gateway run` starts for one worker, everything on, up to the last record.

A process: ``python -m benchmarks.measured <plan.json>``. Settings come from the environment, as for `gateway run`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, generate_latest

from benchmarks.meter import Meter, Reading, tell
from gateway.services.worker import Worker
from gateway.settings import Settings
from gateway.telemetry import signals as s
from gateway.telemetry.log import LogTelemetry, configure_logging
from gateway.telemetry.metrics import PrometheusTelemetry
from gateway.telemetry.totals import Fanout, TotalsTelemetry
from gateway.wiring import wire_worker

__all__ = ["WorkerPlan"]

REPORT_EVERY = 0.5
GIVE_UP = 600.0


class WorkerPlan(msgspec.Struct):
    """Stop once ``records`` are settled."""

    records: int


class Watch:
    """Takes the worker's signals: starts the meter with the first partition, stops it with the last record."""

    def __init__(self, records: int) -> None:
        self._wanted = records
        self._settled = self._events = self._letters = self._commits = 0
        self._meter = Meter()
        self._until = time.monotonic() + GIVE_UP
        self.worker: Worker | None = None
        self.reading: Reading | None = None

    def emit(self, signal: s.Signal) -> None:
        """See ``Telemetry``."""
        if isinstance(signal, s.PartitionRunning):
            self._meter.start()
        elif isinstance(signal, s.PartitionStopped):
            raise SystemExit(f"the worker stopped a partition: {signal.error}")
        elif isinstance(signal, s.LettersWritten):
            self._letters += signal.count
        elif isinstance(signal, s.TransactionEnded) and signal.result == "committed":
            self._settled += signal.records
            self._events += signal.events
            self._commits += 1

    def look(self) -> None:
        """Between two turns: all settled, or no hope that they will be."""
        if self._settled >= self._wanted and self.reading is None:
            written = self._events + self._letters
            self.reading = self._meter.stop(self._settled, written, 0, self._commits)
            assert self.worker is not None
            self.worker.stop()
        if time.monotonic() > self._until:
            raise SystemExit(f"only {self._settled} of {self._wanted} records settled within {GIVE_UP} s")


def main() -> None:
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=WorkerPlan)
    configure_logging()
    registry, watch = CollectorRegistry(), Watch(plan.records)
    telemetry = Fanout((PrometheusTelemetry(registry), TotalsTelemetry(), LogTelemetry(worker=0), watch))
    watch.worker = wire_worker(Settings(), 0, telemetry, lambda: False, fresh=True)
    reported = time.monotonic()

    def between() -> None:
        nonlocal reported
        if time.monotonic() - reported >= REPORT_EVERY:  # as often as the worker of `gateway run` reports
            reported = time.monotonic()
            generate_latest(registry)
        watch.look()

    watch.worker.run(between)
    assert watch.reading is not None, "the worker ended early"
    tell(watch.reading)


if __name__ == "__main__":
    main()
