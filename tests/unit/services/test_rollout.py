"""Rollout and rollback: units behind the cut have the new rules, in every partition, whatever fails."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from gateway.bridge.commands import ALL, Command, Kind, Result
from gateway.mapping.loader import load
from gateway.model.errors import BarrierAwaited, ConfigError
from gateway.model.unit import Unit
from gateway.services.control import new_id
from gateway.services.rule_versions import RuleVersion, read_version, version_of_folder
from gateway.services.worker import Worker
from gateway.services.worker_barriers import UNDECIDED_SECONDS, Barriers
from gateway.services.worker_partition import OwnedPartition
from gateway.telemetry.signals import BarrierGivenUp, FindingSeen, RulesChanged

from .control_world import PLACES, desk, orders, turns
from .memory_world import COMPILED, Killed
from .rollout_world import RolloutWorld, changed, full, with_another_topic
from .test_new_rules import digests
from .test_worker import turn_until_settled


def begun(world: RolloutWorld, rows: int = 300) -> Worker:
    world.source.write(rows)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    turns(world, [worker])  # the rules of the folder are stored
    return worker


def prepare(
    world: RolloutWorld, version: RuleVersion, before: RuleVersion, cut: tuple[int, int]
) -> tuple[Command, ...]:
    stored = Command(
        new_id(), Kind.RULES, "me", "why", version=version.name, digests=dict(version.digests), files=version.files
    )
    return stored, Command(
        new_id(), Kind.PREPARE, "me", "why", (ALL,), cut=cut, version=version.name, before=before.name
    )


def decide(barrier: Command, kind: Kind) -> Command:
    return Command(new_id(), kind, "me", "why", (ALL,), barrier=barrier.id)


def test_a_rollout_and_a_rollback_give_each_transaction_the_rules_of_its_place(tmp_path: Path) -> None:
    world = RolloutWorld(1, tmp_path)
    worker = begun(world)
    rollout = world.rollout([worker])
    assert rollout.standing().in_force == world.old.name
    there = rollout.start(world.new, "me", "better", 20)
    assert (there.decision, there.before, there.silent) == (Kind.COMMIT, world.old.name, ())
    world.source.write(300)
    turn_until_settled(world, worker)
    assert rollout.standing().in_force == world.new.name
    back = rollout.rollback("me", "worse", 20)
    assert (back.decision, back.version) == (Kind.COMMIT, world.old.name)
    world.source.write(300)
    turn_until_settled(world, worker)
    world.check()
    assert world.judge(world.old, (there.cut, world.new), (back.cut, world.old)) > 500
    assert rollout.standing().in_force == world.old.name
    assert there.cut < back.cut


def test_behind_the_cut_an_armed_partition_holds_and_a_cancel_lets_it_go_on_under_the_old_rules(tmp_path: Path) -> None:
    world = RolloutWorld(2, tmp_path)
    worker = begun(world)
    stored, barrier = prepare(world, world.new, world.old, (1, world.source.lsn + 400))
    counter = desk(world, [worker])
    counter.give(stored, barrier)
    assert {one.result for one in counter.answers(barrier.id, PLACES, 5).values()} == {Result.ARMED}
    world.source.write(300)
    turns(world, [worker], 200)
    assert 300 < world.settled() < world.source.rows
    assert all(states[0][1].startswith("rules/a/") for states in orders(world).values())
    counter.give(decide(barrier, Kind.CANCEL))
    turn_until_settled(world, worker)
    world.check()
    world.judge(world.old)
    assert set(map(len, orders(world).values())) == {0}


@pytest.mark.parametrize("seed", range(8))
def test_whatever_fails_at_whichever_step_no_transaction_mixes_two(seed: int, tmp_path: Path) -> None:
    """Kills, aborts and doubts while barriers are prepared, armed, committed, cancelled and passed."""
    world = RolloutWorld(seed, tmp_path, odds=0.08)
    alive = {slot: world.worker(slot) for slot in (1, 2)}
    counter = desk(world, [])
    cuts, version, other = [], world.old, world.new
    barrier: Command | None = None
    for number in range(90):
        world.source.write(world.chance.randint(1, 25), batch=world.chance.randint(1, 20))
        if number % 15 == 5:
            stored, barrier = prepare(world, other, version, (1, world.source.lsn + world.chance.randint(200, 3_000)))
            counter.give(stored, barrier)
        if number % 15 == 12 and barrier is not None:
            answers = counter.answers(barrier.id, PLACES, 0)
            armed = len(answers) == 3 and {one.result for one in answers.values()} == {Result.ARMED}
            counter.give(decide(barrier, Kind.COMMIT if armed else Kind.CANCEL))
            if armed:
                assert barrier.cut is not None
                cuts.append((barrier.cut, other))
                version, other = other, version
        for slot, (worker, member) in list(alive.items()):
            try:
                worker.turn()
                if world.chance.random() < 0.02:
                    member.expel()
            except Killed:
                world.group.leave(member)
                alive[slot] = world.worker(slot)
        world.clock.seconds += 0.05
    for sink in world.sinks:
        sink.odds = 0
    turn_until_settled(world, *(worker for worker, _ in alive.values()))
    world.check()
    world.judge(world.old, *cuts)


@pytest.mark.parametrize("planted", ["nothing is held", "the cut is passed a transaction late"])
def test_planted_bugs_are_found_by_the_judge(planted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Barriers.gate

    def broken(self: Barriers, owned: OwnedPartition, unit: Unit) -> None:
        if planted == "nothing is held":
            with suppress(BarrierAwaited):
                gate(self, owned, unit)
        else:
            hi = owned.settled_hi
            gate(self, owned, msgspec.structs.replace(unit, commit=hi.commit if hi else 0))

    world = RolloutWorld(15, tmp_path)
    worker = begun(world)
    stored, barrier = prepare(world, world.new, world.old, (1, world.source.lsn + 400))
    counter = desk(world, [worker])
    with monkeypatch.context() as bug:
        bug.setattr(Barriers, "gate", broken)
        counter.give(stored, barrier)
        counter.answers(barrier.id, PLACES, 5)
        world.source.write(300)
        turns(world, [worker], 100)
        counter.give(decide(barrier, Kind.COMMIT))
        turn_until_settled(world, worker)
    assert barrier.cut is not None
    with pytest.raises(AssertionError):
        world.judge(world.old, (barrier.cut, world.new))


def test_a_partition_that_is_past_the_cut_answers_late_and_a_later_cut_is_tried(tmp_path: Path) -> None:
    world = RolloutWorld(3, tmp_path)
    worker = begun(world)
    bursts = [300]

    def meanwhile(seconds: float) -> None:
        if seconds < 1 and bursts:  # the cut was chosen while nothing happened, and now much does
            world.source.write(bursts.pop())

    outcome = world.rollout([worker], meanwhile).start(world.new, "me", "why", 20)
    assert (outcome.decision, outcome.tries) == (Kind.COMMIT, 2)
    world.source.write(300)
    turn_until_settled(world, worker)
    world.check()
    world.judge(world.old, (outcome.cut, world.new))


def test_a_partition_that_nobody_owns_is_named_and_the_old_rules_stay(tmp_path: Path) -> None:
    world = RolloutWorld(4, tmp_path)
    worker = begun(world)
    worker.close()
    outcome = world.rollout([]).start(world.new, "me", "why", 3)
    assert (outcome.decision, outcome.silent) == (Kind.CANCEL, PLACES)
    world.source.write(200)
    again, _ = world.worker(fresh=False)
    turn_until_settled(world, again)
    world.check()
    world.judge(world.old)


def test_a_barrier_that_nobody_decides_is_cancelled_after_a_minute(tmp_path: Path) -> None:
    world = RolloutWorld(5, tmp_path)
    worker = begun(world)
    stored, barrier = prepare(world, world.new, world.old, (1, world.source.lsn + 100))
    desk(world, [worker]).give(stored, barrier)
    world.source.write(300)
    turns(world, [worker], 100)
    held = world.settled()
    assert held < world.source.rows
    world.clock.seconds += UNDECIDED_SECONDS
    turn_until_settled(world, worker)
    world.check()
    world.judge(world.old)
    assert world.history().decision(barrier.id) is Kind.CANCEL
    assert any(isinstance(one, BarrierGivenUp) for one in world.signals)
    desk(world, [worker]).give(decide(barrier, Kind.COMMIT))  # too late: the first decision holds
    world.source.write(200)
    turn_until_settled(world, worker)
    world.judge(world.old)


def test_workers_that_die_often_cancel_it_too(tmp_path: Path) -> None:
    """None of them sees the barrier for a minute: the command's date tells."""
    world = RolloutWorld(16, tmp_path)
    worker = begun(world)
    stored, barrier = prepare(world, world.new, world.old, (1, world.source.lsn + 100))
    barrier = msgspec.structs.replace(barrier, at_ms=int(world.clock.now() * 1000))
    desk(world, [worker]).give(stored, barrier)
    world.source.write(200)
    for _ in range(9):
        turns(world, [worker], 100)
        world.clock.seconds += 6
        worker.close()
        worker, _ = world.worker(fresh=False)
    assert world.history().decision(barrier.id) is Kind.CANCEL
    turn_until_settled(world, worker)
    world.check()


