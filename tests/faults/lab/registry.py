"""The faults that the laboratory knows: what each is called, and how often it strikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .bench import Bench

__all__ = ["FAULTS", "Fault", "fault"]


@dataclass(frozen=True, slots=True)
class Fault:
    """``number``: in the tables of failpoints (F) and of promises (A); ``chaos``, ``full``, ``few``: strikes of a run.

    ``strike(bench, strikes)`` does it and leaves everything written; the verdict follows.
    """

    name: str
    number: str
    what: str
    strike: Callable[[Bench, int], None]
    few: int
    chaos: int
    full: int


Strike = Callable[[Bench, int], None]
FAULTS: dict[str, Fault] = {}


def fault(number: str, what: str, *, chaos: int, full: int, few: int = 0) -> Callable[[Strike], Strike]:
    """Enter a function as a fault, named as it is. ``few`` > 0: it is in the short selection, too."""

    def enter(strike: Strike) -> Strike:
        name = strike.__name__.replace("_", "-")
        FAULTS[name] = Fault(name, number, what, strike, few, chaos, full)
        return strike

    return enter
