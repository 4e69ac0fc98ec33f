"""`gateway diff`: two versions of the mappings over the same records."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console

from gateway.authoring.diff_budget import Allowance, amount_of, parse_budget
from gateway.authoring.diff_markdown import markdown
from gateway.authoring.diff_page import page
from gateway.authoring.diff_report import Report
from gateway.authoring.diff_text import text
from gateway.authoring.diff_words import as_json
from gateway.cli.diff_run import Wanted, compare
from gateway.cli.failing import failures_told
from gateway.model.errors import ConfigError
from gateway.settings import Settings

__all__ = ["app"]

app = typer.Typer(help="Two versions of the mappings over the same records.", add_completion=False)

_EXAMPLES = """
Examples:

  gateway diff main --recording last-month.jsonl.gz

  gateway diff v1.4:mappings mappings --recording week.gz --budget changed=0,gone=0,added=10 --markdown comment.md

  gateway diff mappings ../proposal/mappings --live --last 10000 --html diff.html

Exit status: 0 compared (and the budget kept), 1 the budget is exceeded, 2 could not run, 3 a broker is away.
"""


@app.command(epilog=_EXAMPLES)
def command(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A folder, a git revision, or REVISION:FOLDER.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same; the mappings of the settings if left out.")] = "",
    recording: Annotated[Path | None, typer.Option(help="A recording (gateway recording capture).")] = None,
    live: Annotated[bool, typer.Option("--live", help="Read the raw topics of the mappings instead.")] = False,
    topic: Annotated[list[str] | None, typer.Option(help="Read this raw topic instead (with its prefix).")] = None,
    last: Annotated[int, typer.Option(help="Of topics, only so many last offsets of each partition.")] = 0,
    lookups: Annotated[
        Path | None, typer.Option(help="A recording of the reference topics, where the records hold none.")
    ] = None,
    budget: Annotated[
        str, typer.Option(help="E.g. changed=0,gone=0.1%,added=10,order=0,letters=0,unexplained=0.")
    ] = "",
    max_changed: Annotated[str, typer.Option(help="The same as --budget changed=…: a number, or 0.1%.")] = "",
    examples: Annotated[int, typer.Option(min=0, help="Examples kept for each finding.")] = 3,
    html: Annotated[Path | None, typer.Option(help="Write a page to this file.")] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write Markdown for a review to this file; - is stdout.")
    ] = None,
    output: Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="What is printed.")] = "text",
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0 means one a core, at most 4.")] = 0,
) -> None:
    """Translate the same records under OLD and NEW: which events are added, gone or changed, and by which rule."""
    with failures_told():
        allowed = _allowances(budget, max_changed)
        wanted = Wanted(recording, live, tuple(topic or ()), last, examples, jobs, allowed, lookups)
        with TemporaryDirectory(prefix="gateway-diff-") as scratch:
            report = compare(Settings(), old, new, Path(scratch), wanted)
        if html is not None:
            _write(html, page(report))
        if markdown_file is not None:
            _write(markdown_file, markdown(report))
    _print(report, output, quiet=markdown_file == Path("-"))
    if not report.kept:
        raise typer.Exit(1)


def _allowances(budget: str, max_changed: str) -> tuple[Allowance, ...]:
    found = parse_budget(budget)
    if not max_changed:
        return found
    return (*found, Allowance("changed", *amount_of(max_changed, f"--max-changed {max_changed}")))


def _write(path: Path, content: str) -> None:
    if path == Path("-"):
        sys.stdout.write(content)
        return
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror}", where=str(path), hint="choose another file"
        ) from error


def _print(report: Report, output: str, *, quiet: bool) -> None:
    if output == "json":
        sys.stdout.write(msgspec.json.encode(as_json(report)).decode() + "\n")
    elif not quiet:
        console = Console(highlight=False, soft_wrap=True)
        styles = {"+": "green", "-": "red", "~": "yellow"}
        for line in text(report):
            console.print(line, style=styles.get(line[:1], ""), markup=False)
