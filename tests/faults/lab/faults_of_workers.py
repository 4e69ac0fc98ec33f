"""Faults of workers: killed or stopped at each step of a transaction, answers lost, members that come and go."""

from __future__ import annotations

import os
import signal
import time

from ..installation import Gateway
from .bench import Bench
from .registry import fault


def _killed(bench: Bench, strikes: int, point: str) -> None:
    gateway = bench.gateway()
    bench.serving(gateway)
    with bench.load():
        for _ in range(strikes):
            bench.hit(point, "kill", bench.chance.randint(1, 40) if point == "produce" else 0)
    bench.notes.append(f"{_deaths(gateway)} deaths")


def _deaths(gateway: Gateway) -> int:
    return sum(1 for line in gateway.said("worker ended") if line["status"] == -signal.SIGKILL)


@fault("F1", "SIGKILL after consume, before begin", chaos=8, full=50)
def killed_before_begin(bench: Bench, strikes: int) -> None:
    _killed(bench, strikes, "begin")


@fault("F2 A1", "SIGKILL amid produce", chaos=8, full=50, few=2)
def killed_amid_produce(bench: Bench, strikes: int) -> None:
    _killed(bench, strikes, "produce")


@fault("F2 A1", "SIGKILL after flush", chaos=8, full=50)
def killed_after_flush(bench: Bench, strikes: int) -> None:
    _killed(bench, strikes, "flush")


@fault("F2 A1", "SIGKILL after send_offsets", chaos=8, full=50)
def killed_after_offsets(bench: Bench, strikes: int) -> None:
    _killed(bench, strikes, "offsets")


@fault("F3 A1", "SIGKILL after commit, before its bookkeeping", chaos=8, full=50)
def killed_after_commit(bench: Bench, strikes: int) -> None:
    _killed(bench, strikes, "committed")


@fault("F4", "commit done, its answer lost", chaos=10, full=100)
def answer_lost_after_commit(bench: Bench, strikes: int) -> None:
    bench.serving(bench.gateway())
    with bench.load():
        for _ in range(strikes):
            bench.hit("commit", "lost-after")


@fault("F4", "commit never arrived, nor its answer", chaos=10, full=100)
def answer_lost_before_commit(bench: Bench, strikes: int) -> None:
    bench.serving(bench.gateway())
    with bench.load():
        for _ in range(strikes):
            bench.hit("commit", "lost-before")


STEPS = ("begin", "produce", "flush", "offsets", "commit", "committed")


@fault("F5 A2", "zombie with the same transactional id: stopped at each step, replaced, woken", chaos=6, full=48)
def zombie_same_id(bench: Bench, strikes: int) -> None:
    zombie = bench.gateway()
    bench.serving(zombie)
    with bench.load():
        for number in range(strikes):
            point = STEPS[number % len(STEPS)]
            pid = bench.struck(bench.arm(point, "stop", 5 if point == "produce" else 0))["pid"]
            heir = bench.gateway()
            bench.serving(heir)
            bench.recover()
            os.kill(pid, signal.SIGCONT)
            bench.installation.wait(lambda zombie=zombie: zombie.process.poll() is not None, 60)  # type: ignore[misc]
            assert zombie.process.returncode == 2, zombie.told()
            zombie = heir


@fault("F5 A2", "zombie with another transactional id: stopped past the session timeout, woken", chaos=6, full=42)
def zombie_other_id(bench: Bench, strikes: int) -> None:
    bench.anybody()
    workers = [bench.gateway(GATEWAY_INSTANCE=name) for name in ("a", "b")]
    bench.serving(*workers)
    with bench.load():
        for number in range(strikes):
            point = STEPS[number % len(STEPS)]
            action = "stop-and-doze" if point == "flush" else "stop"
            pid = bench.struck(bench.arm(point, action, 5 if point == "produce" else 0))["pid"]
            bench.recover()  # the other one has its partitions now
            os.kill(pid, signal.SIGCONT)
            _both_serve(bench, workers)
            bench.recover()


def _both_serve(bench: Bench, workers: list[Gateway]) -> None:
    """Whoever was stopped is a member again and has partitions."""

    def serving(one: Gateway) -> bool:
        held: set[int] = set()
        for line in list(one.log):
            if line.get("event") == "partition running":
                held.add(line["partition"])
            elif line.get("event") == "partition given up":
                held.discard(line["partition"])
            elif line.get("event") == "worker ended":
                held.clear()
        return bool(held)

    bench.installation.wait(lambda: all(map(serving, workers)), 60)


@fault("A22", "the whole gateway paused longer than its session", chaos=2, full=10)
def paused(bench: Bench, strikes: int) -> None:
    bench.anybody()
    gateway = bench.gateway()
    bench.serving(gateway)
    with bench.load():
        for _ in range(strikes):
            pid = next(iter(gateway.pids().values()))
            os.kill(pid, signal.SIGSTOP)
            begun = time.monotonic()
            time.sleep(8)
            os.kill(pid, signal.SIGCONT)
            bench.recover(since=begun)
            bench.strikes += 1


def _storm(bench: Bench, strikes: int, protocol: str) -> None:
    """Workers join and leave every two seconds, some by SIGKILL."""
    bench.anybody()
    if protocol == "consumer":
        bench.installation.kafka.clear()
    options = {"GATEWAY_GROUP_PROTOCOL": protocol}
    running = [bench.gateway(GATEWAY_INSTANCE="0", **options)]
    bench.serving(*running)
    with bench.load():
        for number in range(1, strikes + 1):
            running.append(bench.gateway(GATEWAY_INSTANCE=str(number), **options))
            bench.serving(running[-1])
            time.sleep(bench.chance.uniform(0.2, 2))
            if len(running) > bench.chance.choice([1, 2, 3]):
                running.pop(0).stop()
            bench.strikes += 1
        bench.recover()
    moved = sum(len(one.said("partition given up")) for one in bench.installation.running)
    bench.notes.append(f"{moved} partitions changed hands")
    assert moved >= strikes


@fault("F6 A5", "rebalance storm, classic protocol", chaos=8, full=60)
def rebalances_classic(bench: Bench, strikes: int) -> None:
    _storm(bench, strikes, "classic")


@fault("F6 A5 A6", "rebalance storm, consumer protocol", chaos=8, full=60)
def rebalances_consumer(bench: Bench, strikes: int) -> None:
    _storm(bench, strikes, "consumer")


@fault("A23", "clocks an hour wrong, stepping each second, and kills", chaos=4, full=20)
def clock_skew(bench: Bench, strikes: int) -> None:
    gateway = bench.gateway(GATEWAY_LAB_SKEW="3600")
    bench.serving(gateway)
    with bench.load():
        for _ in range(strikes):
            bench.hit("flush", "kill")
