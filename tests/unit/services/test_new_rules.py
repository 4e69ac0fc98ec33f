"""Rules that changed while the worker was down are simply taken; the digest of those in force moves with the offset."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.unit.services.memory_world import COMPILED, MemoryInstallation
from tests.unit.services.test_worker import turn_until_settled


def digests(world: MemoryInstallation) -> set[str]:
    return {json.loads(at.metadata[1:])["d"] for at in world.broker.committed.values()}


def test_a_changed_digest_at_restart_is_taken_and_work_goes_on_where_it_was() -> None:
    world = MemoryInstallation(21)
    world.source.write(200)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    worker.close()
    assert digests(world) == {one.digest for one in COMPILED}
    world.source.write(200)
    again, _ = world.worker(fresh=False, mappings=[replace(one, digest="another") for one in COMPILED])
    turn_until_settled(world, again)
    world.check()
    assert digests(world) == {"another"}
    assert world.signals.stopped() == []
