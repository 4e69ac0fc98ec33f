"""Reference data in the worker's loop: loaded first, kept up to date, waited for, or a dead letter (language.md 5)."""

from __future__ import annotations

import pytest

from gateway.model.errors import ConfigError
from gateway.ports import MustAbort, Partition
from gateway.telemetry.signals import DependencyAway, DependencyBack, FindingSeen, PartitionLag

from .lookup_world import LookupWorld


@pytest.fixture
def world() -> LookupWorld:
    return LookupWorld()


def away(world: LookupWorld) -> list[str]:
    return [one.dependency for one in world.signals if isinstance(one, DependencyAway)]


def back(world: LookupWorld) -> list[str]:
    return [one.dependency for one in world.signals if isinstance(one, DependencyBack)]


def test_all_of_it_is_read_before_the_first_record_is_handled(world: LookupWorld) -> None:
    for number in range(4_500):
        world.say("ref.branch", f"B{number}", {"name": f"Branch {number}"}, number % 2)
    world.open(0, 1, "B4499")
    worker, _ = world.worker()
    for _ in range(2):
        worker.turn()
    assert world.broker.committed == {}
    world.turns(worker)
    assert world.events()[1]["branch"] == "Branch 4499"
    assert away(world) == []


def test_value_and_position_stand_in_the_lineage_of_both_versions(world: LookupWorld) -> None:
    world.say("ref.branch", "B0", {"name": "x"})
    world.say("ref.branch", "B/1", {"name": "Bern, Mitte"})
    world.say("ref.currency", "CHF", "Swiss franc")
    world.open(0, 1, "B/1", "CHF")
    world.turns(world.worker()[0])
    parts = [lineage.rpartition(",lookup=")[2] for lineage in world.lineages()]
    branch, currency = parts[0].split(";")
    assert branch == "branch/B%2F1/name:Bern%2C%20Mitte@m.ref.branch/0/1"
    assert currency == "currency/CHF/value:Swiss%20franc@m.ref.currency/0/0"
    assert parts[0] == parts[1]
    assert (world.events(2)[1]["branch"], world.events(1)[1]["office"]) == ("Bern, Mitte", "Bern, Mitte")


def test_what_changes_later_is_seen_later_and_what_is_deleted_is_missing(world: LookupWorld) -> None:
    world.say("ref.currency", "CHF", "franc")
    world.open(0, 1, None, "CHF")
    worker, _ = world.worker()
    world.turns(worker)
    world.say("ref.currency", "CHF", "Swiss franc")
    world.turns(worker)
    world.open(0, 2, None, "CHF")
    world.turns(worker)
    world.say("ref.currency", "CHF", None)
    world.turns(worker)
    world.open(0, 3, None, "CHF")
    world.turns(worker)
    assert {account: event["currency"] for account, event in world.events().items()} == {1: "franc", 2: "Swiss franc"}
    assert world.letters() == [("lookup", 3)]


def test_a_missing_key_holds_its_partition_and_no_other_until_it_is_there(world: LookupWorld) -> None:
    world.open(0, 1, "B1")
    world.open(0, 2, None)
    world.open(1, 3, None)
    worker, _ = world.worker()
    world.turns(worker)
    assert set(world.events()) == {3}
    assert world.letters() == []
    assert away(world) == ["lookup branch for m.account.raw[0]"]
    lag = [one for one in world.signals if isinstance(one, PartitionLag) and one.partition == 0][-1]
    assert (lag.records, lag.held) == (2, 2)
    assert lag.held_seconds > 0
    world.open(1, 4, None)
    world.say("ref.branch", "B1", {"name": "Bern"})
    world.open(0, 5, "B1")
    world.turns(worker)
    assert {account: event["branch"] for account, event in world.events().items()} == {
        1: "Bern", 2: None, 3: None, 4: None, 5: "Bern",
    }  # fmt: skip
    assert back(world) == away(world)
    assert world.counts()[:5] == [5, 5, 0, 0, 0]


def test_records_behind_a_held_one_are_taken_in_order_and_none_is_passed_over(world: LookupWorld) -> None:
    for account in range(1, 40):
        world.open(0, account, "B1" if account == 7 else "B0")
    world.say("ref.branch", "B0", {"name": "Basel"})
    worker, _ = world.worker()
    world.turns(worker)
    assert set(world.events()) == set(range(1, 7))
    world.say("ref.branch", "B1", {"name": "Bern"})
    world.turns(worker)
    assert set(world.events()) == set(range(1, 40))
    assert world.counts()[:2] == [39, 39]


