"""`gateway docs`: JSON Schema for editors, the language's reference pages, the catalogue of events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from gateway.authoring import editor
from gateway.authoring.catalogue.asyncapi import Server
from gateway.authoring.catalogue.build import catalogue_of
from gateway.authoring.catalogue.site import site
from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.model.errors import ConfigError
from gateway.settings import Settings

__all__ = ["app"]

app = typer.Typer(help="Schemas for editors, reference pages, the catalogue of events.", add_completion=False)
Output = Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="How to print what was written.")]


@app.command(epilog=examples("gateway docs schema schema", "gateway docs schema schema -o json"))
def schema(
    folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path("schema"),
    output: Output = "text",
) -> None:
    """Write JSON Schema of mapping files, shared files and test cases, for editors.

    An editor with a YAML language server checks and completes a file whose first line is, for example,
    `# yaml-language-server: $schema=../../schema/mapping.schema.json`.
    """
    with failures_told():
        _tell(_written(editor.schemas(), folder), output)


@app.command(epilog=examples("gateway docs reference docs/reference"))
def reference(
    folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path("docs/reference"),
    output: Output = "text",
) -> None:
    """Write the reference pages of the mapping language: every key, every operator and filter, with examples."""
    with failures_told():
        _tell(_written(editor.reference_pages(), folder), output)


@app.command(
    epilog=examples(
        "gateway docs build site/events --title 'Insurer: domain events'", "gateway docs build site/events --servers"
    )
)
def build(
    folder: Annotated[Path, typer.Argument(help="Where to write the site.")],
    mappings: Annotated[Path | None, typer.Option(help="Folder of the mapping files.")] = None,
    title: Annotated[str, typer.Option(help="What the catalogue is called.")] = "Domain events",
    servers: Annotated[bool, typer.Option("--servers", help="Name this installation's broker and registry.")] = False,
    output: Output = "text",
) -> None:
    """Write the catalogue of events as a static site: contracts, rules, lineage, examples, AsyncAPI.

    Open its index.html.
    """
    with failures_told():
        settings = Settings()
        place = Server(settings.bootstrap, settings.registry_url, settings.prefix) if servers else None
        catalogue = catalogue_of(mappings or settings.mappings)
        paths = _written(site(catalogue, title, place), folder)
    if output == "json":
        _tell(paths, output)
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{len(catalogue.events)} events, {len(paths)} files: {folder / 'index.html'}", markup=False)


def _written(files: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    try:
        return editor.write(files, folder)
    except OSError as error:
        hint = "name a folder that can be written to"
        raise ConfigError(f"cannot write: {error.strerror}", where=str(error.filename or folder), hint=hint) from error


def _tell(paths: tuple[Path, ...], output: str) -> None:
    if output == "json":
        print(json.dumps({"written": [str(path) for path in paths]}))
        return
    console = Console(highlight=False, soft_wrap=True)
    for path in paths:
        console.print(str(path), markup=False)
