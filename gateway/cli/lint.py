"""`gateway lint`: named rules about mappings, with place, reason and remedy."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.cli.lint_schema import schema_of_database, schema_of_file
from gateway.mapping.lints.catalogue import all_lints
from gateway.mapping.lints.declare import Finding, Severity
from gateway.mapping.lints.fix import fixed
from gateway.mapping.lints.recorded import Schema, schema_to_json
from gateway.mapping.lints.report import as_github, as_json, as_sarif, explained, told
from gateway.mapping.lints.run import Options, lint_folder
from gateway.mapping.loader import inspect
from gateway.model.errors import ConfigError
from gateway.settings import Settings

__all__ = ["app"]

app = typer.Typer(help="Named rules about mappings.", add_completion=False)
Output = Literal["text", "json", "sarif", "github"]


@app.command(
    epilog=examples(
        "gateway lint",
        "gateway lint --schema week.jsonl.gz -o sarif > lint.sarif      against the tables of a recording",
        "gateway lint --url postgresql://me@host/erp --fix              against the live tables, and mend",
        "gateway lint --explain GW201",
    )
)
def lint(
    files: Annotated[list[Path] | None, typer.Argument(help="Show findings of these files only.")] = None,
    mappings: Annotated[Path | None, typer.Option(help="Folder of the mapping files.")] = None,
    schema: Annotated[
        Path | None, typer.Option(help="Legacy tables: a recording, a .sql script, or a .json of --save-schema.")
    ] = None,
    url: Annotated[str, typer.Option(help="Legacy tables from this live database (libpq's connection string).")] = "",
    save_schema: Annotated[Path | None, typer.Option(help="Write the tables of --schema or --url to a .json.")] = None,
    select: Annotated[list[str] | None, typer.Option(help="Only these codes, or their beginnings (GW4).")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Not these codes.")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely, then look again.")] = False,
    explain: Annotated[str, typer.Option(help="Say what a code means, and look at nothing.")] = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print findings.")] = "text",
) -> None:
    """Look for faults in mappings that load, and tell those of mappings that do not.

    Exit status: 0 nothing worse than a note, 1 errors or warnings, 2 it could not look. A finding that is meant is
    accepted with a comment on its line, or alone on the line before: `# lint: ignore GW104 because …`.
    """
    with failures_told():
        if explain:
            return print(_explanation(explain))
        folder = mappings or Settings().mappings
        if not folder.is_dir():
            raise ConfigError("there is no such folder", where=str(folder), hint="name it: --mappings FOLDER")
        _check_named(folder, files)
        known = _schema(folder, schema, url)
        if save_schema is not None:
            _save(save_schema, known)
        options = Options(known, _codes(select), _codes(ignore))
        found = lint_folder(folder, options)
        if fix:
            mended = _mend(folder, found)
            found = lint_folder(folder, options) if mended else found
            Console(stderr=True, highlight=False).print(f"{mended} mended")
        chosen = [(each, _shown(folder, each)) for each in found if _wanted(folder, each, files)]
    _print(chosen, output)
    if any(each.lint.severity is not Severity.NOTE for each, _ in chosen):
        raise typer.Exit(1)
    return None


def _explanation(code: str) -> str:
    for each in all_lints():
        if code.upper() == each.code or code.lower() == each.name:
            return explained(each)
    codes = ", ".join(each.code for each in all_lints())
    raise ConfigError(f"there is no lint `{code[:40]}`", hint=f"known: {codes}")


def _codes(given: Sequence[str] | None) -> frozenset[str]:
    codes = {part.strip().upper() for each in given or () for part in each.split(",") if part.strip()}
    for code in codes:
        if not any(each.code.startswith(code) for each in all_lints()):
            raise ConfigError(f"no lint's code begins with `{code[:40]}`", hint="gateway lint --explain GW101")
    return frozenset(codes)


def _schema(folder: Path, path: Path | None, url: str) -> Schema | None:
    if path is not None and url:
        raise ConfigError("--schema beside --url", hint="give one of them")
    if url:
        files, _ = inspect(folder)
        names = {name.text for each in files if each.section for name, _ in each.section.named("tables")}
        return schema_of_database(url, sorted(names - {"message"}))
    return None if path is None else schema_of_file(path)


def _save(path: Path, schema: Schema | None) -> None:
    if schema is None:
        raise ConfigError("--save-schema without tables", hint="give --schema RECORDING or --url")
    try:
        path.write_text(json.dumps(schema_to_json(schema), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"the schema cannot be written: {error.strerror}", where=str(path)) from error


def _mend(folder: Path, found: Sequence[Finding]) -> int:
    """Apply the fixes, file by file; a file that would not load any more is left as it is."""
    mended = 0
    broken = {each.file for each in found if each.lint.code.startswith("GW0")}
    for name in {each.file for each in found if each.fix is not None} - broken:
        path = folder / name
        before = path.read_bytes()
        fixes = [each.fix for each in found if each.file == name and each.fix is not None]
        after, count = fixed(before.decode("utf-8"), fixes)
        _write(path, after.encode("utf-8"))
        files, shared = inspect(folder)
        if any(each.faults.found for each in files) or shared.found():
            _write(path, before)
        else:
            mended += count
    return mended


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"the file cannot be written: {error.strerror}", where=str(path)) from error


def _check_named(folder: Path, files: Sequence[Path] | None) -> None:
    """ConfigError: a file to show findings of is not there, or not of the folder, so none could ever be shown."""
    for path in files or ():
        if not path.exists():
            raise ConfigError("there is no such file or folder", where=str(path))
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(f"it is not in the folder {folder}", where=str(path), hint="name it: --mappings FOLDER")


def _shown(folder: Path, finding: Finding) -> str:
    path = folder / finding.file
    inside = path.resolve().is_relative_to(Path.cwd())
    return os.path.relpath(path) if inside else str(path)


def _wanted(folder: Path, finding: Finding, files: Sequence[Path] | None) -> bool:
    path = (folder / finding.file).resolve()
    return not files or any(path == each.resolve() or path.is_relative_to(each.resolve()) for each in files)


def _print(chosen: Sequence[tuple[Finding, str]], output: str) -> None:
    if output == "json":
        print(json.dumps(as_json(chosen), ensure_ascii=False, indent=1))
    elif output == "sarif":
        print(json.dumps(as_sarif(chosen, all_lints()), ensure_ascii=False, indent=1))
    else:
        if output == "text":
            for text in told(chosen):
                print(text + "\n")
            print(_counted([each.lint.severity for each, _ in chosen]))
        else:
            for each, where in chosen:
                print(as_github(each, where))


def _counted(severities: Sequence[Severity]) -> str:
    if not severities:
        return "nothing found"
    counts = [(severities.count(each), each) for each in Severity]
    return ", ".join(f"{count} {each}{'s' if count != 1 else ''}" for count, each in counts if count)
