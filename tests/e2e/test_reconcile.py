"""`gateway reconcile` on the demo's tables: silent where all agrees, exact about what was planted."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, DemoRun

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


def reconcile(demo: DemoRun, projection: Path) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON of the command over a file of rows."""
    ends = demo.endpoints
    settings = {
        "GATEWAY_BOOTSTRAP": ends.bootstrap,
        "GATEWAY_LEGACY_DSN": ends.postgres_dsn,
        "GATEWAY_MAPPINGS": str(ROOT / "mappings"),
    }
    command = [sys.executable, "-m", "gateway.cli.main", "reconcile", str(projection)]
    command += ["--views", str(demo.state / "views.yaml"), "-o", "json"]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=120)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_the_demos_rows_agree_and_parked_aggregates_are_counted_apart(demo_run: DemoRun) -> None:
    status, told = reconcile(demo_run, demo_run.state / "projection.jsonl")
    assert (status, told["differences"]) == (0, 0)
    assert told["parked_aggregates"] == demo_run.figures["dead_letters"]
    assert told["parked_rows"] > 0


def test_a_lost_row_an_invented_one_and_a_wrong_value_are_each_named(demo_run: DemoRun, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (demo_run.state / "projection.jsonl").read_text().splitlines()]
    balances = [row for row in rows if row["view"] == "balance"]
    lost, wrong = balances[0], balances[1]
    invented = {"view": "balance", "key": [999_999], "values": {"balance": "1.00"}}
    wrong["values"]["balance"] = "-77.77"
    planted = tmp_path / "projection.jsonl"
    planted.write_text("".join(json.dumps(row) + "\n" for row in [*(r for r in rows if r is not lost), invented]))
    status, told = reconcile(demo_run, planted)
    assert (status, told["differences"]) == (1, 3)
    assert sorted(line.split(": ", 1)[0] for line in told["shown"]) == sorted(
        f"balance BillingAccount/{row['key'][0]} {row['key']}" for row in (lost, wrong, invented)
    )
    assert any("-77.77" in line for line in told["shown"])


def test_a_line_that_is_no_row_is_named(demo_run: DemoRun, tmp_path: Path) -> None:
    broken = tmp_path / "projection.jsonl"
    broken.write_text('{"view": "balance", "key": [1], "values": {}}\nnot a row\n')
    command = [sys.executable, "-m", "gateway.cli.main", "reconcile", str(broken)]
    settings = {
        "GATEWAY_BOOTSTRAP": demo_run.endpoints.bootstrap,
        "GATEWAY_LEGACY_DSN": demo_run.endpoints.postgres_dsn,
        "GATEWAY_MAPPINGS": str(ROOT / "mappings"),
    }
    done = subprocess.run(
        [*command, "--views", str(demo_run.state / "views.yaml")],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert f"{broken}:2" in done.stderr
