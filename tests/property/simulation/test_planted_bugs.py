"""Tests of the test: bugs are planted into the gateway, and the oracle that is named finds each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.adapters.memory import MemoryCluster
from gateway.pipeline import assemble
from gateway.pipeline.admit import Standing
from gateway.pipeline.encode import EventEncoder
from gateway.ports import InDoubt, Partition
from gateway.services.worker_assignment import Assignment
from gateway.services.worker_partition import OwnedPartition
from gateway.services.worker_transaction import OpenTransaction

from .machine import run
from .oracle import Found

Plant = Callable[[pytest.MonkeyPatch], None]


def last_stable_offset_in_the_fence(patch: pytest.MonkeyPatch) -> None:
    """Asked after an END was read, it may still lie before a row whose marker is under way."""

    def ask(cluster: MemoryCluster, partitions: Sequence[Partition]) -> None:
        cluster._answers = {one: cluster._broker.stable(one) for one in partitions}

    patch.setattr(MemoryCluster, "ask", ask)


def fresh_group_metadata_at_commit(patch: pytest.MonkeyPatch) -> None:
    """Who slept through its session commits as a member of the present generation, which it is again by then."""
    finish = OpenTransaction.finish

    def fresh(transaction: Any, *arguments: Any) -> None:
        source = transaction._outside.source
        now = source.membership() or next((one.membership() for one in source._group.members), None)
        sink = transaction._outside.sink
        patch.setattr(sink, "stage", lambda offsets, _begun: type(sink).stage(sink, offsets, now))
        finish(transaction, *arguments)

    patch.setattr(OpenTransaction, "finish", fresh)


def duplicates_taken(patch: pytest.MonkeyPatch) -> None:
    """Every row counts as new."""
    patch.setattr(assemble, "judge", lambda *_: Standing.ABOVE)


def raw_offset_in_the_id(patch: pytest.MonkeyPatch) -> None:
    """The id depends on where the record stands."""
    headers = EventEncoder._headers

    def placed(encoder: Any, event: Any, change_set: Any, change: Any, *rest: Any) -> Any:
        row = replace(event.row, lsn=change.record.offset)
        return headers(encoder, replace(event, row=row), change_set, change, *rest)

    patch.setattr(EventEncoder, "_headers", placed)


def assumed_aborted_after_a_lost_answer(patch: pytest.MonkeyPatch) -> None:
    """After a doubt it goes on from the offset it began with, instead of asking what became of the commit."""
    ask, reset = Assignment._ask, OwnedPartition.reset

    def keep(owned: OwnedPartition, ask_at: float) -> None:
        before = owned.committed
        reset(owned, ask_at)
        owned.committed = before

    patch.setattr(OwnedPartition, "reset", keep)
    patch.setattr(Assignment, "_ask", lambda one, owned: owned.committed is not None or ask(one, owned))


def assumed_committed_after_a_lost_answer(patch: pytest.MonkeyPatch) -> None:
    """A commit without an answer counts as one that happened."""
    finish = OpenTransaction.finish

    def trusting(transaction: Any, partitions: Iterable[OwnedPartition], *rest: Any) -> None:
        moved = [owned for owned in partitions if owned.moved]
        try:
            finish(transaction, moved, *rest)
        except InDoubt as error:
            if error.fenced:
                raise
            transaction._outside.sink.reopen()
            transaction._committed(moved)

    patch.setattr(OpenTransaction, "finish", trusting)


PLANTED: list[tuple[Plant, str]] = [
    (last_stable_offset_in_the_fence, "torn"),
    (fresh_group_metadata_at_commit, "extra"),
    (duplicates_taken, "extra"),
    (raw_offset_in_the_id, "identity"),
    (assumed_aborted_after_a_lost_answer, "extra"),
    (assumed_committed_after_a_lost_answer, "missing"),
]


@pytest.mark.parametrize(("plant", "oracle"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_bug_is_found_by_the_oracle_that_is_named(
    plant: Plant, oracle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    others = []
    for seed in range(1, 9):
        try:
            run(seed, 300, shrink=False)
        except Found as found:
            if found.oracle == oracle:
                return
            others.append(found)
    raise AssertionError(f"{oracle} has found nothing, others: {others}")


def test_a_counter_example_is_printed_with_its_seed_and_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    raw_offset_in_the_id(monkeypatch)
    with pytest.raises(Found) as found:
        run(5, 40)
    told = "\n".join(found.value.__notes__)
    assert "seed 5, 40 schedules" in told
    assert "found by the oracle `identity`" in told
    assert 1 <= told.count("state.step(") <= 3
