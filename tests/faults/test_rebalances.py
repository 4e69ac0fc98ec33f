"""Workers that come and go in peace while everything is under load, under both of Kafka's group protocols."""

from __future__ import annotations

import random
import time

import pytest

from .installation import Installation
from .test_kills import Load

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_workers_that_come_and_go_lose_and_double_nothing(installation: Installation, protocol: str, seed: int) -> None:
    chance = random.Random(seed)
    if protocol == "consumer":
        installation.kafka.clear()  # session and heartbeat are the broker's there
    source = installation.source(seed, poison=frozenset({8}))
    started = [installation.run(GATEWAY_INSTANCE="1", GATEWAY_GROUP_PROTOCOL=protocol)]
    with Load(source, 20_000, pause=0.25) as load:
        installation.wait(lambda: bool(started[0].said("partition running")), 60)
        for number in (2, 3):
            time.sleep(chance.uniform(0.3, 1.5))
            started.append(installation.run(GATEWAY_INSTANCE=str(number), GATEWAY_GROUP_PROTOCOL=protocol))
            installation.wait(lambda: bool(started[-1].said("partition running")), 60)
            time.sleep(chance.uniform(0.3, 1.5))
            assert started[-2].stop() == 0
        load.end()
    installation.wait_until_settled(source)
    moved = sum(len(gateway.said("partition given up")) for gateway in started)
    print(f"{moved} partitions changed hands")
    assert moved >= 4
    installation.check(source)
