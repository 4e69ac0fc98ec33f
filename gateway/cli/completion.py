"""`gateway completion`: shell completion for all commands; each is imported only when its own options are asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, Literal

import typer
from typer._click.shell_completion import CompletionItem
from typer._completion_classes import completion_init
from typer._completion_shared import get_completion_script
from typer.core import TyperGroup

__all__ = ["COMPLETE_VAR", "answer", "app"]

COMPLETE_VAR = "_GATEWAY_COMPLETE"
"""The variable in which the shell's script asks; typer's own convention."""

app = typer.Typer(help="Shell completion.", add_completion=False)

_EXAMPLES = """Examples:

  eval "$(gateway completion bash)"                              in ~/.bashrc

  gateway completion zsh > "${fpath[1]}/_gateway"

  gateway completion fish > ~/.config/fish/completions/gateway.fish
"""


@app.command(epilog=_EXAMPLES)
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], typer.Argument(help="the shell that asks")],
) -> None:
    """Print the script that makes the shell complete commands and options."""
    print(get_completion_script(prog_name="gateway", complete_var=COMPLETE_VAR, shell=shell))


class _Commands(TyperGroup):
    """All subcommands as one group, which imports none of them for their names alone."""

    def __init__(self, table: dict[str, Any]) -> None:
        super().__init__(name="gateway")
        self._table = table

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self._table:
            return None
        return typer.main.get_command(import_module(self._table[cmd_name].module).app)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[CompletionItem]:
        named = self._table.items()
        return [CompletionItem(name, help=one.purpose) for name, one in named if name.startswith(incomplete)]


def answer(table: dict[str, Any]) -> None:
    """Answer the shell's question, which stands in the environment, and exit. ``table``: subcommands by name."""
    completion_init()
    _Commands(table).main(args=[], prog_name="gateway", complete_var=COMPLETE_VAR)
