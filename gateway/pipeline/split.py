"""A unit falls apart into what is settled as a whole: a change set for each aggregate, and records by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.model.change import ChangeEvent, ChangeSet
from gateway.model.unit import Broken, Taken, Unit
from gateway.pipeline.admit import Incarnations, incarnation_of

__all__ = ["Group", "change_set", "groups"]


@dataclass(slots=True)
class Group:
    """Entries of a unit with one fate. ``places``: indices into ``unit.entries``, ascending.

    ``before``: the last row taken before a snapshot row's place, its transaction left out if it goes on behind it.
    """

    aggregate_id: str
    places: list[int]
    rows: list[ChangeEvent] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    snapshot: bool = False
    before: Taken | None = None


def groups(unit: Unit) -> list[Group]:
    """The groups of a unit, in an order that does not depend on what made the unit complete, nor on when.

    Snapshot rows amid the transaction come first: what they state is older than what it did. Then its change sets, by
    first record, and what stands behind it. A broken record joins the rows of its aggregate, which may lack it; without
    such rows it stands alone. Duplicates and marks are in no group.
    """
    by_aggregate: dict[str, Group] = {}
    last = -1
    for place, entry in enumerate(unit.entries):
        if type(entry) is ChangeEvent and not entry.source.snapshot:
            last = place
            group = by_aggregate.get(entry.aggregate_id)
            if group is None:
                by_aggregate[entry.aggregate_id] = Group(entry.aggregate_id, [place], [entry])
            else:
                group.places.append(place)
                group.rows.append(entry)
    if sum(len(group.places) for group in by_aggregate.values()) == len(unit.entries):
        return list(by_aggregate.values())
    amid, others = _by_themselves(unit, by_aggregate, last)
    return [*amid, *sorted([*by_aggregate.values(), *others], key=lambda group: group.places[0])]


def _by_themselves(unit: Unit, by_aggregate: dict[str, Group], last: int) -> tuple[list[Group], list[Group]]:
    """Snapshot rows amid the transaction, and single records elsewhere. ``last``: place of its last row."""
    amid: list[Group] = []
    others: list[Group] = []
    for place, entry in enumerate(unit.entries):
        if type(entry) is ChangeEvent and entry.source.snapshot:
            is_amid = place < last
            before = unit.before if is_amid else unit.hi
            group = Group(entry.aggregate_id, [place], [entry], snapshot=True, before=before)
            (amid if is_amid else others).append(group)
        elif type(entry) is Broken:
            owner = by_aggregate.get(entry.aggregate_id) if entry.key is not None else None
            if owner is None:
                others.append(Group(entry.aggregate_id, [place], broken=[entry]))
            else:
                owner.broken.append(entry)
                owner.places.append(place)
                owner.places.sort()
    return amid, others


def change_set(group: Group, unit: Unit, mapping: str, incarnations: Incarnations) -> ChangeSet:
    """The group's rows as a change set of ``mapping``; a snapshot row's incarnation is that of its own time."""
    first = group.rows[0]
    incarnation = incarnation_of(first.source.ts_ms, incarnations) if group.snapshot else unit.incarnation
    commit = 0 if group.snapshot else unit.commit
    return ChangeSet(mapping, first.key, group.aggregate_id, tuple(group.rows), incarnation, commit, group.snapshot)
