"""The demo by its settings, as `make demo` runs it: another seed, few transactions, and nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import DEMO, ROOT

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

FIGURES = ["raw records", "events", "event types", "ignored", "unexplained", "dead letters", "parked", "undetermined"]
FIGURES += ["p50 ms", "p99 ms", "seconds"]


def living_in(state: Path) -> list[str]:
    """Command lines of processes that work in the folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(state) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.Error, OSError):
            continue
    return found


def test_seed_transactions_and_customers_change_it_and_it_stops_all_it_started(tmp_path: Path) -> None:
    """Below 3,000 transactions no minimum count applies, and precision, recall and reconcile hold all the same."""
    chosen = {"GATEWAY_SEED": "1789", "GATEWAY_TRANSACTIONS": "150", "GATEWAY_CUSTOMERS": "120"}
    state = tmp_path / "demo"
    done = subprocess.run(
        [*DEMO, "--state", str(state)],
        cwd=ROOT,
        env={**os.environ, **chosen},
        capture_output=True,
        text=True,
        timeout=400,
    )
    told = [line for line in done.stdout.splitlines() if not line.startswith('{"worker')]
    assert done.returncode == 0, "\n".join(told[-60:]) + done.stderr[-2000:]
    line = json.loads(done.stdout.strip().splitlines()[-1])
    assert (line["seed"], line["legacy_transactions"]) == (1789, 150)
    assert (line["precision"], line["recall"], line["reconcile_differences"]) == (1.0, 1.0, 0)
    assert "120 customers" in done.stdout
    assert [name for name in FIGURES if name not in done.stdout] == []
    assert living_in(state) == []
