"""What `gateway run` shows on a terminal: what becomes of the records, and what was recognised."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import quantiles

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.services.supervisor import WorkerReport
from gateway.telemetry.totals import Totals

__all__ = ["LiveView", "panels"]

_COLOURS = {
    "fact": "green", "correction": "cyan", "merge": "magenta", "pending": "yellow", "undetermined": "red",
    "state": "blue",
}  # fmt: skip
_MOST = 25


class LiveView:
    """Redraws itself a few times a second; log lines scroll above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, transient=False)
        self._started = time.monotonic()
        self._address = ""

    @contextmanager
    def shown(self, address: str) -> Iterator[None]:
        """On the screen while this lasts. ``address``: where health and metrics are served."""
        self._address = address
        with self._live:
            yield

    def update(self, pids: Mapping[int, int], reports: Mapping[int, WorkerReport]) -> None:
        """Show the newest reports."""
        totals = Totals()
        for report in reports.values():
            totals.add(report.totals)
            for line in report.notes:
                self._live.console.print(Text.from_ansi(line))
        seconds = time.monotonic() - self._started
        self._live.update(Group(*panels(totals, pids, seconds), Text(f"{self._address}/metrics  Ctrl-C ends", "dim")))


def panels(totals: Totals, pids: Mapping[int, int], seconds: float) -> Iterator[Table | Text]:
    """Tables for these totals, which ``pids`` (worker → process) gathered in so many seconds."""
    yield _head(totals, pids, seconds)
    yield _events(totals)
    yield _outcomes(totals)
    for place, told in totals.partitions.items():
        if told != "running":
            yield Text(f"stopped  {place[0]}[{place[1]}]: {told}", "bold red")
    for finding, count in totals.findings.most_common(_MOST):
        yield Text(f"finding  {finding} ({count:,}): {totals.remedies.get(finding, '')}".rstrip(": "), "yellow")
    for dependency, error in totals.away.items():
        yield Text(f"waiting for {dependency}: {error}", "yellow")


def _head(totals: Totals, pids: Mapping[int, int], seconds: float) -> Text:
    records, events = sum(totals.records.values()), sum(totals.events.values())
    parts = [
        f"{len(pids)} worker{'s' if len(pids) != 1 else ''}",
        f"{len(totals.partitions)} partitions",
        f"{records:,} records → {events:,} events",
        f"{records / max(seconds, 0.001):,.0f} records/s since start",
        f"lag {sum(totals.lag.values()):,}",
    ]
    if len(totals.delays) > 1:
        cuts = quantiles(totals.delays, n=100)
        parts.append(f"end to end p50 {_span(cuts[49])}, p99 {_span(cuts[98])}")
    return Text("  ·  ".join(parts), "bold")


def _span(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms" if seconds < 10 else f"{seconds:,.0f} s"


def _events(totals: Totals) -> Table:
    table = Table(box=None, padding=(0, 2), title="recognised", title_justify="left")
    table.add_column("event")
    table.add_column("intent")
    table.add_column("count", justify="right")
    for (event, version, intent), count in totals.events.most_common(_MOST):
        table.add_row(f"{event} v{version}", Text(intent, _COLOURS.get(intent, "")), f"{count:,}")
    return table


def _outcomes(totals: Totals) -> Table:
    table = Table(box=None, padding=(0, 2), title="what became of the records", title_justify="left")
    table.add_column("outcome")
    table.add_column("count", justify="right")
    for (outcome, reason), count in sorted(totals.records.items()):
        colour = {"published": "green", "dead_lettered": "bold red", "parked": "red"}.get(outcome, "dim")
        table.add_row(Text(f"{outcome} {reason}".strip(), colour), f"{count:,}")
    if parked := sum(totals.parked.values()):
        table.add_row(Text("aggregates parked now", "red"), f"{parked:,}")
    return table
