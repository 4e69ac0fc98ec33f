"""What the stack tells while it starts and stops, one step at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Progress", "State", "Step", "silent"]

State = Literal["fetching", "preparing", "starting", "ready", "failed", "stopping", "stopped"]


@dataclass(frozen=True, slots=True)
class Step:
    """One service's new state; `detail` is a short text for people, `seconds` the time since the call began."""

    service: str
    state: State
    detail: str = ""
    seconds: float = 0.0


Progress = Callable[[Step], None]


def silent(step: Step) -> None:
    """Tell nobody."""
