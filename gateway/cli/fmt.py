"""`gateway fmt`: mapping files in one form: keys in order, expressions in quotes, comments kept."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.mapping.lints.formatting import formatted
from gateway.model.errors import ConfigError
from gateway.settings import Settings

__all__ = ["app"]

app = typer.Typer(help="Mapping files in one form.", add_completion=False)


@app.command(
    epilog=examples("gateway fmt", "gateway fmt --check mappings", "gateway fmt --diff mappings/customer/customer.yaml")
)
def fmt(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders; the mappings folder if none.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit status 1 if a file would change.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; show what would change.")] = False,
    output: Annotated[
        Literal["text", "json"], typer.Option("--output", "-o", help="How to tell which files.")
    ] = "text",
) -> None:
    """Put the keys of mapping files into the grammar's order, expressions into quotes, and blanks right.

    Comments stay, and what a file says stays: its digest is the same, or it is not touched. Test cases are left alone.
    Exit status: 0 done, or nothing to do; 1 with --check or --diff, a file would change; 2 a file cannot be read.
    """
    changed: list[Path] = []
    with failures_told():
        for path in _files(paths or [Settings().mappings]):
            before, after = _formatted(path)
            if before == after:
                continue
            changed.append(path)
            if diff and output == "text":
                lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), str(path), str(path))
                print("".join(lines), end="")
            elif not check and not diff:
                _write(path, after)
    _tell(changed, output, written=not check and not diff)
    if changed and (check or diff):
        raise typer.Exit(1)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """The mapping files and shared files under the paths, hidden folders and test cases left out."""
    for path in paths:
        if path.is_file():
            yield path
        elif path.is_dir():
            inside = sorted(path.rglob("*.yaml"))
            visible = [
                each for each in inside if not any(part.startswith(".") for part in each.relative_to(path).parts)
            ]
            yield from (each for each in visible if not each.name.endswith("_test.yaml"))
        else:
            raise ConfigError("there is no such file or folder", where=str(path))


def _formatted(path: Path) -> tuple[str, str]:
    if path.name.endswith("_test.yaml"):
        raise ConfigError("test cases are not formatted", where=str(path), hint="name mapping files or folders")
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            before = stream.read(1_000_001)
    except OSError as error:
        raise ConfigError(f"the file cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError("the file is not UTF-8", where=str(path), hint="save it as UTF-8") from error
    return before, formatted(before, str(path), shared="shared" in path.resolve().parts[:-1])


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigError(f"the file cannot be written: {error.strerror}", where=str(path)) from error


def _tell(changed: Sequence[Path], output: str, *, written: bool) -> None:
    if output == "json":
        print(json.dumps({"changed": [str(path) for path in changed], "written": written}))
        return
    for path in changed:
        print(f"{'formatted' if written else 'would change'}: {path}")
    if not changed:
        print("nothing to format")