def test_a_version_that_does_not_load_is_refused_and_leaves_the_old_one_running(tmp_path: Path) -> None:
    world = RolloutWorld(6, tmp_path)
    worker = begun(world)
    unknown = RuleVersion("0" * 16, {PLACES[0].topic: "f" * 16}, world.new.files)
    outcome = world.rollout([worker]).start(unknown, "me", "why", 20)
    assert outcome.decision is Kind.CANCEL
    assert {one.result for one in outcome.answers.values()} == {Result.REFUSED}
    assert "other digests" in next(iter(outcome.answers.values())).told
    world.source.write(200)
    turn_until_settled(world, worker)
    world.check()
    world.judge(world.old)


def test_a_contract_that_is_not_registered_is_refused(tmp_path: Path) -> None:
    world = RolloutWorld(7, tmp_path)
    worker = begun(world)
    contract = world.other / "thing" / "events" / "ThingChanged.v1.avsc"
    contract.write_text(contract.read_text().replace("A thing was changed.", "A thing was changed a little."))
    version = version_of_folder(world.other, load(world.other), full)
    outcome = world.rollout([worker]).start(version, "me", "why", 20)
    assert {one.result for one in outcome.answers.values()} == {Result.REFUSED}
    assert "schemas push" in next(iter(outcome.answers.values())).told


