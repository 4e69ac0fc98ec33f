"""`gateway stack env`: where a stack answers, for a shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

from typer.testing import CliRunner

from gateway.cli.stack import app
from gateway.stack.endpoints import Endpoints

PORTS = {"postgres": 1001, "kafka": 1002, "connect": 1003, "registry": 1004}


def test_a_shell_takes_over_the_addresses(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(Endpoints.at(PORTS).as_json(PORTS))
    done = CliRunner().invoke(app, ["env", "--state", str(tmp_path)])
    assert done.exit_code == 0, done.output
    script = f'{done.stdout}\necho "$GATEWAY_BOOTSTRAP $GATEWAY_LEGACY_DSN"'
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert told == "127.0.0.1:1002 postgresql://postgres:postgres@127.0.0.1:1001/legacy\n"


def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["env", "--state", str(tmp_path)])
    assert done.exit_code == 1
    assert "gateway stack up" in done.output
