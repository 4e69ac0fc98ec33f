"""Workers killed with SIGKILL, or stopped and woken as zombies, while they translate."""

from __future__ import annotations

import os
import random
import signal
import threading
import time

import pytest
from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, _listoffsets

from .installation import PARTITIONS, Gateway, Installation, read_all
from .source import RawSource

pytestmark = pytest.mark.stack


class Load:
    """Writes rows on a thread, some hundreds at a time, until told to end and at least ``rows`` are written.

    As a context it never outlives its test: a test that fails on the way ends it at once.
    """

    def __init__(self, source: RawSource, rows: int, pause: float, chunk: int = 300) -> None:
        self._source, self._rows, self._pause, self._chunk = source, rows, pause, chunk
        self._enough, self._at_once = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._at_once.is_set() and (self._source.rows < self._rows or not self._enough.is_set()):
            self._source.write(self._chunk)
            time.sleep(self._pause)

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self._at_once.set()
        self._thread.join(40)

    def end(self) -> None:
        self._enough.set()
        self._thread.join(120)
        assert not self._thread.is_alive(), "the source does not get its rows written"
        assert self._source.rows >= self._rows, "the source failed: see its thread's exception"


def open_transaction(installation: Installation) -> bool:
    """Whether records of an undecided transaction stand in the public topic."""
    places = [TopicPartition(installation.prefix + installation.public, number) for number in range(PARTITIONS)]
    latest = _listoffsets.OffsetSpec.latest()
    admin: AdminClient = installation.admin

    def offsets(level: IsolationLevel) -> dict[int, int]:
        answers = admin.list_offsets(dict.fromkeys(places, latest), isolation_level=level)
        return {place.partition: answer.result(10).offset for place, answer in answers.items()}

    stable = offsets(IsolationLevel.READ_COMMITTED)
    return any(stable[number] < end for number, end in offsets(IsolationLevel.READ_UNCOMMITTED).items())


def stop_inside_a_transaction(installation: Installation, pid: int) -> None:
    """SIGSTOP; where it fell between two transactions, woken and stopped again."""
    for _ in range(50):
        installation.wait(lambda: open_transaction(installation), 60)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.2)  # what was on its way has arrived
        if open_transaction(installation):
            return
        os.kill(pid, signal.SIGCONT)
    pytest.fail("fifty strikes, and none inside a transaction")


def kill_one(gateway: Gateway, chance: random.Random) -> None:
    until = time.monotonic() + 30
    while not gateway.pids():  # the one that was struck last may be the only one that runs by now
        assert time.monotonic() < until, gateway.told()
        time.sleep(0.05)
    slot, pid = chance.choice(sorted(gateway.pids().items()))
    os.kill(pid, signal.SIGKILL)
    while gateway.pids().get(slot) in (None, pid):
        assert time.monotonic() < until, gateway.told()
        time.sleep(0.05)


def deaths(gateway: Gateway) -> int:
    return sum(1 for line in gateway.said("worker ended") if line["status"] == -signal.SIGKILL)


def test_workers_killed_under_load_lose_and_double_nothing(installation: Installation, seed: int) -> None:
    chance = random.Random(seed)
    source = installation.source(seed, poison=frozenset({5, 50}))
    gateway = installation.run(workers=2)
    installation.wait(lambda: len(gateway.pids()) == 2, 60)
    with Load(source, 20_000, pause=0.15) as load:
        strikes = 0
        while strikes < 6:
            time.sleep(chance.uniform(0.5, 3.0))
            if installation.settled() < source.rows:
                kill_one(gateway, chance)
                strikes += 1
        load.end()
    installation.wait_until_settled(source)
    assert deaths(gateway) == strikes == 6
    installation.check(source)


def test_a_worker_killed_inside_its_transaction_leaves_nothing_of_it(installation: Installation, seed: int) -> None:
    """Five strikes, each proved to fall into an open transaction, whose records no read_committed reader ever sees.

    The worker is a static member of its group, so that its successor need not wait for the session timeout each time.
    """
    chance = random.Random(seed)
    source = installation.source(seed)
    installation.kafka["group.instance.id"] = "the-only-one"
    slow = {"GATEWAY_COMMIT_INTERVAL_MS": "1500", "GATEWAY_TRANSACTION_MAX_RECORDS": "100000"}
    gateway = installation.run(**slow, GATEWAY_WORKER_CRASHES="1000")
    with Load(source, 10_000, pause=0.02, chunk=20) as load:  # without a lull that would end a transaction early
        struck = 0
        while struck < 5:
            installation.wait(lambda: open_transaction(installation), 60)
            time.sleep(chance.uniform(0.0, 1.0))
            installation.wait(lambda: bool(gateway.pids()), 30)
            slot, pid = next(iter(gateway.pids().items()))
            os.kill(pid, signal.SIGKILL)
            struck += open_transaction(installation)
            installation.wait(lambda slot=slot, pid=pid: gateway.pids().get(slot) not in (None, pid), 30)  # type: ignore[misc]
            # the successor ended it, not the timeout
            installation.wait(lambda: not open_transaction(installation), 20)
        load.end()
    installation.wait_until_settled(source)
    installation.check(source)
    everything = read_all(installation.bootstrap, installation.prefix + installation.public, "read_uncommitted")
    committed = read_all(installation.bootstrap, installation.prefix + installation.public)
    print(f"{struck} strikes, {len(everything) - len(committed)} aborted events were never read")
    assert len(everything) > len(committed)
    assert deaths(gateway) >= 5


def test_a_worker_killed_during_the_snapshot_states_everything_once(installation: Installation, seed: int) -> None:
    chance = random.Random(seed)
    source = installation.source(seed, things=25_000)
    source.snapshot()
    gateway = installation.run(workers=2, GATEWAY_TRANSACTION_MAX_RECORDS="500")
    strikes = 0
    while strikes < 3:
        installation.wait(lambda strikes=strikes: installation.settled() > strikes * 4_000, 90)  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.2))
        assert installation.settled() < source.rows, "the snapshot was over before the strike"
        kill_one(gateway, chance)
        strikes += 1
    source.write(500)
    installation.wait_until_settled(source)
    assert deaths(gateway) == 3
    installation.check(source)


def test_a_zombie_with_the_same_transactional_id_is_fenced_and_says_so(installation: Installation, seed: int) -> None:
    """Stopped inside its transaction, replaced, then woken: it writes nothing and ends."""
    source = installation.source(seed)
    source.write(2_000)
    settings = {"GATEWAY_COMMIT_INTERVAL_MS": "1500", "GATEWAY_TRANSACTION_MAX_RECORDS": "100000"}
    zombie = installation.run(**settings)
    with Load(source, 20_000, pause=0.02, chunk=20) as load:
        installation.wait(lambda: installation.settled() > 0, 60)
        pid = zombie.pids()[1]
        stop_inside_a_transaction(installation, pid)
        heir = installation.run(**settings)
        installation.wait(lambda: bool(heir.said("partition running")), 60)
        settled = installation.settled()
        installation.wait(lambda: installation.settled() > settled, 60)
        os.kill(pid, signal.SIGCONT)
        installation.wait(lambda: zombie.process.poll() is not None, 60)
        load.end()
    installation.wait_until_settled(source)
    assert zombie.process.returncode == 2
    assert "transactional id" in zombie.told()
    installation.check(source)
