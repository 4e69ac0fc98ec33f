"""The live view of a start: one line for each service on a terminal, one for each step elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from gateway.stack.progress import Progress, Step

__all__ = ["show_steps"]

_LAST = ("ready", "failed", "stopped")


@contextmanager
def show_steps(console: Console) -> Iterator[Progress]:
    """Give a callback that shows each step, while the block runs."""
    if not console.is_terminal:
        told: dict[str, str] = {}

        def print_once(step: Step) -> None:
            if told.get(step.service) != step.state:
                console.print(_line(step), highlight=False, markup=False)
            told[step.service] = step.state

        yield print_once
        return
    columns = (
        SpinnerColumn(finished_text="•"),
        TextColumn("{task.description:<10}"),
        TextColumn("{task.fields[state]}"),
    )
    with Bars(*columns, TimeElapsedColumn(), console=console) as bars:
        rows: dict[str, TaskID] = {}

        def show(step: Step) -> None:
            if step.service not in rows:
                rows[step.service] = bars.add_task(step.service, total=1, state="")
            state = f"{step.state} {step.detail}".strip()
            bars.update(rows[step.service], state=f"{state:<28}", completed=int(step.state in _LAST))

        yield show


def _line(step: Step) -> str:
    seconds = f" after {step.seconds:.1f} s" if step.state in _LAST else ""
    return f"{step.service:<10} {step.state}{seconds} {step.detail}".rstrip()
