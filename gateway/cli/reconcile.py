"""`gateway reconcile`: what consumers know against what the legacy tables say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.reconcile.compare import Comparison
from gateway.services.reconcile import parked_aggregates, read_projection, read_views
from gateway.services.reconcile import reconcile as reconcile_rows
from gateway.settings import Settings
from gateway.wiring import wire_cluster, wire_legacy, wire_state

__all__ = ["app"]

app = typer.Typer(help="Compare a consumer's rows with the legacy tables, row by row.", add_completion=False)


@app.command(
    epilog=examples(
        "gateway reconcile rows.jsonl --views views.yaml", "gateway reconcile rows.jsonl --views views.yaml -o json"
    )
)
def reconcile(
    projection: Annotated[Path, typer.Argument(help="A consumer's rows: JSON lines of {view, key, values}.")],
    views: Annotated[Path, typer.Option("--views", help="SQL views of the legacy tables (YAML).")],
    shown: Annotated[int, typer.Option("--show", min=0, help="How many differences to print.")] = 20,
    output: Annotated[str, typer.Option("--output", "-o", help="text or json")] = "text",
) -> None:
    """Compare a consumer's rows with the legacy tables as SQL views read them. Exit status 1: they differ.

    Parked aggregates are left out, and counted.
    """
    with failures_told():
        if output not in ("text", "json"):
            raise ConfigError(f"no output {output!r}", where="--output", hint="text or json")
        settings = Settings()
        known = read_views(views)
        aggregates = {settings.topic(topic): m.aggregate for m in load(settings.mappings) for topic in m.topics}
        reader = wire_state(settings, "reconcile")
        try:
            parked = parked_aggregates(reader, wire_cluster(settings), settings.topic("gateway.state"), aggregates)
        finally:
            reader.close()
        found = reconcile_rows(wire_legacy(settings), known, read_projection(projection, known), parked)
    _tell(found, len(parked), shown, output)
    if found.differences:
        raise typer.Exit(1)


def _tell(found: Comparison, parked: int, shown: int, output: str) -> None:
    counts = {
        "compared_rows": found.compared_rows,
        "differences": len(found.differences),
        "parked_aggregates": parked,
        "parked_rows": found.parked_rows,
    }
    if output == "json":
        print(json.dumps(counts | {"shown": [str(one) for one in found.differences[:shown]]}))
        return
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, show_header=False)
    for name, count in counts.items():
        table.add_row(name.replace("_", " "), f"{count:,}")
    console.print(table)
    for one in found.differences[:shown]:
        console.print(str(one), style="red", markup=False)
    if len(found.differences) > shown:
        console.print(f"… and {len(found.differences) - shown:,} more")
