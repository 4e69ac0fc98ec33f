"""The worker's loop over memory adapters: crashes, aborts, doubts, rebalances wherever a seed puts them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from gateway.model.errors import ConfigError, DependencyError
from gateway.ports import Committed, Partition
from gateway.services.worker import Worker
from gateway.services.worker_fence import Fence
from gateway.services.worker_partition import OwnedPartition
from gateway.telemetry.signals import (
    DependencyAway,
    DependencyBack,
    EndToEnd,
    EventsPublished,
    PartitionParked,
    RecordsSettled,
    TransactionEnded,
)

from .memory_world import COMPILED, ENVELOPE, PREFIX, AvroRawSource, Killed, MemoryInstallation


def turn_until_settled(world: MemoryInstallation, *workers: Worker, most: int = 3_000) -> None:
    for _ in range(most):
        for worker in workers:
            worker.turn()
        world.clock.seconds += 0.03
        if world.settled() >= world.source.rows:
            return
    raise AssertionError(f"{world.settled()} of {world.source.rows} settled; stopped: {world.signals.stopped()}")


def test_facts_are_published_once_in_order_and_counts_move_with_the_commit() -> None:
    world = MemoryInstallation(1, poison=frozenset({4}))
    world.source.write(500, batch=60)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    world.check()
    settled = sum(one.count for one in world.signals if isinstance(one, RecordsSettled))
    assert settled == world.source.rows
    events = sum(one.count for one in world.signals if isinstance(one, EventsPublished))
    assert events == sum(map(len, world.source.facts.values()))
    assert all(one.result == "committed" for one in world.signals if isinstance(one, TransactionEnded))
    assert sum(len(one.seconds) for one in world.signals if isinstance(one, EndToEnd)) > 0


@pytest.mark.parametrize("seed", range(30))
def test_whatever_fails_wherever_nothing_is_missing_doubled_or_reordered(seed: int) -> None:
    """Kills, aborts, doubtful commits that happened and that did not, members coming, going and being expelled."""
    run_with_faults(seed)


def run_with_faults(seed: int, **settings: Any) -> None:
    world = MemoryInstallation(seed, odds=0.08, poison=frozenset({4}))
    alive = {slot: world.worker(slot, **settings) for slot in (1, 2)}
    struck: Counter[str] = Counter()
    for _ in range(60):
        if world.source.rows < 1_200:
            world.source.write(world.chance.randint(1, 60), batch=world.chance.randint(1, 40))
        for slot, (worker, member) in list(alive.items()):
            try:
                worker.turn()
                if world.chance.random() < 0.02:
                    member.expel()
                    struck["expelled"] += 1
            except Killed:
                world.group.leave(member)  # what the session timeout does; the same slot starts again
                alive[slot] = world.worker(slot, **settings)
        world.clock.seconds += 0.05
    for sink in world.sinks:
        struck += sink.struck
        sink.odds = 0
    turn_until_settled(world, *(worker for worker, _ in alive.values()))
    world.check()
    assert struck.total() > 0


def test_the_tail_of_a_quiet_partition_waits_for_evidence_and_fence() -> None:
    """Without its END the last transaction stays open; with it, it is published."""
    world = MemoryInstallation(2)
    *rows, end = world.source.transaction()
    world.source._send(rows)
    worker, _ = world.worker()
    for _ in range(50):
        worker.turn()
        world.clock.seconds += 0.05
    assert world.settled() == 0
    world.source._send([end])
    turn_until_settled(world, worker)
    world.check()


def test_a_partition_that_cannot_go_on_stops_alone() -> None:
    """A second source in one partition stops it; the others go on."""
    world = MemoryInstallation(3)
    world.source.write(100)
    place = Partition(f"{PREFIX}thing.raw", 0)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    foreign = json.loads(world.source.transaction()[0][2] or b"")
    foreign["source"]["name"] = "another"
    world.broker.append(place, b'{"thingId": 1}', json.dumps(foreign).encode(), timestamp_ms=1)
    before = world.settled()
    world.source.write(200)
    for _ in range(200):
        worker.turn()
        world.clock.seconds += 0.05
    assert len(world.signals.stopped()) == 1
    assert "another" in world.signals.stopped()[0]
    assert world.settled() > before


def test_under_halt_a_partition_stops_before_the_change_set_that_failed() -> None:
    """What stands before it is settled; nothing of it is written; other partitions go on."""
    world = MemoryInstallation(12, poison=frozenset({4}))
    world.source.write(400)
    worker, _ = world.worker(mappings=[replace(one, on_error="halt") for one in COMPILED])
    for _ in range(300):
        worker.turn()
        world.clock.seconds += 0.05
    assert len(world.signals.stopped()) == 1
    assert "halt" in world.signals.stopped()[0]
    assert not world.letters()
    published = world.events()
    assert all(published[thing] == facts[: len(published[thing])] for thing, facts in world.source.facts.items())
    assert 0 < world.settled() < world.source.rows


def test_a_transaction_larger_than_the_memory_allowed_stops_its_partition_and_is_never_cut() -> None:
    world = MemoryInstallation(13)
    world.source.write(100)
    worker, _ = world.worker(unit_max_bytes=100)
    for _ in range(100):
        worker.turn()
        world.clock.seconds += 0.05
    assert world.signals.stopped()
    assert all("unit_max_bytes" in error for error in world.signals.stopped())


def test_a_start_without_a_committed_offset_is_refused() -> None:
    world = MemoryInstallation(4)
    world.source.write(50)
    worker, _ = world.worker(fresh=False)
    with pytest.raises(ConfigError, match="--from-beginning"):
        for _ in range(20):
            worker.turn()


def test_lost_group_offsets_are_noticed_by_the_copy_in_the_state_topic() -> None:
    world = MemoryInstallation(5)
    world.source.write(300)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    worker.close()
    world.broker.committed.clear()
    again, _ = world.worker()
    with pytest.raises(ConfigError, match="gateway recover"):
        for _ in range(20):
            again.turn()
    world.broker.committed.clear()
    assert sum(map(len, world.events().values())) == sum(map(len, world.source.facts.values()))


def test_records_deleted_before_they_were_read_stop_the_partition_as_data_loss() -> None:
    world = MemoryInstallation(6)
    world.source.write(300)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    worker.close()
    place = Partition(f"{PREFIX}thing.raw", 1)
    world.source.write(300)
    world.broker.low[place] = len(world.broker.logs[place]) - 1
    again, _ = world.worker()
    for _ in range(100):
        again.turn()
        world.clock.seconds += 0.05
    assert [error for error in world.signals.stopped() if "data loss" in error]


def test_a_recreated_topic_stops_the_partition() -> None:
    world = MemoryInstallation(7)
    world.source.write(300)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    worker.close()
    place = Partition(f"{PREFIX}thing.raw", 0)
    committed = world.broker.committed[(world.group.name, place)]
    other = committed.metadata.replace('"t":"memory-', '"t":"elsewhere-')
    world.broker.committed[(world.group.name, place)] = Committed(committed.offset, other)
    again, _ = world.worker()
    for _ in range(20):
        again.turn()
    assert [error for error in world.signals.stopped() if "recreated" in error]


def test_parked_aggregates_stay_parked_for_a_successor() -> None:
    """The second worker knows from the state topic alone what is parked, and sends later changes the same way."""
    world = MemoryInstallation(8, poison=frozenset({2, 9}))
    world.source.write(400)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    worker.close()
    world.source.write(400)
    again, _ = world.worker()
    turn_until_settled(world, again)
    world.check()
    parked = {one.partition: one.aggregates for one in world.signals if isinstance(one, PartitionParked)}
    assert sum(parked.values()) == len({2, 9} & set(world.source.letters))


def test_two_users_of_one_transactional_id_do_not_fence_each_other_for_ever() -> None:
    world = MemoryInstallation(9)
    world.source.write(200)
    first, _ = world.worker(slot=1)
    for _ in range(10):
        first.turn()
    second, _ = world.worker(slot=1)
    with pytest.raises(ConfigError, match="transactional id"):
        for _ in range(100):
            world.source.write(5)
            second.turn()
            first.turn()
            world.clock.seconds += 0.05


class AvroInstallation(MemoryInstallation):
    kind = AvroRawSource


def test_avro_values_wait_for_a_registry_that_is_away_and_nothing_is_a_dead_letter() -> None:
    """The look-up fails a few times: the worker backs off, says so, and goes on by itself."""
    world = AvroInstallation(10)
    world.source.write(300)
    asked: list[int] = []

    def schema(schema_id: int) -> Mapping[str, object]:
        asked.append(schema_id)
        if len(asked) < 4:
            raise DependencyError("no answer", where="registry")
        return cast("Mapping[str, object]", ENVELOPE)

    worker, _ = world.worker(avro=schema)
    turn_until_settled(world, worker)
    world.check()
    assert asked == [77] * 4
    assert [one.dependency for one in world.signals if isinstance(one, DependencyAway)] == ["registry"]
    assert [one.dependency for one in world.signals if isinstance(one, DependencyBack)] == ["registry"]
    assert not world.letters()


def test_a_value_that_is_not_avro_is_a_dead_letter_and_those_around_it_get_through() -> None:
    world = AvroInstallation(11)
    world.source.write(100)
    world.broker.append(Partition(f"{PREFIX}thing.raw", 0), b'{"thingId": 999}', b"\x01not avro", timestamp_ms=1)
    world.source.rows += 1
    world.source.letters[999] = 1
    world.source.write(100)
    worker, _ = world.worker(avro=lambda _: cast("Mapping[str, object]", ENVELOPE))
    turn_until_settled(world, worker)
    world.check()


def _found(seeds: range) -> int:
    found = 0
    for seed in seeds:
        try:
            test_whatever_fails_wherever_nothing_is_missing_doubled_or_reordered(seed)
        except AssertionError:
            found += 1
    return found


def test_a_worker_without_its_fence_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a tail is closed as soon as its END is read, without asking the high watermark."""
    monkeypatch.setattr(Fence, "passed", lambda *_: True)
    assert _found(range(3)) > 0


def test_a_worker_that_goes_on_after_an_abort_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: nothing is rebuilt from the log after an abort or a doubt."""
    monkeypatch.setattr(Worker, "_rebuild", lambda *_, **__: None)
    assert _found(range(6)) > 0


def test_a_worker_that_commits_its_position_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: offsets move past the open transaction."""
    monkeypatch.setattr(OwnedPartition, "settled_up_to", lambda owned: max(owned.next_offset, owned.position))
    assert _found(range(1)) > 0
