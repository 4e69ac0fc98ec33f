"""The exit statuses that docs/reference/commands.md tells, each by a command that has it; and who prints JSON."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import typer

from gateway.cli.main import COMMANDS

RUN = [sys.executable, "-c", "from gateway.cli.main import main; main()"]
NOWHERE = {"GATEWAY_REGISTRY_URL": "http://127.0.0.1:9", "GATEWAY_BOOTSTRAP": "127.0.0.1:9"}
MAPPINGS = str(Path(__file__).parents[3] / "mappings")

PRINTS_NO_RESULT = {
    "init": "writes files",
    "stack up": "starts something",
    "stack down": "stops something",
    "stack env": "prints lines for the shell",
    "stack logs": "prints logs as they are",
    "connect restart": "does something",
    "connect delete": "does something",
    "connect sql": "prints SQL",
    "run": "logs JSON lines where nobody watches",
    "recording capture": "writes a file",
    "recording show": "prints JSON lines",
    "translate": "prints JSON lines",
    "completion": "prints a script",
    "scaffold mapping": "writes files",
}


def gateway(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUN, *arguments], env={**os.environ, **NOWHERE, **settings}, capture_output=True, text=True, timeout=100
    )


def test_0_for_what_is_well_and_its_json_stands_alone_on_standard_output() -> None:
    done = gateway("lint", "-o", "json", GATEWAY_MAPPINGS=MAPPINGS)
    assert (done.returncode, json.loads(done.stdout) is not None) == (0, True), done.stderr


def test_2_for_what_cannot_be_tried_with_the_place_and_what_to_do(tmp_path: Path) -> None:
    done = gateway("test", str(tmp_path / "nothing"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing" in done.stderr


def test_2_for_an_unknown_command_with_the_one_that_was_meant() -> None:
    done = gateway("lnit")
    assert done.returncode == 2
    assert "lint" in done.stderr


def test_3_where_the_other_side_is_away() -> None:
    done = gateway("schemas", "check", GATEWAY_MAPPINGS=MAPPINGS)
    assert done.returncode == 3, done.stderr
    assert "127.0.0.1:9" in done.stderr


def test_130_for_an_interrupted_command(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("")
    process = subprocess.Popen(
        [*RUN, "tail"], env={**os.environ, **NOWHERE, "GATEWAY_MAPPINGS": MAPPINGS}, stderr=subprocess.PIPE
    )
    time.sleep(3)  # it asks the broker, for twenty seconds
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130


def test_whatever_prints_results_prints_them_as_json() -> None:
    without = set()
    for name, subcommand in COMMANDS.items():
        group = typer.main.get_command(import_module(subcommand.module).app)
        for below, command in (getattr(group, "commands", None) or {"": group}).items():
            if not any("-o" in one.opts for one in command.params):
                without.add(f"{name} {below}".strip())
    assert without == set(PRINTS_NO_RESULT)