def test_when_the_time_is_over_it_is_a_dead_letter_and_the_partition_goes_on(world: LookupWorld) -> None:
    world.open(0, 1, "B1")
    world.open(0, 2, None)
    worker, _ = world.worker()
    world.turns(worker, seconds=0.3)
    assert world.letters() == []
    world.turns(worker, seconds=0.5)
    assert world.letters() == [("lookup", 1)]
    assert set(world.events()) == {2}
    assert back(world) == away(world)
    world.say("ref.branch", "B1", {"name": "Bern"})
    world.turns(worker)
    assert set(world.events()) == {2}
    assert world.counts()[:5] == [2, 1, 0, 1, 0]


def test_under_deadletter_nothing_is_waited_for(world: LookupWorld) -> None:
    world.open(0, 1, None, "XXX")
    world.open(0, 2, None)
    world.turns(world.worker()[0], most=10)
    assert (world.letters(), set(world.events())) == ([("lookup", 1)], {2})


@pytest.mark.parametrize("how", ["restart", "abort", "revoked"])
def test_whatever_happens_while_it_is_held_nothing_is_lost_or_doubled(world: LookupWorld, how: str) -> None:
    world.open(0, 1, None)
    world.open(0, 2, "B1")
    world.open(1, 3, None)
    worker, member = world.worker()
    world.turns(worker)
    assert set(world.events()) == {1, 3}
    if how == "restart":
        world.group.leave(member)
        worker, _ = world.worker()
    elif how == "abort":
        world.open(1, 4, None)
        worker._abort("planted", tuple(worker._owned.values()))
    else:
        worker.revoked([Partition("m.account.raw", 0)])
        worker.assigned([Partition("m.account.raw", 0)])
    world.turns(worker)
    assert 2 not in world.events()
    world.say("ref.branch", "B1", {"name": "Bern"})
    world.turns(worker)
    assert set(world.events()) >= {1, 2, 3}
    assert world.counts()[3:5] == [0, 0]
    assert set(back(world)) == set(away(world))


def test_the_time_a_key_was_missed_outlives_an_abort(world: LookupWorld) -> None:
    world.open(0, 1, "B1")
    worker, _ = world.worker()
    world.turns(worker, most=50, seconds=0.4)
    worker._abort(str(MustAbort("planted")), tuple(worker._owned.values()))
    world.turns(worker, most=50, seconds=0.4)
    assert world.letters() == [("lookup", 1)]


def test_an_entry_without_the_column_or_that_is_unreadable_is_a_dead_letter_at_once(world: LookupWorld) -> None:
    world.say("ref.branch", "B1", {"label": "Bern"})
    world.broker.append(Partition("m.ref.branch", 0), b"B2", b"\xff")
    world.open(0, 1, "B1")
    world.open(0, 2, "B2")
    world.turns(world.worker()[0], most=10)
    assert world.letters() == [("lookup", 1), ("lookup", 2)]


def test_a_key_that_cannot_be_read_is_a_finding(world: LookupWorld) -> None:
    world.broker.append(Partition("m.ref.branch", 0), b"\xff", b"x")
    world.turns(world.worker()[0], most=5)
    assert [one.finding for one in world.signals if isinstance(one, FindingSeen)] == [
        "reference record with an unreadable key"
    ]


def test_more_than_may_be_held_in_memory_ends_the_worker_with_a_remedy(world: LookupWorld) -> None:
    for number in range(3_000):
        world.say("ref.branch", f"B{number}", {"name": "x"})
    worker, _ = world.worker(lookup_max_bytes=1_000_000)
    with pytest.raises(ConfigError, match="GATEWAY_LOOKUP_MAX_BYTES"):
        world.turns(worker)


def test_only_columns_that_rules_ask_for_are_held(world: LookupWorld) -> None:
    for number in range(1_000):
        world.say("ref.branch", f"B{number}", {"name": "x", "history": "y" * 10_000})
    world.open(0, 1, "B999")
    world.turns(world.worker(lookup_max_bytes=1_000_000)[0])
    assert set(world.events()) == {1}


def test_a_topic_created_anew_ends_the_worker(world: LookupWorld) -> None:
    worker, _ = world.worker()
    world.turns(worker, most=5)
    world.broker.create("m.ref.branch", 2)
    world.clock.seconds += 61
    with pytest.raises(ConfigError, match="created anew"):
        world.turns(worker, most=5)


def test_a_partition_that_is_added_is_read_too(world: LookupWorld) -> None:
    worker, _ = world.worker()
    world.turns(worker, most=5)
    added = Partition("m.ref.currency", 1)
    world.broker.logs[added], world.broker.low[added] = [], 0
    world.say("ref.currency", "CHF", "franc", 1)
    world.clock.seconds += 61
    world.turns(worker, most=5)
    world.open(0, 1, None, "CHF")
    world.turns(worker)
    assert world.events()[1]["currency"] == "franc"
