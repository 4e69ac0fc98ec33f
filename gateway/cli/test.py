"""`gateway test`: the cases beside the mappings, each one transaction and what it means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.authoring.case_files import read_cases
from gateway.authoring.cases import CaseResult, run_case
from gateway.authoring.offline import books_of
from gateway.cli.failing import failures_told
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.settings import Settings

__all__ = ["app"]

app = typer.Typer(help="Run the mappings' test cases.", add_completion=False)


@app.command()
def test(
    names: Annotated[list[str] | None, typer.Argument(help="Mappings to test; all if none is named.")] = None,
    mappings: Annotated[Path | None, typer.Option(help="Folder of the mapping files.")] = None,
    case: Annotated[str, typer.Option("--case", "-k", help="Only cases whose name contains this.")] = "",
) -> None:
    """Run every case of `<mapping>_test.yaml` beside its mapping; exit status 1 if one gives anything else."""
    console = Console(highlight=False, soft_wrap=True)
    with failures_told():
        folder = mappings or Settings().mappings
        loaded = load(folder)
        chosen = [one for one in loaded if not names or one.name in names]
        unknown = [name for name in names or () if all(one.name != name for one in loaded)]
        if unknown:
            known = ", ".join(one.name for one in loaded)
            raise ConfigError(f"no mapping is named {', '.join(unknown)}", hint=f"known: {known}")
        counts = [_test_one(console, folder, mapping, case) for mapping in chosen]
        if case and not any(run for run, _ in counts):
            raise ConfigError(f"no case's name contains `{case}`", hint="the names stand after `- case:`")
    if any(failed for _, failed in counts):
        raise typer.Exit(1)


def _test_one(console: Console, folder: Path, mapping: CompiledMapping, only: str) -> tuple[int, int]:
    """Run one mapping's cases and show them; the number that ran, and of those that failed."""
    path = folder / mapping.file
    path = path.with_name(f"{path.stem}_test.yaml")
    if not path.exists():
        console.print(f"{mapping.name}: no cases ({path.name} is missing)", style="yellow", markup=False)
        return 0, 0
    book = books_of([mapping])[mapping.name]
    results = [run_case(one, mapping, book) for one in read_cases(path) if only in one.name]
    failed = [result for result in results if result.differences]
    for result in failed:
        _show(console, path, result)
    rules = {rule.name for rule in mapping.rules}
    unfired = rules.difference(*(result.fired for result in results)) if results else rules
    style = "red" if failed else "green"
    console.print(
        f"{mapping.name}: {len(results) - len(failed)} of {len(results)} cases pass", style=style, markup=False
    )
    if unfired and not only:
        console.print(f"  no case fires: {', '.join(sorted(unfired))}", style="yellow", markup=False)
    return len(results), len(failed)


def _show(console: Console, path: Path, result: CaseResult) -> None:
    console.print(f"{path}:{result.case.line}: {result.case.name}", style="bold red", markup=False)
    for line in result.differences:
        console.print(f"    {line}", markup=False)
