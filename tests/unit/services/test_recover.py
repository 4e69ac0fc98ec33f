"""`gateway recover` over memory: what it writes is what was committed, and where it cannot it says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.adapters.log_readers import StateTopic
from gateway.adapters.memory import MemoryCluster, MemoryLog
from gateway.adapters.memory_offsets import MemoryOffsets
from gateway.model.errors import ConfigError
from gateway.pipeline.progress import format_progress, parse_progress
from gateway.ports import Committed, Partition, TopicShape
from gateway.services.recover import Recovery, recover
from gateway.services.recover_judge import Action, Seen, judge
from gateway.services.worker_state import progress_key

from .memory_world import PARTITIONS, PREFIX, MemoryInstallation
from .test_worker import turn_until_settled

RAW = f"{PREFIX}thing.raw"
STATE = f"{PREFIX}gateway.state"


def worked(seed: int = 61) -> MemoryInstallation:
    """An installation whose worker settled something, parked something, and left."""
    world = MemoryInstallation(seed, poison=frozenset({4}))
    world.source.write(400)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    worker.close()
    return world


def recovered(world: MemoryInstallation, *, write: bool = True, accept_loss: bool = False) -> Recovery:
    cluster, state = MemoryCluster(world.broker), StateTopic(MemoryLog(world.broker), STATE)
    group = MemoryOffsets(world.group)
    return recover(group, cluster, state, STATE, {RAW}, write=write, accept_loss=accept_loss)


def actions(done: Recovery) -> set[Action]:
    return {one.action for one in done.judged}


def test_deleted_offsets_come_back_exactly_and_the_workers_go_on() -> None:
    world = worked()
    before = dict(world.broker.committed)
    world.broker.committed.clear()
    refused, _ = world.worker()
    with pytest.raises(ConfigError, match="gateway recover"):
        for _ in range(50):
            refused.turn()
            world.clock.seconds += 0.1
    refused.close()
    dry = recovered(world, write=False)
    assert (actions(dry), dry.open, world.broker.committed) == ({Action.WRITE}, PARTITIONS, {})
    done = recovered(world)
    assert (done.open, world.broker.committed) == (0, before)
    assert actions(recovered(world)) == {Action.IN_PLACE}
    world.source.write(300)
    again, _ = world.worker()
    turn_until_settled(world, again)
    world.check()


def test_an_offset_that_somebody_set_by_hand_is_replaced_by_what_was_committed() -> None:
    world = worked()
    before = dict(world.broker.committed)
    key = (world.group.name, Partition(RAW, 1))
    world.broker.committed[key] = Committed(0, "")
    done = recovered(world)
    told = {one.seen.place.partition: (one.action, one.reason) for one in done.judged}
    assert told[1] == (Action.WRITE, "the group's offset 0 carries no progress: something else wrote it")
    assert told[0][0] is Action.IN_PLACE
    assert world.broker.committed == before


def test_while_the_group_has_members_nothing_is_written() -> None:
    world = worked()
    world.broker.committed.clear()
    worker, _ = world.worker()
    assert len(recovered(world, write=False).members) == 1
    with pytest.raises(ConfigError, match="members"):
        recovered(world)
    assert world.broker.committed == {}
    worker.close()


def test_a_partition_that_retention_overtook_goes_on_only_where_the_loss_is_accepted() -> None:
    world = worked()
    world.broker.committed.clear()
    place = Partition(RAW, 2)
    world.source.write(300)
    low = world.broker.low[place] = len(world.broker.logs[place]) - 3
    done = recovered(world)
    (one,) = [one for one in done.judged if one.action is Action.CANNOT]
    assert one.seen.copy is not None
    assert f"records {one.seen.copy.offset} to {low - 1} were deleted" in one.reason
    assert f"--accept-loss goes on at {low}" in one.remedy
    assert done.open == 1
    accepted = recovered(world, accept_loss=True)
    assert (accepted.open, actions(accepted)) == (0, {Action.WRITE, Action.IN_PLACE})
    at = world.broker.committed[world.group.name, place]
    assert (at.offset, parse_progress(at.metadata)) == (low, parse_progress(one.seen.copy.metadata))


def test_a_topic_that_nobody_reads_or_has_read_yet_is_left_alone() -> None:
    world = worked()
    fresh = MemoryInstallation(62)
    assert actions(recovered(fresh)) == {Action.LEFT}
    cluster, state = MemoryCluster(world.broker), StateTopic(MemoryLog(world.broker), STATE)
    other = recover(MemoryOffsets(world.group), cluster, state, STATE, set(), write=True)
    assert (actions(other), other.open) == ({Action.LEFT}, 0)


def a_copy(seed: int = 61) -> Seen:
    """A partition whose copy is whole and whose group has nothing."""
    world = worked(seed)
    done = recovered(world, write=False)
    return replace(done.judged[0].seen, group=None)


def test_offsets_of_another_topic_are_never_written() -> None:
    seen = a_copy()
    assert seen.shape is not None
    for shape in (TopicShape("made-anew", seen.shape.partitions), TopicShape(seen.shape.topic_id, 9), None):
        found = judge(replace(seen, shape=shape))
        assert (found.action, found.target) == (Action.CANNOT, None)
        assert "new raw topic" in found.remedy


def test_a_log_that_ends_before_the_copy_lost_what_was_read() -> None:
    seen = a_copy()
    assert seen.copy is not None
    found = judge(replace(seen, high=seen.copy.offset - 1))
    assert found.action is Action.CANNOT
    assert f"offset {seen.copy.offset} lies behind the topic's end" in found.reason


def test_a_group_that_is_ahead_of_the_copy_keeps_its_offset() -> None:
    seen = a_copy()
    assert seen.copy is not None
    found = judge(replace(seen, group=Committed(seen.copy.offset + 1, seen.copy.metadata)))
    assert (found.action, found.target) == (Action.CANNOT, None)
    assert "the state topic lost its last records" in found.reason
    older = judge(replace(seen, group=Committed(seen.copy.offset - 1, seen.copy.metadata)))
    assert (older.action, older.target) == (Action.WRITE, seen.copy)


def test_a_copy_that_this_release_cannot_read_or_that_is_missing_is_told() -> None:
    seen = a_copy()
    assert seen.copy is not None
    found = judge(replace(seen, copy=Committed(seen.copy.offset, "9{}")))
    assert (found.action, found.target) == (Action.CANNOT, None)
    assert "cannot be read" in found.reason
    lost = judge(replace(seen, copy=None, group=seen.copy))
    assert lost.action is Action.CANNOT
    assert "the state topic knows nothing of it" in lost.reason


def test_a_unit_published_in_part_is_lost_as_a_whole() -> None:
    """Its rest has no head any more: what is left of it would be another change set under other ids."""
    seen = a_copy()
    assert seen.copy is not None
    progress = replace(parse_progress(seen.copy.metadata), cursor=(seen.copy.offset, seen.copy.offset + 50, 7))
    cut = replace(seen, copy=Committed(seen.copy.offset, format_progress(progress)), low=seen.copy.offset + 10)
    found = judge(replace(cut, high=cut.low + 100), accept_loss=True)
    assert found.target is not None
    assert found.target.offset == seen.copy.offset + 51
    assert parse_progress(found.target.metadata).cursor is None
    assert found.lost == (seen.copy.offset, seen.copy.offset + 50)


def test_a_state_topic_without_this_installation_has_nothing_to_give() -> None:
    world = worked()
    world.broker.committed.clear()
    for place, log in world.broker.logs.items():
        if place.topic == STATE:
            log[:] = [slot for slot in log if slot.record is None or slot.record.key != progress_key(Partition(RAW, 0))]
    done = recovered(world, write=False)
    assert [one.action for one in done.judged] == [Action.LEFT, Action.WRITE, Action.WRITE]
