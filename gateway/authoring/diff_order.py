"""Events that both versions say, in another order: the order of the rules is the order of a change set's events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.model.event import EncodedEvent

__all__ = ["Turn", "named", "reordered"]


@dataclass(frozen=True, slots=True)
class Turn:
    """An aggregate's events that both versions say of a unit, in the old and the new order; where these part first."""

    old: Sequence[EncodedEvent]
    new: Sequence[EncodedEvent]
    place: int


def reordered(old: Mapping[object, EncodedEvent], new: Mapping[object, EncodedEvent]) -> Iterator[Turn]:
    """Aggregates whose common events come in another order; both maps are by identity, in the order of the events.

    Events of different aggregates have no order among them.
    """
    for key in dict.fromkeys(event.key for event in old.values()):
        before = [identity for identity, event in old.items() if event.key == key and identity in new]
        after = [identity for identity, event in new.items() if event.key == key and identity in old]
        if before != after:
            place = next(place for place, one in enumerate(before) if one != after[place])
            yield Turn([old[identity] for identity in before], [new[identity] for identity in after], place)


def named(events: Sequence[EncodedEvent]) -> str:
    """The events' names in their order, an event with its older versions once."""
    told = dict.fromkeys((each.event.name, each.event.row, each.event.slot) for each in events)
    return ", ".join(name for name, _, _ in told)
