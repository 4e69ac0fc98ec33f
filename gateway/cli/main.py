"""The `gateway` command: a table of subcommands, each imported only when it is called."""

import difflib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

__all__ = ["COMMANDS", "Subcommand", "main"]


@dataclass(frozen=True, slots=True)
class Subcommand:
    """Where a subcommand's typer `app` lives, what it is for, and the extra of the package that it needs, if any."""

    module: str
    purpose: str
    extra: str = ""


# One line for each subcommand, in the order of the help.
COMMANDS: dict[str, Subcommand] = {
    "init": Subcommand("gateway.cli.init", "A project of your own: mappings, tests, settings, CI"),
    "stack": Subcommand("gateway.cli.stack", "The native stack: up, down, status, logs", extra="stack"),
    "connect": Subcommand("gateway.cli.connect", "Capture: apply, status, restart, delete, sql"),
    "scaffold": Subcommand("gateway.cli.scaffold", "A commented mapping to begin with, from tables as they are"),
    "doctor": Subcommand("gateway.cli.doctor", "Is everything around so that nothing is lost or garbled?"),
    "run": Subcommand("gateway.cli.run", "Translate raw records into events until told to stop"),
    "pause": Subcommand("gateway.cli.pause", "Stop settling records of some partitions, until resumed"),
    "resume": Subcommand("gateway.cli.resume", "Go on with what was paused"),
    "rollout": Subcommand(
        "gateway.cli.rollout", "Other rules from one cut on, and back: plan, start, status, rollback"
    ),
    "tail": Subcommand("gateway.cli.tail", "Show events as they are published"),
    "schemas": Subcommand("gateway.cli.schemas", "Event contracts: check, push"),
    "test": Subcommand("gateway.cli.test", "Test cases of the mappings"),
    "lint": Subcommand("gateway.cli.lint", "Named rules about mappings: place, reason, remedy"),
    "fmt": Subcommand("gateway.cli.fmt", "Mapping files in one form, comments kept"),
    "coverage": Subcommand("gateway.cli.coverage", "What part of recorded changes the rules explain"),
    "diff": Subcommand("gateway.cli.diff", "What an edit of the mappings changes over recorded changes"),
    "check": Subcommand("gateway.cli.check", "The gate before a merge: tables, mappings, contracts, readers"),
    "explain": Subcommand("gateway.cli.explain", "What became of a record and why, or why an event was not said"),
    "recording": Subcommand("gateway.cli.recording", "Raw records to a file and back: capture, show"),
    "reconcile": Subcommand("gateway.cli.reconcile", "Compare a consumer's rows with the legacy tables"),
    "recover": Subcommand("gateway.cli.recover", "Offsets of the group back from what the state topic remembers"),
    "docs": Subcommand("gateway.cli.docs", "Schemas for editors, reference pages, the catalogue of events"),
    "completion": Subcommand("gateway.cli.completion", "Completion for bash, zsh, fish, PowerShell"),
    "translate": Subcommand("gateway.cli.translate", "A recording's events as JSON lines, without a broker"),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the subcommand that the arguments name and exit with its status; without one, show the help."""
    if "_GATEWAY_COMPLETE" in os.environ:
        import_module("gateway.cli.completion").answer(COMMANDS)
    name, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name == "--version":
        print(version("strangler-gateway"))
    elif name in ("--help", "-h", "help"):
        _help()
    elif name in COMMANDS:
        try:
            _run(name, COMMANDS[name], rest)
        except KeyboardInterrupt:
            sys.exit(130)
    else:
        sys.exit(_unknown(name))


def _run(name: str, subcommand: Subcommand, arguments: list[str]) -> None:
    try:
        module = import_module(subcommand.module)
    except ModuleNotFoundError as error:
        if not subcommand.extra or (error.name or "").startswith("gateway"):
            raise
        sys.exit(
            f"gateway {name} needs the package {error.name!r}, which is not installed.\n"
            f"It comes with the extra: pip install 'strangler-gateway[{subcommand.extra}]'"
        )
    module.app(args=arguments, prog_name=f"gateway {name}")


def _help() -> None:
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, subcommand in COMMANDS.items():
        table.add_row(f"[bold]{name}[/bold]", subcommand.purpose)
    console = Console()
    console.print("Usage: gateway COMMAND [OPTIONS]   (gateway COMMAND --help tells the options)\n", markup=False)
    console.print("Turns legacy table changes (Debezium, Kafka) into versioned domain events.\n")
    console.print(table)


def _unknown(name: str) -> int:
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    print(f"gateway: there is no command {name!r}.{hint} See: gateway --help", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
