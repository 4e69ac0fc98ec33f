"""Every command tells, with an example, how it is used; shells complete what it takes."""

import os
import re
import subprocess
import sys
from importlib import import_module

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.main import COMMANDS


def leaves() -> list[str]:
    """Every command that runs something: `lint`, `connect apply`, …"""
    found = []
    for name, subcommand in COMMANDS.items():
        group = typer.main.get_command(import_module(subcommand.module).app)
        below = getattr(group, "commands", {})
        found.extend(f"{name} {one}" for one in below)
        if not below:
            found.append(name)
    return found


@pytest.mark.parametrize("command", leaves())
def test_the_help_of_every_command_says_what_it_does_and_shows_an_example(command: str) -> None:
    name, *rest = command.split()
    app = import_module(COMMANDS[name].module).app
    told = CliRunner(env={"COLUMNS": "160", "TERM": "dumb"}).invoke(app, [*rest, "--help"])
    assert told.exit_code == 0, told.output
    assert re.search(rf"Examples?:.*gateway {command}\b", told.output, re.DOTALL), told.output


def complete(line: str, shell: str = "bash") -> str:
    words = line.split(" ")
    asked = {"_GATEWAY_COMPLETE": f"complete_{shell}", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    asked["_TYPER_COMPLETE_ARGS"] = line
    run = [sys.executable, "-c", "from gateway.cli.main import main; main()"]
    return subprocess.run(run, env={**os.environ, **asked}, capture_output=True, text=True, timeout=60).stdout


def test_commands_are_completed() -> None:
    assert complete("gateway co").split() == [name for name in COMMANDS if name.startswith("co")]


def test_commands_of_a_command_are_completed() -> None:
    assert "apply" in complete("gateway connect a").split()


def test_options_are_completed() -> None:
    assert "--event" in complete("gateway tail --ev").split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_script_for_each_shell_asks_the_gateway(shell: str) -> None:
    told = CliRunner().invoke(import_module("gateway.cli.completion").app, [shell])
    assert told.exit_code == 0
    assert "_GATEWAY_COMPLETE" in told.output


def test_bash_reads_its_script() -> None:
    script = CliRunner().invoke(import_module("gateway.cli.completion").app, ["bash"]).output
    done = subprocess.run(["bash", "-c", f"{script}\ncomplete -p gateway"], capture_output=True, text=True, timeout=60)
    assert "gateway" in done.stdout, done.stderr


def options_of(words: list[str]) -> set[str]:
    """Options of the command that a line calls. KeyError: there is no such command."""
    command = typer.main.get_command(import_module(COMMANDS[words[0]].module).app)
    command = getattr(command, "commands", {}).get(words[1], command) if len(words) > 1 else command
    return {option for one in command.params for option in one.opts}
