"""`gateway connect`: capture set up from the mappings, looked at, restarted, taken away."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.services.capture import Capture, CaptureStatus, Pending
from gateway.settings import Settings
from gateway.wiring import wire_capture

__all__ = ["app"]

app = typer.Typer(
    help="Capture: Debezium's connector, its topics, its database role.", no_args_is_help=True, add_completion=False
)

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask (nor does it without a terminal).")]
OutputOption = Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")]
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def _wired() -> tuple[Settings, Sequence[CompiledMapping], Capture]:
    settings = Settings()
    mappings = tuple(load(settings.mappings))
    return settings, mappings, wire_capture(settings, mappings)


@app.command(
    epilog=examples(
        "gateway connect apply                     shows what differs, asks, does it",
        "gateway connect apply --dry-run -o json   for a pipeline that only looks",
        "gateway connect apply --yes --wait",
    )
)
def apply(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what differs and change nothing.")] = False,
    yes: YesOption = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the snapshot is done and streaming begins.")] = False,
    output: OutputOption = "text",
) -> None:
    """Make database role, topics and connector what the mappings ask for, showing first what differs."""
    console = Console(highlight=False, soft_wrap=True)
    with failures_told():
        settings, mappings, capture = _wired()
        pending = capture.pending(settings, mappings)
        if output == "json":
            print(json.dumps([{"part": change.part, "diff": list(change.diff())} for change in pending.changes]))
        else:
            _show(console, pending)
        if dry_run or (not pending.empty and not _agreed(yes)):
            return
        capture.apply(pending)
        if not pending.empty and output == "text":
            console.print(f"Applied. Connector {capture.plan.connector}, slot {capture.plan.slot}.")
        if wait:
            _wait(capture)


def _show(console: Console, pending: Pending) -> None:
    if pending.empty:
        console.print("Nothing differs.")
    for change in pending.changes:
        for line in change.diff():
            console.print(line, style=_COLOURS.get(line[:1], ""), markup=False)


def _agreed(yes: bool) -> bool:
    return yes or not sys.stdin.isatty() or typer.confirm("Apply?")


def _wait(capture: Capture) -> None:
    console = Console(stderr=True)
    with console.status("Waiting for the snapshot …"):
        capture.wait_for_snapshot()
    console.print("The snapshot is done; changes stream.")


@app.command(epilog=examples("gateway connect status", "gateway connect status -o json"))
def status(output: OutputOption = "text") -> None:
    """Show how connector, slot and snapshot are; exit status 1 unless changes stream."""
    with failures_told():
        _, _, capture = _wired()
        found = capture.status()
    if output == "json":
        print(json.dumps({**asdict(found), "streaming": found.streaming}))
    else:
        _print_status(capture, found)
    raise typer.Exit(0 if found.streaming else 1)


def _print_status(capture: Capture, found: CaptureStatus) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2))
    state, slot = found.connector, found.slot
    table.add_row("connector", capture.plan.connector, state.connector if state else "does not exist")
    table.add_row("task", "", state.task if state else "")
    if slot:
        told = "streaming" if slot.streaming else "active" if slot.active else "nobody reads it: WAL piles up"
        table.add_row("slot", capture.plan.slot, f"{told}, {slot.retained_bytes} bytes behind, WAL {slot.wal_status}")
    else:
        table.add_row("slot", capture.plan.slot, "not known: does not exist, or no legacy_dsn")
    table.add_row("snapshot", "", {True: "running", False: "done", None: "not begun"}[found.snapshot])
    Console().print(table)
    if state and state.trace:
        Console(stderr=True).print(state.trace, style="red", markup=False)


@app.command(epilog=examples("gateway connect restart"))
def restart() -> None:
    """Restart the connector and its task."""
    with failures_told():
        _, _, capture = _wired()
        found = capture.restart()
    print(f"{capture.plan.connector} restarted" if found else f"{capture.plan.connector} does not exist")
    raise typer.Exit(0 if found else 1)


@app.command(epilog=examples("gateway connect delete --forget           the next apply snapshots again"))
def delete(
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget offsets and drop the slot: the next apply snapshots again.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Delete the connector. Its slot keeps WAL on the server, and its offsets the place, unless --forget."""
    with failures_told():
        _, _, capture = _wired()
        if not _agreed(yes):
            return
        found = capture.delete(forget)
    kept = "" if forget else f"; slot {capture.plan.slot} still keeps WAL on the server"
    print(f"{capture.plan.connector} {'deleted' if found else 'did not exist'}{kept}")


@app.command(
    epilog=examples(
        "gateway connect sql > capture.sql         for the administrator of the legacy database",
    )
)
def sql() -> None:
    """Print the administrator's SQL: role, grants, replica identities, publication."""
    with failures_told():
        _, _, capture = _wired()
        print(capture.script(), end="")
