"""What stands in a partition's progress of commands: whether it is paused, and barriers it has not passed.

They are kept as pairs of texts (protocol.md 4, ``b``), so that a release that does not know one of them keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["STORM", "Barrier", "Orders", "barriers_of", "paused_by", "with_barriers", "with_pause"]

Orders = tuple[tuple[str, str], ...]
_PAUSED = "paused"
STORM = "storm"
"""Stands for the command where a worker paused a partition by itself."""
_KIND = "rules"


class Barrier(NamedTuple):
    """Rules of ``version`` hold from ``cut`` (incarnation and X) on. Undecided while it is not ``committed``."""

    id: str
    cut: tuple[int, int]
    version: str
    committed: bool = False


def paused_by(orders: Sequence[tuple[str, str]]) -> str | None:
    """Id of the command that paused the partition; None where it is not paused."""
    return next((name for name, state in orders if state == _PAUSED), None)


def with_pause(orders: Sequence[tuple[str, str]], command: str | None) -> Orders:
    """The orders with the partition paused by ``command``, or not paused (None)."""
    rest = tuple(one for one in orders if one[1] != _PAUSED)
    return rest if command is None else (*rest, (command, _PAUSED))


def barriers_of(orders: Sequence[tuple[str, str]]) -> tuple[Barrier, ...]:
    """The barriers, lowest cut first."""
    split = ((name, state.split("/")) for name, state in orders if state.startswith(f"{_KIND}/"))
    found = (Barrier(name, (int(inc), int(x)), version, word == "c") for name, (_, word, inc, x, version) in split)
    return tuple(sorted(found, key=lambda one: one.cut))


def with_barriers(orders: Sequence[tuple[str, str]], barriers: Sequence[Barrier]) -> Orders:
    """The orders with exactly these barriers."""
    rest = tuple(one for one in orders if not one[1].startswith(f"{_KIND}/"))
    return (*rest, *((one.id, _state(one)) for one in barriers))


def _state(one: Barrier) -> str:
    return f"{_KIND}/{'c' if one.committed else 'a'}/{one.cut[0]}/{one.cut[1]}/{one.version}"
