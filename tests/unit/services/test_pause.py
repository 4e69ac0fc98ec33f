"""`pause` and `resume`: between two units, in the Kafka transaction, whoever owns the partition and whatever fails."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from gateway.bridge.commands import ALL, Kind, partition_target, topic_target
from gateway.model.errors import ConfigError
from gateway.telemetry.signals import FindingSeen, PartitionPaused, PartitionResumed

from .control_world import PLACES, command, desk, orders, turns
from .memory_world import PREFIX, Killed, MemoryInstallation
from .test_worker import turn_until_settled


def counts_of(world: MemoryInstallation, partition: int) -> int:
    at = world.broker.committed[world.group.name, PLACES[partition]]
    return int(json.loads(at.metadata[1:])["s"][0])


def answered(world: MemoryInstallation) -> Counter[str]:
    """Committed answers by command."""
    places = [one for one in world.broker.logs if one.topic == f"{PREFIX}gateway.state"]
    keys = [json.loads(record.key or b"") for one in places for record in world.broker.readable(one, 0, 100_000)[0]]
    return Counter(key[1] for key in keys if key[0] == "ack")


def test_a_paused_partition_settles_nothing_until_it_is_resumed_and_the_others_go_on() -> None:
    world = MemoryInstallation(1)
    world.source.write(300)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    counter = desk(world, [worker])
    pause = command(Kind.PAUSE, partition_target(*PLACES[1]))
    counter.give(pause)
    (ack,) = counter.answers(pause.id, PLACES[1:2], 5).values()
    assert (ack.result, ack.position is not None) == ("paused", True)
    before = [counts_of(world, number) for number in range(3)]
    world.source.write(300)
    turns(world, [worker], 100)
    assert counts_of(world, 1) == before[1]
    assert all(counts_of(world, number) > before[number] for number in (0, 2))
    resume = command(Kind.RESUME, ALL)
    counter.give(resume)
    results = {place.partition: ack.result for place, ack in counter.answers(resume.id, PLACES, 5).items()}
    assert results == {0: "nothing", 1: "resumed", 2: "nothing"}
    turn_until_settled(world, worker)
    world.check()
    told = [one for one in world.signals if isinstance(one, PartitionPaused | PartitionResumed)]
    assert [type(one) for one in told] == [PartitionPaused, PartitionResumed]
    assert isinstance(told[0], PartitionPaused)
    assert (told[0].partition, told[0].who, told[0].why) == (1, "me@here", "a test")


def test_a_pause_amid_a_transaction_settles_nothing_of_it() -> None:
    """Its first rows were taken before the pause, its END comes behind it."""
    world = MemoryInstallation(2)
    *rows, end = world.source.transaction()
    world.source._send(rows)
    worker, _ = world.worker()
    turns(world, [worker])
    counter = desk(world, [worker])
    counter.give(command(Kind.PAUSE, ALL))
    turns(world, [worker])
    world.source._send([end])
    world.source.write(50)
    turns(world, [worker], 100)
    assert world.settled() == 0
    counter.give(command(Kind.RESUME, topic_target(PLACES[0].topic)))
    turn_until_settled(world, worker)
    world.check()


def test_a_pause_outlives_a_restart_and_a_rebalance() -> None:
    world = MemoryInstallation(3)
    world.source.write(100)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    counter = desk(world, [worker])
    counter.give(command(Kind.PAUSE, ALL))
    turns(world, [worker])
    worker.close()
    settled = world.settled()
    world.source.write(200)
    alive = [world.worker(slot, fresh=False)[0] for slot in (1, 2)]
    turns(world, alive, 100)
    assert world.settled() == settled
    assert all(state == "paused" for ((_, state),) in orders(world).values())
    desk(world, alive).give(command(Kind.RESUME, ALL))
    turn_until_settled(world, *alive)
    world.check()
    assert set(map(len, orders(world).values())) == {0}


@pytest.mark.parametrize("seed", range(8))
def test_whatever_fails_commands_take_effect_once_and_nothing_is_lost(seed: int) -> None:
    """Kills, aborts and doubts around commands: each partition obeys each command once, in their order."""
    world = MemoryInstallation(seed, odds=0.1)
    alive = {slot: world.worker(slot) for slot in (1, 2)}
    counter = desk(world, [])
    given = []
    for number in range(60):
        world.source.write(world.chance.randint(1, 20), batch=world.chance.randint(1, 20))
        if number % 6 == 0:
            given.append(command(world.chance.choice([Kind.PAUSE, Kind.RESUME]), partition_target(*PLACES[number % 3])))
            counter.give(given[-1])
        for slot, (worker, member) in list(alive.items()):
            try:
                worker.turn()
            except Killed:
                world.group.leave(member)
                alive[slot] = world.worker(slot)
        world.clock.seconds += 0.05
    for sink in world.sinks:
        sink.odds = 0
    workers = [worker for worker, _ in alive.values()]
    turns(world, workers, 300)
    last = {one.targets[0]: one for one in given}
    stand = {partition_target(*PLACES[n]): bool(states) for n, states in orders(world).items()}
    assert {target: one.kind == Kind.PAUSE for target, one in last.items()} == {one: stand[one] for one in last}
    for one in given:
        (ack,) = counter.answers(one.id, [PLACES[int(one.targets[0][-1])]], 0).values()
        assert ack.result in ("paused", "resumed", "nothing")
    assert answered(world) == Counter({one.id: 1 for one in given})
    counter.give(command(Kind.RESUME, ALL))
    turn_until_settled(world, *workers)
    world.check()


def test_a_partition_that_nobody_owns_is_named_and_obeys_when_it_is_owned() -> None:
    world = MemoryInstallation(4)
    world.source.write(100)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    worker.close()
    counter = desk(world, [])
    pause = command(Kind.PAUSE, ALL)
    counter.give(pause)
    assert counter.answers(pause.id, PLACES, 3) == {}
    again, _ = world.worker(fresh=False)
    turns(world, [again])
    assert set(counter.answers(pause.id, PLACES, 3)) == set(PLACES)


def test_a_command_that_was_given_twice_is_obeyed_once() -> None:
    world = MemoryInstallation(5)
    world.source.write(50)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    counter = desk(world, [worker])
    pause, resume = command(Kind.PAUSE, ALL), command(Kind.RESUME, ALL)
    counter.give(pause, resume, pause)
    turns(world, [worker])
    assert set(map(len, orders(world).values())) == {0}


def test_what_is_no_command_is_told_and_passed_over() -> None:
    world = MemoryInstallation(6)
    world.source.write(50)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    counter = desk(world, [worker])
    counter.give(command("sing", ALL), command(Kind.PAUSE, ALL))
    turns(world, [worker])
    assert all(states for states in orders(world).values())
    assert any("newer release" in one.finding for one in world.signals if isinstance(one, FindingSeen))


def test_without_a_control_log_workers_work_and_a_desk_says_what_creates_it() -> None:
    world = MemoryInstallation(7)
    del world.broker._topic_ids[f"{PREFIX}gateway.control"]
    world.source.write(50)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    with pytest.raises(ConfigError, match="gateway connect apply"):
        desk(world, []).give(command(Kind.PAUSE, ALL))


def test_answers_that_were_read_can_be_deleted() -> None:
    world = MemoryInstallation(8)
    world.source.write(50)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    counter = desk(world, [worker])
    pause = command(Kind.PAUSE, ALL)
    counter.give(pause)
    assert len(counter.answers(pause.id, PLACES, 5)) == 3
    counter.tidy(pause.id, PLACES)
    last: dict[bytes | None, bytes | None] = {}
    for place in (one for one in world.broker.logs if one.topic == f"{PREFIX}gateway.state"):
        last |= {record.key: record.value for record in world.broker.readable(place, 0, 10_000)[0]}
    assert [value for key, value in last.items() if b'"ack"' in (key or b"")] == [None] * 3
