"""One database transaction of 50,000 rows over 10,000 aggregates on the real broker, its worker killed amid it."""

from __future__ import annotations

import json
import os
import random
import re
import signal
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions

from tests.faults.conftest import installation, seed  # noqa: F401 - fixtures
from tests.faults.installation import Gateway, Installation
from tests.faults.large import LargeTransactions

pytestmark = pytest.mark.stack

THINGS, KILLS = 10_000, 3


def done(installation: Installation) -> dict[int, int]:  # noqa: F811
    """Steps that are committed, by partition amid the large transaction."""
    group = f"{installation.prefix}gateway"
    answer = installation.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(5)
    found = {one.partition: json.loads(one.metadata[1:])["u"] for one in answer.topic_partitions if one.metadata}
    return {partition: cursor[2] for partition, cursor in found.items() if cursor}


def peak_of(pid: int) -> int:
    """The most memory that a process ever had, in MB."""
    told = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", told)[0]) // 1024


def kill(installation: Installation, gateway: Gateway) -> None:  # noqa: F811
    """Kill the worker and wait for its successor."""
    slot, pid = next(iter(gateway.pids().items()))
    os.kill(pid, signal.SIGKILL)
    installation.wait(lambda: gateway.pids().get(slot) not in (None, pid), 60)


def test_killed_amid_it_each_event_is_there_once_and_the_successor_goes_on(
    installation: Installation,  # noqa: F811
    seed: int,  # noqa: F811
) -> None:
    """Counts of settled rows move with the steps: each strike falls when clearly more are settled than at the last."""
    print(f"seed {seed}")
    installation.kafka["group.instance.id"] = "the-only-one"
    source = LargeTransactions(installation.bootstrap, installation.prefix, seed, things=THINGS)
    source.write(500)
    chosen = [thing for thing in range(1, THINGS + 1) for _ in range(4)]
    random.Random(seed).shuffle(chosen)
    source.write_large(chosen, batch=5_000)
    source.write(500)
    assert source.rows > 50_000
    gateway = installation.run(GATEWAY_TRANSACTION_MAX_RECORDS="2000", GATEWAY_WORKER_CRASHES="1000")
    struck: list[int] = []
    for number in range(1, KILLS + 1):
        rows = number * source.rows // (KILLS + 2)
        installation.wait(lambda rows=rows: installation.settled() > rows, 120, look_every=0.02)  # type: ignore[misc]
        struck.append(sum(done(installation).values()))
        kill(installation, gateway)
    installation.wait_until_settled(source, 180)
    peak = peak_of(next(iter(gateway.pids().values())))
    print(f"killed with {struck} of {THINGS} aggregates published in part; at most {peak} MB of memory")
    installation.check(source)
    assert sum(map(bool, struck)) > 1, "the strikes did not fall amid the large transaction"
    assert not done(installation)
    assert not gateway.said("partition stopped"), gateway.told()
    assert peak < 300
