"""`gateway init`: a project of one's own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.authoring.project import write_project
from gateway.cli.failing import failures_told

__all__ = ["app"]

app = typer.Typer(add_completion=False)

_EXAMPLES = """Examples:

  gateway init my-bridge                with a small example mapping, its test cases and contracts

  gateway init my-bridge --bare         without the example: begin with `gateway scaffold mapping`
"""


@app.command(epilog=_EXAMPLES)
def init(
    folder: Annotated[Path, typer.Argument(help="the new project's folder")],
    bare: Annotated[bool, typer.Option("--bare", help="leave the example out")] = False,
    force: Annotated[bool, typer.Option("--force", help="write over files that are there")] = False,
) -> None:
    """Write a project of your own: mappings, test cases, settings, capture, Compose file, CI, editor schemas."""
    console = Console(highlight=False)
    with failures_told():
        files = write_project(folder, example=not bare, force=force)
    for place, count in Counter(path.parts[0] for path in files).items():
        more = f"  ({count} files)" if (folder / place).is_dir() else ""
        console.print(f"  {folder / place}{more}", markup=False)
    console.print(f"\n{len(files)} files. What to do next:", markup=False)
    first = "gateway test" if not bare else "gateway scaffold mapping NAME --url postgresql://… --table schema.table"
    console.print(f"  cd {folder}\n  {first}\n  less README.md", markup=False)
