"""`gateway stack`: the native stack for development, demo and tests."""

import contextlib
import json
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.examples import examples
from gateway.cli.starting import show_steps
from gateway.stack import Stack, StackError
from gateway.stack.errors import tail
from gateway.stack.site import STATE
from gateway.stack.stack import SERVICES

__all__ = ["app"]

app = typer.Typer(
    help="PostgreSQL, Kafka, Connect and the registry as ordinary processes.",
    no_args_is_help=True,
    add_completion=False,
)

StateOption = Annotated[Path, typer.Option("--state", help="The folder that keeps all of the stack's files.")]
OutputOption = Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")]
OnlyOption = Annotated[list[str] | None, typer.Option("--only", help=f"Start only these: {', '.join(SERVICES)}.")]


@app.command(
    epilog=examples(
        "gateway stack up                        everything, side by side",
        "gateway stack up --only kafka --only registry",
    )
)
def up(state: StateOption = STATE, only: OnlyOption = None) -> None:
    """Start everything that does not run yet, and wait until it answers."""
    console = Console(stderr=True)
    with _whole_or_nothing(console), show_steps(console) as progress:
        endpoints = Stack(state).up(progress, only or None)
    print(f"PostgreSQL  {endpoints.postgres_dsn}")
    print(f"Kafka       {endpoints.bootstrap}")
    print(f"Connect     {endpoints.connect_url}")
    print(f"Registry    {endpoints.registry_url}")


@app.command(
    epilog=examples(
        "gateway stack down",
        "gateway stack down --wipe                 and forget all data",
    )
)
def down(
    state: StateOption = STATE, wipe: Annotated[bool, typer.Option("--wipe", help="Forget all data, too.")] = False
) -> None:
    """Stop everything that was started here."""
    console = Console(stderr=True)
    with _whole_or_nothing(console), show_steps(console) as progress:
        Stack(state).down(progress, wipe=wipe)


@app.command(epilog=examples("gateway stack status", "gateway stack status -o json"))
def status(state: StateOption = STATE, output: OutputOption = "text") -> None:
    """Show what runs, whether it is well, and how much memory it takes; exit status 1 unless all is well."""
    found = Stack(state).status()
    if output == "json":
        print(json.dumps([asdict(one) for one in found]))
    else:
        table = Table("service", "port", "pid", "state", "MB")
        for one in found:
            word = "ready" if one.healthy else "down" if one.pid is None else "not answering"
            table.add_row(one.service, str(one.port), str(one.pid or ""), word, str(one.memory // 1_000_000))
        table.add_section()
        table.add_row("all", "", "", "", str(sum(one.memory for one in found) // 1_000_000))
        Console().print(table if found else "no stack was started here")
    raise typer.Exit(0 if found and all(one.healthy for one in found) else 1)


@app.command(epilog=examples('eval "$(gateway stack env)"               every command then speaks to this stack'))
def env(state: StateOption = STATE) -> None:
    """Print where it answers, as a shell's variables that every command reads."""
    with _whole_or_nothing(Console(stderr=True)):
        endpoints = Stack(state).endpoints
    print(f"export GATEWAY_BOOTSTRAP={shlex.quote(endpoints.bootstrap)}")
    print(f"export GATEWAY_CONNECT_URL={shlex.quote(endpoints.connect_url)}")
    print(f"export GATEWAY_REGISTRY_URL={shlex.quote(endpoints.registry_url)}")
    print(f"export GATEWAY_LEGACY_DSN={shlex.quote(endpoints.postgres_dsn)}")


@app.command(epilog=examples("gateway stack logs connect -n 200"))
def logs(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")],
    state: StateOption = STATE,
    lines: Annotated[int, typer.Option("-n", help="How many lines.")] = 50,
) -> None:
    """Print the end of a service's log."""
    path = Stack(state).log(service)
    if service not in SERVICES or not path.exists():
        print(f"no log of {service!r} in {state}; there may be: {', '.join(SERVICES)}", file=sys.stderr)
        raise typer.Exit(1)
    print(tail(path, lines, limit=1_000_000))


@contextlib.contextmanager
def _whole_or_nothing(console: Console) -> Iterator[None]:
    """Turn a signal into Ctrl-C, so that a half start is taken back, and an error into text and exit status."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        yield
    except StackError as error:
        console.print(f"error: {error}", markup=False, highlight=False, style="red")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console.print("interrupted: what was started is stopped again")
        # a download's thread may still be waiting for the network: do not wait for it
        os._exit(130)
