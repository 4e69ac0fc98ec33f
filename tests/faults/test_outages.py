"""Registry and broker away, and a source that is silent: workers wait, say so, and go on by themselves."""

from __future__ import annotations

import os
import random
import time
from urllib.parse import urlsplit

import pytest

from gateway.stack import Stack

from .installation import Installation
from .proxy import Proxy
from .test_kills import Load

pytestmark = pytest.mark.stack
OUTLIVES = "GATEWAY_TEST_STACK" in os.environ
"""A lent stack outlives this run; our own one ends with it."""


def test_a_running_worker_needs_no_registry_and_a_starting_one_waits_for_it(
    installation: Installation, seed: int
) -> None:
    """Down ten times for three seconds: one worker runs through, another starts during the outages."""
    chance = random.Random(seed)
    address = urlsplit(installation.registry_url)
    proxy = Proxy((address.hostname or "", address.port or 0))
    through = installation.registry_url.replace(f":{address.port}", f":{proxy.port}")
    source = installation.source(seed)
    running = installation.run(GATEWAY_REGISTRY_URL=through)
    installation.wait(lambda: bool(running.said("partition running")), 60)
    served = proxy.served
    assert served > 0
    with Load(source, 20_000, pause=0.3) as load:
        starting = None
        for _ in range(10):
            proxy.down()
            if starting is None:
                starting = installation.run(GATEWAY_REGISTRY_URL=through, GATEWAY_INSTANCE="2")
            before = installation.settled()
            time.sleep(3)
            installation.wait(lambda before=before: installation.settled() > before, 30)  # type: ignore[misc]
            if not starting.said("worker started") and starting.said("dependency away"):
                time.sleep(0.5)
            proxy.up()
            time.sleep(chance.uniform(0.1, 0.6))
        installation.wait(lambda: bool(starting.said("worker started")), 60)
        away = [line for line in starting.said("dependency away") if line["dependency"] == "registry"]
        back = [line for line in starting.said("dependency back") if line["dependency"] == "registry"]
        print(f"the starting worker waited {sum(line['seconds'] for line in back):.1f} s for the registry")
        assert away
        assert back
        load.end()
    installation.wait_until_settled(source)
    installation.check(source)
    assert not running.said("dependency away")


def test_a_restarted_broker_costs_nothing_but_time(installation: Installation, stack: Stack, seed: int) -> None:
    chance = random.Random(seed)
    source = installation.source(seed)
    source.write(15_000)
    gateway = installation.run(workers=2, GATEWAY_TRANSACTION_MAX_RECORDS="300")
    installation.wait(lambda: installation.settled() > chance.uniform(0, 3_000), 60)
    settled = installation.settled()
    assert 0 < settled < source.rows
    stack.restart("kafka", detached=OUTLIVES)
    print(f"restarted with {settled} of {source.rows} rows settled")
    source.reconnect()
    source.write(5_000)
    installation.wait_until_settled(source, 120)
    assert gateway.process.poll() is None
    assert gateway.said("dependency away")
    assert gateway.said("dependency back")
    assert not gateway.said("worker ended")
    installation.check(source)


def test_a_quiet_tail_is_published_and_what_follows_the_silence_too(installation: Installation, seed: int) -> None:
    source = installation.source(seed)
    gateway = installation.run(workers=2)
    source.write(20_000)
    installation.wait_until_settled(source)
    for _ in range(2):
        time.sleep(11)
        source.write(1)
        begun = time.monotonic()
        installation.wait_until_settled(source, 20)
        print(f"settled {time.monotonic() - begun:.2f} s after it was visible")
    assert not gateway.said("worker ended")
    installation.check(source)
