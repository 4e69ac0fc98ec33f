"""The group's offsets were deleted, expired or overwritten: write back what the state topic remembers of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gateway.model.errors import ConfigError, DependencyError
from gateway.ports import Cluster, Committed, GroupOffsets, Partition, StateReader, TopicShape
from gateway.services.recover_judge import Action, Judgement, Seen, judge
from gateway.services.state_topic import whole_state
from gateway.services.worker_state import PartitionMemory, remembered

__all__ = ["Recovery", "recover"]

_NOTHING = PartitionMemory({}, None)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found, and whether it was ``written``."""

    members: Sequence[str]
    judged: Sequence[Judgement]
    written: bool

    @property
    def open(self) -> int:
        """Partitions that are not as they should be, now that the command ends."""
        bad = (Action.CANNOT,) if self.written else (Action.CANNOT, Action.WRITE)
        return sum(one.action in bad for one in self.judged)


def recover(
    group: GroupOffsets,
    cluster: Cluster,
    state: StateReader,
    state_topic: str,
    topics: Collection[str],
    *,
    write: bool,
    accept_loss: bool = False,
) -> Recovery:
    """Compare the state topic with the group and the raw ``topics`` that mappings read; ``write`` what is missing.

    ConfigError: no state topic, or the group has members while it should be written. DependencyError: no answer.
    """
    cluster.shape(state_topic)
    members = group.members()
    if write and members:
        raise ConfigError(
            f"the group has {len(members)} members: {', '.join(sorted(members))}",
            where="gateway recover",
            hint="stop every `gateway run` of this installation first; a killed one leaves within its session timeout",
        )
    seen = _look(group, cluster, state, state_topic, topics)
    judged = [judge(one, accept_loss=accept_loss) for one in seen]
    targets = {one.seen.place: one.target for one in judged if one.target is not None}
    if write and targets:
        _write(group, targets)
    return Recovery(members, judged, write)


def _look(
    group: GroupOffsets, cluster: Cluster, state: StateReader, state_topic: str, topics: Collection[str]
) -> list[Seen]:
    """The group is asked first: what its offsets' transactions wrote into the state topic is then visible (R2)."""
    shapes = {topic: _shape(cluster, topic) for topic in topics}
    places = {Partition(topic, number) for topic, shape in shapes.items() for number in range(_count(shape))}
    committed = group.committed(sorted(places))
    known = remembered(whole_state(state, cluster, state_topic))
    found = []
    for place in sorted(places | _raw(known)):
        memory, shape = known.get(place, _NOTHING), shapes.get(place.topic)
        low = high = 0
        if place in places:
            low, high = cluster.low_watermark(place), cluster.high_watermark(place)
        read = place.topic in topics
        one = Seen(place, memory.progress, committed.get(place), shape, low, high, len(memory.parked), read)
        found.append(one)
    return found


def _raw(known: Mapping[Partition, PartitionMemory]) -> set[Partition]:
    return {place for place, memory in known.items() if memory.progress is not None}


def _shape(cluster: Cluster, topic: str) -> TopicShape | None:
    try:
        return cluster.shape(topic)
    except ConfigError:
        return None


def _count(shape: TopicShape | None) -> int:
    return 0 if shape is None else shape.partitions


def _write(group: GroupOffsets, targets: Mapping[Partition, Committed]) -> None:
    group.commit(targets)
    now = group.committed(sorted(targets))
    if now != targets:
        wrong = ", ".join(str(place) for place in sorted(targets) if now.get(place) != targets[place])
        raise DependencyError(f"what was written cannot be read back: {wrong}", where="gateway recover")
