"""What gateway/ports.py promises of a group's offsets seen from outside: on the memory fake and on a real broker."""

from __future__ import annotations

import pytest

from gateway.model.errors import ConfigError, DependencyError
from gateway.ports import Committed, Partition

from .test_ports_kafka import Owner, world
from .worlds import World, eventually

__all__ = ["world"]


def test_offsets_are_written_with_their_metadata_and_read_back_exactly(world: World) -> None:
    topic = world.topic(3)
    group = world.offsets()
    wanted = {Partition(topic, 0): Committed(5, '1{"np":3}'), Partition(topic, 1): Committed(0, "")}
    assert eventually(lambda: group.members() == [])
    group.commit(wanted)
    assert group.committed([Partition(topic, number) for number in range(3)]) == wanted
    assert group.committed([]) == {}


def test_a_member_reads_what_was_written_from_outside(world: World) -> None:
    place = Partition(world.topic(), 0)
    world.put(place, b"a", b"b")
    eventually(lambda: world.offsets().members() == [])
    world.offsets().commit({place: Committed(1, "1{}")})
    owner = Owner(world.source(), [place.topic])
    owner.settle(1)
    assert eventually(lambda: owner.source.committed(place)) == Committed(1, "1{}")


def test_while_the_group_has_members_nothing_is_written(world: World) -> None:
    place = Partition(world.topic(), 0)
    owner = Owner(world.source(), [place.topic])
    owner.settle(1)
    assert len(world.offsets().members()) == 1
    with pytest.raises(ConfigError, match="the group has members"):
        world.offsets().commit({place: Committed(1, "")})
    owner.source.close()
    assert eventually(lambda: world.offsets().members() == [])
    world.offsets().commit({place: Committed(1, "")})
    assert world.offsets().committed([place]) == {place: Committed(1, "")}


def test_an_undecided_offset_is_not_told(world: World) -> None:
    place = Partition(world.topic(), 0)
    owner = Owner(world.source(), [place.topic])
    owner.settle(1)
    abort = world.stage(place, Committed(3, "open"), owner.source.membership())
    with pytest.raises(DependencyError):
        world.offsets().committed([place])
    abort()
    assert eventually(lambda: world.offsets().committed([place]) == {})
