"""`gateway test`: the cases beside the mappings, each some transactions and what they mean."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console

from gateway.authoring.case_junit import junit
from gateway.authoring.case_runs import MappingRun, run_mapping
from gateway.authoring.case_update import updated
from gateway.cli.failing import failures_told
from gateway.cli.test_report import show_run, show_update
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.settings import Settings

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_EXAMPLES = """Examples:

  gateway test                                every case of every mapping

  gateway test customer -k moved              cases of one mapping whose name contains `moved`

  gateway test customer --update              write what comes out into the cases that fail, showing the difference

  gateway test --watch                        run again what is affected whenever a file changes

  gateway test --junit build/cases.xml -o json

Exit status: 0 all cases pass, 1 a case gives anything else, 2 a file cannot be read or an argument is wrong."""


@app.command(epilog=_EXAMPLES)
def test(
    names: Annotated[list[str] | None, typer.Argument(help="Mappings to test; all if none is named.")] = None,
    mappings: Annotated[Path | None, typer.Option(help="Folder of the mapping files.")] = None,
    case: Annotated[str, typer.Option("--case", "-k", help="Only cases whose name contains this.")] = "",
    update: Annotated[bool, typer.Option("--update", help="Write what came out into the cases that fail.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Run again when a file changes, until Ctrl-C.")] = False,
    junit_file: Annotated[Path | None, typer.Option("--junit", help="Write a JUnit report to this file.")] = None,
    output: Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")] = "text",
) -> None:
    """Run every case of `<mapping>_test.yaml` beside its mapping."""
    console = Console(highlight=False, soft_wrap=True)
    with failures_told():
        if watch and (output == "json" or update):
            raise ConfigError("--watch goes with text output only, and not with --update")
        folder = mappings or Settings().mappings
        if watch:
            _watch(console, folder, names or [], case)
            return
        runs = _run(folder, load(folder), names or [], case)
        if update:
            shown = Console(stderr=output == "json", highlight=False, soft_wrap=True)
            runs = [_update(shown, folder, run) for run in runs]
        if junit_file is not None:
            _write(junit_file, junit(runs))
    if output == "json":
        sys.stdout.write(msgspec.json.encode(_as_object(runs)).decode() + "\n")
    else:
        for run in runs:
            show_run(console, run, whole=not case)
    if any(run.failed for run in runs):
        raise typer.Exit(1)


def _run(folder: Path, loaded: tuple[CompiledMapping, ...], names: list[str], case: str) -> list[MappingRun]:
    """Run the cases of the named mappings. ConfigError: no such mapping or case."""
    unknown = [name for name in names if all(one.name != name for one in loaded)]
    if unknown:
        known = ", ".join(one.name for one in loaded)
        raise ConfigError(f"no mapping is named {', '.join(unknown)}", hint=f"known: {known}")
    runs = [run_mapping(folder, one, case, time.perf_counter) for one in loaded if not names or one.name in names]
    if case and not any(run.results for run in runs):
        raise ConfigError(f"no case's name contains `{case}`", hint="the names stand after `- case:`")
    return runs


def _update(console: Console, folder: Path, run: MappingRun) -> MappingRun:
    """Write what came out into the file; the run afterwards, in which only what cannot be written still fails."""
    if not run.failed or run.path is None:
        return run
    text = run.path.read_text(encoding="utf-8")
    new = updated(text, [timed.result for timed in run.failed])
    run.path.write_text(new, encoding="utf-8")
    show_update(console, run.path, text, new)
    return run_mapping(folder, run.mapping, run.only, time.perf_counter)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write the report: {error.strerror}", where=str(path)) from error


def _as_object(runs: list[MappingRun]) -> dict[str, object]:
    return {
        "passed": sum(len(run.results) - len(run.failed) for run in runs),
        "failed": sum(len(run.failed) for run in runs),
        "mappings": [run.as_object() for run in runs],
    }


def _watch(console: Console, folder: Path, names: list[str], case: str) -> None:
    """Run what a change affects, until Ctrl-C; a file with faults is told, and the next change waited for."""
    from gateway.cli.test_watch import affected, changes

    try:
        for changed in changes(folder):
            if changed is not None and not changed:
                continue
            try:
                loaded = load(folder)
                chosen = names if changed is None else affected(changed, folder, loaded, names)
                for run in _run(folder, loaded, chosen, case) if chosen or changed is None else ():
                    show_run(console, run, whole=not case)
            except ConfigError as error:
                console.print(str(error), style="red", markup=False)
            console.print("waiting for changes, Ctrl-C ends", style="dim", markup=False)
    except KeyboardInterrupt:
        console.print("ended", style="dim", markup=False)