def test_while_the_registry_is_away_partitions_do_not_answer_and_go_on(tmp_path: Path) -> None:
    world = RolloutWorld(8, tmp_path)
    worker = begun(world)
    world.registry.away = True
    again, _ = world.worker(2)
    worker.close()
    world.source.write(100)
    stored, barrier = prepare(world, world.new, world.old, (1, world.source.lsn + 50_000))
    counter = desk(world, [again])
    counter.give(stored, barrier)
    assert counter.answers(barrier.id, PLACES, 3) == {}
    turn_until_settled(world, again)
    world.registry.away = False
    assert len(counter.answers(barrier.id, PLACES, 5)) == 3


def test_rolled_out_rules_outlive_a_restart_whatever_the_folder_says(tmp_path: Path) -> None:
    world = RolloutWorld(9, tmp_path)
    worker = begun(world)
    cut = world.rollout([worker]).start(world.new, "me", "why", 20).cut
    world.source.write(300)
    turn_until_settled(world, worker)
    worker.close()
    world.source.write(300)
    again, _ = world.worker(fresh=False)  # its folder has the old ones
    turn_until_settled(world, again)
    world.check()
    world.judge(world.old, (cut, world.new))
    assert any("rollout start" in one.finding for one in world.signals if isinstance(one, FindingSeen))
    again.close()
    taken, _ = world.worker(fresh=False, rules="folder")
    world.source.write(100)
    turn_until_settled(world, taken)
    assert digests(world) == {one.digest for one in COMPILED}


