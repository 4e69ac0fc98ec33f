"""Rollouts and rollbacks under load with workers killed: each event has the rules that its source position asks for.

GATEWAY_TEST_ROLLOUTS says how many; the long run has 50.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from gateway.mapping.loader import load

from .installation import MAPPINGS, ROOT, Gateway, Installation, read_all
from .test_kills import Load, deaths, kill_one

pytestmark = pytest.mark.stack
ROLLOUTS = int(os.environ.get("GATEWAY_TEST_ROLLOUTS", "2"))
PATIENCE = "40"
"""Seconds for all partitions to answer: a killed worker's go to another after six, on a busy machine later."""


def other_rules(folder: Path) -> Path:
    """A copy of the rules that differs in a reason: the same events, another digest."""
    shutil.copytree(MAPPINGS, folder)
    file = folder / "thing" / "thing.yaml"
    file.write_text(file.read_text().replace("nobody outside reads them", "nobody at all reads them"))
    return folder


def digest_of(folder: Path) -> str:
    return load(folder)[0].digest[:8]


def rollout(installation: Installation, *arguments: str) -> dict:
    command = [sys.executable, "-m", "gateway.cli.main", "rollout", *arguments, "-o", "json"]
    done = subprocess.run(
        command, env=installation.environment(), cwd=ROOT, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


class Striking:
    """Kills a worker at random moments while the block runs."""

    def __init__(self, gateway: Gateway, chance: random.Random) -> None:
        self._gateway, self._chance = gateway, chance
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.strikes = 0

    def _run(self) -> None:
        while not self._over.wait(self._chance.uniform(0.5, 4.0)):
            kill_one(self._gateway, self._chance)
            self.strikes += 1
            self._over.wait(8)  # the group comes to rest, or no rollout would ever find all partitions owned

    def __enter__(self) -> Striking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)


def judge(installation: Installation, first: str, cuts: list[tuple[tuple[int, int], str]]) -> dict[str, int]:
    """Events by digest; each has that of its source position, and no transaction has two."""
    counted: dict[str, int] = defaultdict(int)
    by_transaction: dict[str, set[str]] = defaultdict(set)
    for record in read_all(installation.bootstrap, installation.prefix + installation.public):
        lineage = dict(part.split("=", 1) for part in record.headers["lineage"].decode().split(","))
        incarnation, commit, _ = map(int, lineage["pos"].split("."))
        wanted = next((digest for cut, digest in reversed(cuts) if (incarnation, commit) >= cut), first)
        assert lineage["mapping"] == wanted, (lineage, cuts)
        by_transaction[lineage["tx"]].add(lineage["mapping"])
        counted[lineage["mapping"]] += 1
    assert all(len(digests) == 1 for digests in by_transaction.values())
    return counted


def test_every_event_has_the_rules_that_its_source_position_asks_for(
    installation: Installation, seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    installation.admin.create_topics([NewTopic(f"{installation.prefix}gateway.control", 1, 1)])
    other = other_rules(tmp_path / "mappings")
    digests = {"start": digest_of(other), "rollback": digest_of(MAPPINGS)}
    source = installation.source(seed)
    gateway = installation.run(workers=2, GATEWAY_WORKER_CRASHES="1000")
    installation.wait(lambda: len(gateway.pids()) == 2, 60)
    cuts: list[tuple[tuple[int, int], str]] = []
    cancelled = 0
    with Load(source, 8_000, pause=0.1, chunk=100) as load_, Striking(gateway, chance) as striking:
        installation.wait(lambda: rollout(installation, "status")["in_force"] is not None, 90)
        while len(cuts) < ROLLOUTS:
            what = "rollback" if len(cuts) % 2 else "start"
            folder = [] if len(cuts) % 2 else ["--mappings", str(other)]
            done = rollout(installation, what, "--why", "a test", "--timeout", PATIENCE, *folder)
            if done["committed"]:
                cuts.append((tuple(done["cut"]), digests[what]))
            else:
                cancelled += 1
            assert cancelled < 10 + ROLLOUTS, done
        end = source.lsn
        installation.wait(lambda: source.lsn > end + 40_000 or source.rows > 60_000, 60)
        load_.end()
    installation.wait_until_settled(source, 120)
    installation.check(source)
    counted = judge(installation, digests["rollback"], cuts)
    print(f"{len(cuts)} rollouts, {cancelled} cancelled, {striking.strikes} kills, events by digest: {dict(counted)}")
    assert deaths(gateway) == striking.strikes > 0
    assert all(counted[digest] > 0 for digest in digests.values())
    assert [cut for cut, _ in cuts] == sorted(cut for cut, _ in cuts)


def test_a_refused_version_leaves_the_old_one_running(installation: Installation, seed: int, tmp_path: Path) -> None:
    """A contract that nobody registered: told before anything is written."""
    installation.admin.create_topics([NewTopic(f"{installation.prefix}gateway.control", 1, 1)])
    source = installation.source(seed)
    source.write(500)
    installation.run()
    installation.wait_until_settled(source)
    installation.wait(lambda: rollout(installation, "status")["in_force"] is not None, 90)
    folder = other_rules(tmp_path / "contract")
    contract = folder / "thing" / "events" / "ThingChanged.v1.avsc"
    contract.write_text(contract.read_text().replace("test.thing.v1", "test.things.v1"))
    assert "schemas push" in refused(installation, folder)
    source.write(500)
    installation.wait_until_settled(source)
    installation.check(source)
    assert set(judge(installation, digest_of(MAPPINGS), [])) == {digest_of(MAPPINGS)}
    assert rollout(installation, "status")["rollouts"] == []


def refused(installation: Installation, folder: Path) -> str:
    """What `rollout start` says when it ends with 2."""
    command = [sys.executable, "-m", "gateway.cli.main", "rollout", "start", "--why", "x", "--mappings", str(folder)]
    done = subprocess.run(
        command, env=installation.environment(), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr
