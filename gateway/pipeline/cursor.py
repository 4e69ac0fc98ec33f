"""A huge unit in steps: what is settled as a whole stays whole, and a few steps at a time become a small unit.

Their order is a function of the unit's records alone, so a number of steps says what was done (protocol.md 6).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import msgspec

from gateway.model.change import ChangeEvent
from gateway.model.letter import ParkEntry
from gateway.model.unit import Entry, Unit
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.split import Group
from gateway.pipeline.spool import ROW, SNAPSHOT, Spool, View, kind_of, size_at
from gateway.pipeline.translate import Translation, translate_as_one

__all__ = ["Part", "Steps", "set_aside"]

_RECORDS, _BYTES = 500, 1024 * 1024


class Part(msgspec.Struct, frozen=True):
    """Some steps of a unit. ``unit``: like the whole, with their entries only; ``done``: steps done once it is settled.

    ``too_large``: it is one step, which is not to be looked at; see ``set_aside``.
    """

    unit: Unit
    done: int
    too_large: bool = False


class Steps:
    """The steps of one unit: snapshot rows amid it, then its change sets and single records, by their first record."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        kinds, hashes = _index(unit.entries)
        self._kinds = kinds
        last = max((place for place, kind in enumerate(kinds) if kind == ROW), default=-1)
        amid = [place for place in range(last) if kinds[place] == SNAPSHOT]
        self._amid = len(amid)
        self._starts, self._places = _sorted(_numbers(kinds, hashes, amid))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def parts(self, done: int, largest: int, most: int = 0) -> Iterator[Part]:
        """The steps from ``done`` on, a megabyte or ``most`` (500) records at a time; above ``largest`` bytes alone."""
        while done < len(self):
            first, size, count = done, 0, 0
            while done < len(self):
                places = self._of(done)
                weight = sum(size_at(self._unit.entries, place) for place in places)
                full = size + weight > min(_BYTES, largest) or count + len(places) > (most or _RECORDS)
                if done > first and (full or (first < self._amid) != (done < self._amid)):
                    break
                size, count, done = size + weight, count + len(places), done + 1
            too_large = size > largest and self._kinds[self._of(first)[0]] == ROW
            yield self._part(first, done, size, too_large=too_large)

    def _of(self, step: int) -> Sequence[int]:
        return self._places[self._starts[step] : self._starts[step + 1]]

    def _part(self, first: int, done: int, size: int, *, too_large: bool) -> Part:
        whole = self._unit
        places = sorted(self._places[self._starts[first] : self._starts[done]])
        entries = View(whole.entries, places) if too_large else tuple(whole.entries[place] for place in places)
        unit = msgspec.structs.replace(
            whole,
            entries=entries,
            size_bytes=size,
            restarted=whole.restarted and first == 0,
            hi=whole.before if first < self._amid else whole.hi,
        )
        return Part(unit, done, too_large)


def set_aside(part: Part, book: Rulebook, parked: Mapping[str, ParkEntry]) -> Translation:
    """The translation of a part that is too large to be looked at: one dead letter, a pointer."""
    entry = part.unit.entries[0]
    rows = [entry] if isinstance(entry, ChangeEvent) else []
    aggregate_id = getattr(entry, "aggregate_id", "")
    group = Group(aggregate_id, cast("list[int]", range(len(part.unit.entries))), rows)
    return translate_as_one(part.unit, group, book, parked)


def _index(entries: Sequence[Entry]) -> tuple[Sequence[int], Sequence[int]]:
    """Kind and aggregate of each entry."""
    if isinstance(entries, Spool):
        return entries.kinds, entries.hashes
    kinds, hashes = array("B"), array("Q")
    for entry in entries:
        kind, aggregate = kind_of(entry)
        kinds.append(kind)
        hashes.append(aggregate)
    return kinds, hashes


def _numbers(kinds: Sequence[int], hashes: Sequence[int], amid: Sequence[int]) -> array[int]:
    """The step of each entry. Two aggregates with one hash share a step, and are told apart when it is translated."""
    steps = array("I", bytes(4 * len(kinds)))
    count = 0
    for place in amid:
        steps[place] = count
        count += 1
    taken = set(amid)
    of_aggregate: dict[int, int] = {}
    for place, kind in enumerate(kinds):
        if place in taken:
            continue
        step = of_aggregate.setdefault(hashes[place], count) if kind == ROW else count
        steps[place] = step
        count += step == count
    return steps


def _sorted(steps: array[int]) -> tuple[array[int], array[int]]:
    """Where each step begins in a list of places by step, and that list; places of one step ascend."""
    count = max(steps, default=-1) + 1
    starts = array("I", bytes(4 * (count + 1)))
    for step in steps:
        starts[step + 1] += 1
    for step in range(count):
        starts[step + 1] += starts[step]
    places = array("I", bytes(4 * len(steps)))
    following = array("I", starts)
    for place, step in enumerate(steps):
        places[following[step]] = place
        following[step] += 1
    return starts, places
