"""`gateway doctor`: is everything around the gateway so that nothing is lost and nothing garbled?"""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.doctor_text import diagnosis_lines
from gateway.cli.failing import failures_told
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.services.doctor_report import Area, Diagnosis, Severity
from gateway.settings import Settings
from gateway.wiring import wire_doctor

__all__ = ["app"]

app = typer.Typer(help="Look at database, Connect, topics, registry and tables before they lose something.")

_EPILOG = """Exit status: 0 nothing would be lost or garbled; 1 something would; 2 nothing was found, but not
everything could be looked at (or the configuration is wrong).

Examples:  gateway doctor   |   gateway doctor --only database,mappings   |   gateway doctor -o json | jq .areas"""


class _Output(StrEnum):
    TEXT = "text"
    JSON = "json"


@app.command(epilog=_EPILOG)
def doctor(
    only: Annotated[
        str, typer.Option("--only", help=f"Look at these alone: {', '.join(Area)} (comma-separated).")
    ] = "",
    output: Annotated[_Output, typer.Option("--output", "-o", help="For people or for machines.")] = _Output.TEXT,
) -> None:
    """Examine everything around the gateway; each finding names the object, the reason and what mends it."""
    with failures_told():
        areas = _areas(only)
        settings = Settings()
        mappings = tuple(load(settings.mappings))
        diagnosis = wire_doctor(settings, mappings).examine(areas)
    if output is _Output.JSON:
        print(json.dumps(_as_json(diagnosis)))
    else:
        _show(diagnosis)
    raise typer.Exit(diagnosis.exit_code)


def _areas(only: str) -> tuple[Area, ...]:
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in list(Area)]
    if unknown:
        raise ConfigError(f"there is no area {', '.join(unknown)}", where="--only", hint=f"known: {', '.join(Area)}")
    return tuple(area for area in Area if not names or area in names)


def _as_json(diagnosis: Diagnosis) -> dict[str, object]:
    counts = {f"{severity}s": diagnosis.count(severity) for severity in Severity}
    return {**counts, "exit_code": diagnosis.exit_code, "areas": [asdict(area) for area in diagnosis.areas]}


def _show(diagnosis: Diagnosis) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for line, style in diagnosis_lines(diagnosis):
        console.print(line, style=style or None, markup=False)
