"""Signals → structured log: JSON lines for machines, coloured lines on a terminal."""

from __future__ import annotations

import re
import sys
from dataclasses import fields
from typing import TextIO

import structlog

from gateway.telemetry import signals as s

__all__ = ["LogTelemetry", "configure_logging"]

_LEVELS: dict[type[s.Signal], str] = {
    s.PartitionStopped: "error",
    s.WorkerEnded: "error",
    s.WorkerRestarted: "warning",
    s.CaptureRestarted: "error",
    s.DependencyAway: "warning",
    s.FindingSeen: "warning",
    s.LettersWritten: "warning",
    s.UnexplainedSeen: "warning",
    s.WorkerStarted: "info",
    s.WorkerStopped: "info",
    s.PartitionRunning: "info",
    s.PartitionPaused: "warning",
    s.PartitionResumed: "info",
    s.StormSeen: "error",
    s.RulesChanged: "info",
    s.BarrierGivenUp: "warning",
    s.PartitionGivenUp: "info",
    s.DependencyBack: "info",
}
"""All other signals are for counting only. A transaction that was not committed is a warning, too."""


def configure_logging(stream: TextIO = sys.stderr, *, person: bool | None = None) -> None:
    """Say how log lines look from now on: for a ``person`` (default: a terminal), else one JSON object a line."""
    if person is None:
        person = stream.isatty()
    renderer = structlog.dev.ConsoleRenderer() if person else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if person else [structlog.processors.format_exc_info]),
            renderer,
        ],
        # a line in one write: `print` writes its end apart, and lines of other workers fall between
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )


class LogTelemetry:
    """Writes the signals that a person may want to read; what only counts is left to the metrics.

    A finding about a table or a column is written once, with its remedy.
    """

    def __init__(self, **context: object) -> None:
        self._log = structlog.get_logger().bind(**context)
        self._told: set[str] = set()

    def emit(self, signal: s.Signal) -> None:
        """See ``Telemetry``."""
        level = _LEVELS.get(type(signal))
        if isinstance(signal, s.FindingSeen) and signal.kind:
            if signal.finding in self._told:
                return  # it comes with every record: the metric counts them
            self._told.add(signal.finding)
        if isinstance(signal, s.TransactionEnded) and signal.result != "committed":
            level = "warning"
        if level is not None:
            told = {one.name: getattr(signal, one.name) for one in fields(signal)}
            getattr(self._log, level)(_spelled(type(signal).__name__), **told)


def _spelled(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()
