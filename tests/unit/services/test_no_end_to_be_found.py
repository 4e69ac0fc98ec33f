"""The first transaction of a connector has no `c`; where its END is gone, the row after it tells (protocol.md 3.3)."""

from __future__ import annotations

import json

import pytest

from gateway.ports import Partition

from .memory_world import PREFIX, MemoryInstallation


def without_predecessor(world: MemoryInstallation) -> None:
    """The source's first transaction as a new connector sends it."""
    *rows, end = world.source.transaction()
    found = []
    for topic, key, value in rows:
        row = json.loads(value or b"{}")
        row["source"]["sequence"] = json.dumps([None, json.loads(row["source"]["sequence"])[1]])
        found.append((topic, key, json.dumps(row).encode()))
    world.source._send([*found, end])


@pytest.mark.parametrize("gone", ["retention", "no topic"])
def test_a_first_transaction_whose_end_is_gone_is_settled_by_the_row_after_it(
    gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.adapters.log_readers._LOOK_AGAIN", 0.0)
    world = MemoryInstallation(41, things=4)
    without_predecessor(world)
    markers = Partition(f"{PREFIX}legacy.transaction", 0)
    world.source.write(200)
    if gone == "retention":
        world.broker.low[markers] = len(world.broker.logs[markers]) - 30
    else:
        del world.broker.logs[markers]
        del world.broker._topic_ids[markers.topic]
    worker, _ = world.worker()
    for _ in range(400):
        worker.turn()
        world.clock.seconds += 0.05
    last = world.source.rows - world.settled()
    assert last == 0 if gone == "retention" else last < 12  # without ENDs the tails of quiet partitions stay held
