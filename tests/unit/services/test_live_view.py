"""What `gateway run` shows on a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from gateway.cli.live_view import panels
from gateway.telemetry.totals import Totals


def test_the_live_view_tells_outcomes_events_delays_stopped_partitions_and_what_is_away() -> None:
    totals = Totals()
    totals.records.update({("published", ""): 1500, ("dead_lettered", "decode"): 2})
    totals.events[("CustomerMoved", 2, "fact")] = 1200
    totals.partitions.update({("raw", 0): "running", ("raw", 1): "data loss: record 7"})
    totals.delays.extend([0.07] * 99 + [0.2])
    totals.parked[("raw", 0)] = 3
    totals.away["registry"] = "no answer"
    console = Console(file=io.StringIO(), width=160)
    for panel in panels(totals, {1: 100, 2: 101}, 10.0):
        console.print(panel)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for told in ("2 workers", "1,502 records → 1,200 events", "p50 70 ms", "CustomerMoved v2", "fact", "1,200"):
        assert told in shown
    for told in (
        "dead_lettered decode",
        "aggregates parked now",
        "raw[1]: data loss: record 7",
        "waiting for registry",
    ):
        assert told in shown
