"""`gateway schemas`: contracts and the registry."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer
from rich.console import Console

from gateway.cli.examples import examples
from gateway.cli.failing import CONFIG, failures_told
from gateway.mapping.loader import load
from gateway.services.schemas import Contract, check_files, check_registered, contracts_of
from gateway.services.schemas import push as push_contracts
from gateway.settings import Settings
from gateway.wiring import wire_registry

__all__ = ["app"]

app = typer.Typer(
    help="Event contracts: check what breaks readers, push what does not.", no_args_is_help=True, add_completion=False
)

OutputOption = Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")]


def _contracts(settings: Settings) -> tuple[Contract, ...]:
    return contracts_of(load(settings.mappings), settings.topic, settings.mappings)


@app.command(epilog=examples("gateway schemas push", "gateway schemas push -o json"))
def push(output: OutputOption = "text") -> None:
    """Register every contract, earlier minor versions first. Pushing again changes nothing."""
    console = Console(highlight=False, soft_wrap=True)
    with failures_told():
        settings = Settings()
        for contract, version, done in push_contracts(wire_registry(settings), _contracts(settings)):
            if output == "json":
                fields = {"event": contract.event, "version": version.label, "subject": contract.subject}
                print(json.dumps({**fields, "done": done}))
            else:
                console.print(f"{done:<10} {contract.event} {version.label}  ({contract.subject})", markup=False)


@app.command(
    epilog=examples(
        "gateway schemas check --offline           before a merge",
        "gateway schemas check                     against what is registered, too",
    )
)
def check(
    offline: Annotated[bool, typer.Option("--offline", help="Compare the files only; ask no registry.")] = False,
    output: OutputOption = "text",
) -> None:
    """Refuse what breaks readers: files against their history, and against what is registered; exit status 2."""
    with failures_told():
        settings = Settings()
        contracts = _contracts(settings)
        faults = check_files(contracts)
        if not offline:
            faults += tuple(one for one in check_registered(wire_registry(settings), contracts) if one not in faults)
    if output == "json":
        print(json.dumps({"contracts": len(contracts), "faults": [str(fault) for fault in faults]}))
    for fault in faults if output == "text" else ():
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(fault), style="red", markup=False)
    if faults:
        raise typer.Exit(CONFIG)
    versions = sum(len(contract.versions) for contract in contracts)
    if output == "text":
        print(f"{len(contracts)} contracts in {versions} versions: all can read each other")
