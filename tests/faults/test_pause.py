"""`gateway pause` and `resume` as commands, with a worker killed between them."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest
from confluent_kafka.admin import NewTopic

from .installation import PARTITIONS, ROOT, Installation
from .test_kills import deaths, kill_one

pytestmark = pytest.mark.stack


def command(installation: Installation, *arguments: str) -> tuple[int, dict]:
    run = [sys.executable, "-m", "gateway.cli.main", *arguments, "--why", "a test", "--wait", "60", "-o", "json"]
    done = subprocess.run(
        run, env=installation.environment(), cwd=ROOT, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_pause_outlives_a_killed_worker_and_ends_with_the_command(installation: Installation, seed: int) -> None:
    installation.admin.create_topics([NewTopic(f"{installation.prefix}gateway.control", 1, 1)])
    source = installation.source(seed)
    source.write(1_000)
    gateway = installation.run()
    installation.wait_until_settled(source)
    status, told = command(installation, "pause", "--topic", "thing.raw")
    assert (status, told["no_answer"]) == (0, [])
    assert [one["result"] for one in told["answered"]] == ["paused"] * PARTITIONS
    settled = installation.settled()
    source.write(1_000)
    kill_one(gateway, random.Random(seed))
    installation.wait(lambda: len(gateway.said("partition paused")) >= 2 * PARTITIONS, 60)
    assert installation.settled() == settled
    status, told = command(installation, "resume", "--all")
    assert (status, [one["result"] for one in told["answered"]]) == (0, ["resumed"] * PARTITIONS)
    installation.wait_until_settled(source)
    installation.check(source)
    assert deaths(gateway) == 1
