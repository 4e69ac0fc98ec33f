"""mkdocs hook: pages enter the navigation by themselves, and the page of commands gets the help of each."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent.parent
FIRST = ("init", "doctor", "scaffold", "lint", "test", "explain", "coverage", "diff", "check")
"""How-tos in the order of one's work; the others follow by name."""


def title_of(page: Path) -> str:
    """The first heading of a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return next((line[2:].strip() for line in lines if line.startswith("# ")), page.stem)


def how_tos() -> list[Path]:
    """The how-to pages in their order."""

    def place(page: Path) -> tuple[int, str]:
        return (FIRST.index(page.stem) if page.stem in FIRST else len(FIRST), page.stem)

    return sorted((DOCS / "how-to").glob("*.md"), key=place)


def entries(pages: list[Path]) -> list[dict[str, str]]:
    """Navigation entries: title to path below docs/."""
    return [{title_of(page): page.relative_to(DOCS).as_posix()} for page in pages]


def filled(nav: list[Any]) -> list[Any]:
    """The navigation with its lists filled."""
    lists = {
        "How to": entries(how_tos()),
        "Operations": entries(sorted((DOCS / "operations").glob("*.md"))),
        "Decisions": entries(sorted((DOCS / "adr").glob("*.md"))),
    }

    def fill(item: dict[str, Any]) -> dict[str, Any]:
        return {
            name: lists.get(name, [fill(each) for each in value] if isinstance(value, list) else value)
            for name, value in item.items()
        }

    return [fill(item) for item in nav]


def on_config(config: Any) -> Any:
    """Called by mkdocs once the configuration is read."""
    config.nav = filled(config.nav)
    return config


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Called by mkdocs for each page: appends the help of every command to the page of commands."""
    if page.file.src_uri != "reference/commands.md":
        return markdown
    return "\n".join([markdown, "## Every command", "", *every_command()])


def every_command() -> Iterator[str]:
    """A section for each command: its help, arguments and options."""
    import typer

    from gateway.cli.main import COMMANDS

    for name, subcommand in COMMANDS.items():
        try:
            group = typer.main.get_command(import_module(subcommand.module).app)
        except ModuleNotFoundError as error:
            if not subcommand.extra:
                raise
            yield from (f"### gateway {name}", "", f"{subcommand.purpose} (needs {error.name}).", "")
            continue
        commands = getattr(group, "commands", None) or {"": group}
        for inner, command in commands.items():
            yield from of_command(f"gateway {name} {inner}".strip(), command)


def of_command(name: str, command: Any) -> Iterator[str]:
    """One command: its help, then a table of its arguments and options."""
    yield from (f"### {name}", "", (command.help or "").replace("\b", "").strip().replace("<", "&lt;"), "")
    rows = [row_of(each) for each in command.params if each.name != "help" and not getattr(each, "hidden", False)]
    if rows:
        yield from ("| argument or option | |", "| --- | --- |", *rows, "")


def row_of(parameter: Any) -> str:
    """A row of the table: how it is written, what it is for."""
    if parameter.param_type_name == "argument":
        written = f"`{str(parameter.name).upper()}`"
    else:
        written = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
    text = (getattr(parameter, "help", None) or "").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
    default = parameter.default
    told = f" Default: `{default}`." if default not in (None, False, True, "", (), []) and not callable(default) else ""
    return f"| {written} | {text}{told} |"
