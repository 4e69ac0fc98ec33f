"""`gateway coverage`: what part of recorded changes the rules explain."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.authoring.coverage import cover
from gateway.authoring.coverage_page import page
from gateway.authoring.coverage_report import Report, Share, report_of
from gateway.authoring.coverage_text import as_json, share, text
from gateway.authoring.lookups import Recorded
from gateway.authoring.offline import assemble, books_of
from gateway.cli.diff_sources import Records, recorded, streamed
from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.mapping.branches import Branches
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.settings import Settings
from gateway.wiring import wire_raw_schemas

__all__ = ["app"]

app = typer.Typer(help="What part of recorded changes the rules explain.", add_completion=False)

_SHARES: dict[str, Callable[[Report], Share]] = {
    "explained": lambda report: report.explained,
    "rules": lambda report: report.fired,
    "tests": lambda report: report.both_ways,
    "branches": lambda report: report.taken,
}


@app.command(
    epilog=examples(
        "gateway coverage --recording week.jsonl.gz",
        "gateway coverage --recording week.jsonl.gz --html coverage.html --fail-under explained=99.5,rules=100",
        "gateway coverage --live --last 20000 -o json | jq .explained",
    )
)
def command(
    recording: Annotated[Path | None, typer.Option(help="A recording (gateway recording capture).")] = None,
    live: Annotated[bool, typer.Option("--live", help="Read the raw topics of the mappings instead.")] = False,
    topic: Annotated[list[str] | None, typer.Option(help="Read this raw topic instead (with its prefix).")] = None,
    last: Annotated[int, typer.Option(min=0, help="Of topics, so many last records of each partition; 0: all.")] = 0,
    mapping: Annotated[list[str] | None, typer.Option(help="Tell of this mapping only.")] = None,
    fail_under: Annotated[
        str,
        typer.Option(
            "--fail-under", help="Per cent that must be reached: 99.5, or explained=99.5,rules=90,tests=50,branches=50."
        ),
    ] = "",
    html: Annotated[Path | None, typer.Option(help="Write a page to this file.")] = None,
    output: Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")] = "text",
) -> None:
    """Which changes which rule took, which nobody did; rules that never fired; tests and branches that went one way.

    Exit status: 0 told (and enough), 1 less than --fail-under, 2 could not run, 3 a broker is away.
    """
    with failures_told():
        wanted = floors(fail_under)
        report = _report(Settings(), recording, live, tuple(topic or ()), last, mapping or [])
        if html is not None:
            _write(html, page(report))
    missed = [(name, floor) for name, floor in wanted if _SHARES[name](report).percent < floor]
    if output == "json":
        told = {"missed": [{"share": name, "floor": floor} for name, floor in missed]}
        print(json.dumps({**as_json(report), **told}))
    else:
        Console(highlight=False, soft_wrap=True).print("\n".join(text(report)), markup=False)
    for name, floor in missed:
        line = f"{name}: {share(_SHARES[name](report))}, less than the {floor:g} % asked for"
        Console(stderr=True, highlight=False, soft_wrap=True).print(line, style="red", markup=False)
    raise typer.Exit(1 if missed else 0)


def floors(given: str) -> list[tuple[str, float]]:
    """``99.5`` or ``explained=99.5,rules=90``. ConfigError: another name, or no number from 0 to 100."""
    found = []
    for part in (one.strip() for one in given.split(",") if one.strip()):
        name, _, number = part.rpartition("=")
        name = name.strip() or "explained"
        if name not in _SHARES or not re.fullmatch(r"[0-9]+(\.[0-9]+)?%?", number.strip()):
            hint = f"write 99.5, or NAME=NUMBER with NAME one of {', '.join(_SHARES)}"
            raise ConfigError("no share that can be asked for", where=f"--fail-under {part}", hint=hint)
        found.append((name, float(number.strip().rstrip("%"))))
        if found[-1][1] > 100:
            raise ConfigError("more than 100 per cent", where=f"--fail-under {part}")
    return found


def _report(
    settings: Settings, recording: Path | None, live: bool, topics: tuple[str, ...], last: int, only: list[str]
) -> Report:
    branches = Branches()
    mappings = load(settings.mappings, branches=branches)
    unknown = sorted(set(only) - {one.name for one in mappings})
    if unknown:
        hint = f"there are: {', '.join(sorted(one.name for one in mappings))}"
        raise ConfigError(f"no mapping is called {', '.join(unknown)}", where="--mapping", hint=hint)
    mappings = tuple(one for one in mappings if not only or one.name in only)
    if (recording is not None) == bool(live or topics):
        raise ConfigError("say what to read", where="gateway coverage", hint="--recording FILE, or --live, or --topic")
    with _progress() as stage:
        stage("reading", None)
        found: Records = recorded(recording) if recording is not None else streamed(settings, topics, last, mappings)
        incarnations = tuple((one.name, one.since_ms) for one in settings.incarnations)
        reference = Recorded(mappings).take(found.records)
        units = assemble(found.records, mappings, incarnations=incarnations, avro=wire_raw_schemas(settings))
        step = stage("interpreting", sum(len(unit.entries) for unit in units))
        coverage = cover(units, mappings, books_of(mappings, lookups=reference.tables()), step, branches)
    return report_of(coverage, found.name, masked=found.masked)


def _write(path: Path, html: str) -> None:
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"the page cannot be written: {error.strerror}", where=str(path)) from error


@contextmanager
def _progress() -> Iterator[Callable[[str, int | None], Callable[[int], None]]]:
    """A bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def stage(name: str, total: int | None) -> Callable[[int], None]:
            bar.update(task, description=name, total=total, completed=0)
            return lambda done: bar.update(task, advance=done)

        yield stage
