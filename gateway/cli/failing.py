"""How a command tells what went wrong: the error's own words on stderr and an exit status for its family."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from rich.console import Console

from gateway.model.errors import DependencyError, GatewayError

__all__ = ["CONFIG", "DEPENDENCY", "failures_told"]

CONFIG = 2
"""Exit status: the configuration is wrong; running it again does not help."""
DEPENDENCY = 3
"""Exit status: the other side is away; running it again may help."""


@contextmanager
def failures_told() -> Iterator[None]:
    """Turn our errors and wrong settings into text and exit status; anything else is our own bug and shows as such."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        yield
    except GatewayError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(DEPENDENCY if isinstance(error, DependencyError) else CONFIG) from error
    except ValidationError as error:
        for fault in error.errors():
            told = f"setting {'.'.join(map(str, fault['loc']))}: {fault['msg']} (gateway.yaml or GATEWAY_* variables)"
            console.print(told, style="red", markup=False)
        raise typer.Exit(CONFIG) from error