def test_a_quiet_partition_passes_the_cut_by_evidence_and_fence(tmp_path: Path) -> None:
    """Nothing of it is behind the cut; the source went on in other partitions."""
    world = RolloutWorld(10, tmp_path)
    worker = begun(world)
    outcome = world.rollout([worker]).start(world.new, "me", "why", 20, (1, world.source.lsn + 500))
    assert outcome.decision is Kind.COMMIT
    turns(world, [worker], 100)
    assert set(map(len, orders(world).values())) == {1}
    end = {"status": "END", "id": f"99999:{outcome.cut[1]}", "ts_ms": world.source.ts_ms, "event_count": 0}
    world.source._send([(full("legacy.transaction"), b"{}", json.dumps(end).encode())])
    turns(world, [worker], 100)
    assert digests(world) == {world.new.digests[PLACES[0].topic]}
    assert set(map(len, orders(world).values())) == {0}
    assert len([one for one in world.signals if isinstance(one, RulesChanged)]) == 3


def test_a_partition_that_is_read_anew_finds_each_place_under_its_own_rules(tmp_path: Path) -> None:
    """A new partition of the group replays the log: rules of before the first cut, then those of each."""
    world = RolloutWorld(11, tmp_path)
    worker = begun(world)
    cut = world.rollout([worker]).start(world.new, "me", "why", 20).cut
    world.source.write(300)
    turn_until_settled(world, worker)
    worker.close()
    before = sorted(map(str, world.lineages()))
    world.broker.committed.clear()
    for place, log in world.broker.logs.items():
        if place.topic.endswith(("gateway.state", "thing.events")):
            log.clear()
    again, _ = world.worker()
    turn_until_settled(world, again)
    world.judge(world.old, (cut, world.new))
    assert sorted(map(str, world.lineages())) == before


def test_a_raw_topic_that_is_new_gets_its_rules_from_the_folder_and_the_others_keep_theirs(tmp_path: Path) -> None:
    world = RolloutWorld(14, tmp_path)
    worker = begun(world)
    cut = world.rollout([worker]).start(world.new, "me", "why", 20).cut
    world.source.write(100)
    turn_until_settled(world, worker)
    worker.close()
    both = load(with_another_topic(tmp_path / "both"))
    for topic in ("gadget.raw", "gadget.raw.dlq"):
        world.broker.create(full(topic), 1)
    again, _ = world.worker(mappings=both)
    world.source.write(200)
    turn_until_settled(world, again)
    turns(world, [again])
    assert world.signals.stopped() == []
    world.judge(world.old, (cut, world.new))
    gadget = next(one.digest for one in both if one.name == "gadget")
    assert digests(world) == {gadget, world.new.digests[PLACES[0].topic]}


def test_a_second_rollout_waits_for_the_first_and_the_same_rules_are_no_rollout(tmp_path: Path) -> None:
    world = RolloutWorld(12, tmp_path)
    worker = begun(world)
    rollout = world.rollout([worker])
    with pytest.raises(ConfigError, match="in force already"):
        rollout.start(world.old, "me", "why", 5)
    with pytest.raises(ConfigError, match="nothing was rolled out"):
        rollout.rollback("me", "why", 5)
    stored, barrier = prepare(world, world.new, world.old, (1, world.source.lsn + 50_000))
    desk(world, [worker]).give(stored, barrier)
    with pytest.raises(ConfigError, match="is undecided"):
        rollout.start(world.new, "me", "why", 5)


def test_a_stored_version_is_read_as_it_was_and_tells_where_it_is_not(tmp_path: Path) -> None:
    world = RolloutWorld(13, tmp_path)
    assert [one.digest for one in read_version(world.old, full)] == [one.digest for one in COMPILED]
    other = changed(tmp_path / "third", 3)
    assert (other / "thing" / "thing.yaml").exists()
    with pytest.raises(ConfigError, match="damaged"):
        read_version(RuleVersion("x", {}, b"no zlib"), full)
