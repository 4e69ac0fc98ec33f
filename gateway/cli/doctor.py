"""`gateway doctor`: is everything around the gateway so that nothing is lost and nothing garbled?"""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.failing import failures_told
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.services.doctor_report import Area, AreaReport, Diagnosis, Severity
from gateway.settings import Settings
from gateway.wiring import wire_doctor

__all__ = ["app"]

app = typer.Typer(help="Look at database, Connect, topics, registry and tables before they lose something.")

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
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
    for area in diagnosis.areas:
        _show_area(console, area)
    counts = ", ".join(f"{diagnosis.count(severity)} {severity}s" for severity in Severity)
    unseen = [area.area for area in diagnosis.areas if area.unseen]
    missed = f"; not looked at: {', '.join(unseen)}" if unseen else ""
    console.print(f"{counts}{missed}", style="bold", markup=False)


def _show_area(console: Console, report: AreaReport) -> None:
    console.print(report.area, style="bold", markup=False)
    if report.unseen:
        console.print(f"  could not be looked at: {report.unseen}", style="bold red", markup=False)
    alike: dict[tuple[Severity, str, str], list[str]] = {}
    for one in sorted(report.findings, key=lambda finding: list(Severity).index(finding.severity)):
        alike.setdefault((one.severity, one.reason, one.remedy), []).append(one.object)
    for (severity, reason, remedy), objects in alike.items():
        for named in objects:
            console.print(f"  {severity:<8} {named}", style=_COLOURS[severity], markup=False)
        told = reason.replace("\n", "\n           ")
        console.print(f"           {told}\n           → {remedy}", markup=False)
    for line in report.fine:
        console.print(f"  ok       {line}", style="green", markup=False)
