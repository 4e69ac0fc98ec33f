"""A unit falls apart into what is settled as a whole: a change set for each aggregate, and records by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.model.change import ChangeEvent, ChangeSet
from gateway.model.unit import Broken, Unit

__all__ = ["Group", "change_set", "groups"]


@dataclass(slots=True)
class Group:
    """Entries of a unit with one fate. ``places``: indices into ``unit.entries``, ascending."""

    aggregate_id: str
    snapshot: bool = False
    places: list[int] = field(default_factory=list)
    rows: list[ChangeEvent] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


def groups(unit: Unit) -> list[Group]:
    """The groups of a unit: snapshot rows first (what is, before what happened), then by first record.

    A broken record joins the rows of its aggregate, which may lack it; without such rows it stands alone. Duplicates
    and marks are in none.
    """
    snapshots: list[Group] = []
    others: list[Group] = []
    by_aggregate: dict[str, Group] = {}
    for place, entry in enumerate(unit.entries):
        if type(entry) is ChangeEvent and entry.source.snapshot:
            snapshots.append(Group(entry.aggregate_id, True, [place], [entry]))
        elif type(entry) is ChangeEvent:
            group = by_aggregate.get(entry.aggregate_id)
            if group is None:
                group = by_aggregate[entry.aggregate_id] = Group(entry.aggregate_id)
                others.append(group)
            group.places.append(place)
            group.rows.append(entry)
    _add_broken(unit, by_aggregate, others)
    return [*snapshots, *others]


def _add_broken(unit: Unit, by_aggregate: dict[str, Group], others: list[Group]) -> None:
    found = False
    for place, entry in enumerate(unit.entries):
        if type(entry) is not Broken:
            continue
        found = True
        group = by_aggregate.get(entry.aggregate_id) if entry.key is not None else None
        if group is None:
            others.append(Group(entry.aggregate_id, False, [place], [], [entry]))
        else:
            group.places.append(place)
            group.places.sort()
            group.broken.append(entry)
    if found:
        others.sort(key=lambda group: group.places[0])


def change_set(group: Group, unit: Unit, mapping: str) -> ChangeSet:
    """The group's rows as a change set of ``mapping``."""
    first = group.rows[0]
    incarnation = unit.incarnation or (unit.before.incarnation if unit.before else 1)
    return ChangeSet(
        mapping, first.key, group.aggregate_id, tuple(group.rows), incarnation, unit.commit, group.snapshot
    )
