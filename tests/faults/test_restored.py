"""A database restored from a backup under running workers: its positions begin lower."""

from __future__ import annotations

import json

import pytest

from .installation import PARTITIONS, Installation

pytestmark = pytest.mark.stack


def test_a_restored_database_stops_the_partitions_until_it_is_declared(installation: Installation, seed: int) -> None:
    source = installation.source(seed)
    gateway = installation.run()
    source.write(1_500)
    installation.wait_until_settled(source)
    before, ignored = installation.published(), sum(counts[2] for counts in installation.counts())
    amid = source.restore()
    source.reconnect()
    source.write(1_500)
    installation.wait(lambda: len(gateway.said("partition stopped")) == PARTITIONS, 60)
    assert all("the source went back" in line["error"] for line in gateway.said("partition stopped"))
    assert installation.published() == before
    assert sum(counts[2] for counts in installation.counts()) == ignored  # no row passed for a duplicate
    assert gateway.stop() == 0
    installation.run(GATEWAY_INCARNATIONS=json.dumps([{"name": 2, "from": amid}]))
    installation.wait_until_settled(source)
    installation.check(source)
