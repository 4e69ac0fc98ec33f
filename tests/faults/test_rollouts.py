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
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from gateway.mapping.loader import load as load_mappings
from gateway.services.rule_versions import version_of_folder

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


@dataclass(frozen=True)
class Rules:
    """A folder, the name of its version, and what the lineage of its events says."""

    folder: Path
    version: str
    digest: str

    @classmethod
    def of(cls, folder: Path, prefix: str) -> Rules:
        mappings = load_mappings(folder)
        version = version_of_folder(folder, mappings, lambda name: prefix + name)
        return cls(folder, version.name, mappings[0].digest[:8])


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


def refuse_a_contract(installation: Installation, folder: Path) -> None:
    """A contract that nobody registered is told before anything is written, and the old rules stay in force."""
    other_rules(folder)
    contract = folder / "thing" / "events" / "ThingChanged.v1.avsc"
    contract.write_text(contract.read_text().replace("test.thing.v1", "test.things.v1"))
    command = [sys.executable, "-m", "gateway.cli.main", "rollout", "start", "--why", "x", "--mappings", str(folder)]
    done = subprocess.run(
        command, env=installation.environment(), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "schemas push" in done.stderr
    assert rollout(installation, "status")["rollouts"] == []


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


def kill_the_command(installation: Installation, chance: random.Random, *arguments: str) -> None:
    """SIGKILL for a command that begins or decides a rollout: workers must end what it leaves undecided."""
    command = [sys.executable, "-m", "gateway.cli.main", "rollout", *arguments]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=installation.environment(), cwd=ROOT, **quiet)  # type: ignore[call-overload]
    time.sleep(chance.uniform(2.0, 5.0))
    process.kill()
    process.wait()
    installation.wait(
        lambda: all(one["decision"] != "undecided" for one in rollout(installation, "status")["rollouts"]), 150
    )


@pytest.mark.timeout(900 + 60 * ROLLOUTS)
def test_every_event_has_the_rules_that_its_source_position_asks_for(
    installation: Installation, seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    installation.admin.create_topics([NewTopic(f"{installation.prefix}gateway.control", 1, 1)])
    old, new = (Rules.of(folder, installation.prefix) for folder in (MAPPINGS, other_rules(tmp_path / "mappings")))
    source = installation.source(seed)
    gateway = installation.run(workers=2, GATEWAY_WORKER_CRASHES="1000")
    installation.wait(lambda: len(gateway.pids()) == 2, 60)
    committed = cancelled = killed = 0
    pause = 0.1 if ROLLOUTS < 5 else 0.5  # the long run is long enough without a mountain of rows
    with Load(source, 3_000, pause=pause, chunk=100) as load, Striking(gateway, chance) as striking:
        installation.wait(lambda: rollout(installation, "status")["in_force"] is not None, 90)
        refuse_a_contract(installation, tmp_path / "refused")
        while committed < ROLLOUTS:
            back = rollout(installation, "status")["in_force"] == new.version
            what = ("rollback",) if back else ("start", "--mappings", str(new.folder))
            if committed % 10 == 5 and killed < committed // 10 + 1:
                killed += 1
                kill_the_command(installation, chance, *what, "--why", "a test", "--timeout", PATIENCE)
                continue
            done = rollout(installation, *what, "--why", "a test", "--timeout", PATIENCE)
            committed += done["committed"]
            cancelled += not done["committed"]
            assert cancelled < 10 + ROLLOUTS, done
        end = source.lsn
        installation.wait(lambda: source.lsn > end + 40_000 or source.rows > 60_000, 60)
        load.end()
    installation.wait_until_settled(source, 120)
    installation.check(source)
    rollouts = [one for one in rollout(installation, "status")["rollouts"] if one["decision"] == "commit"]
    digests = {one.version: one.digest for one in (old, new)}
    cuts = [(tuple(one["cut"]), digests[one["version"]]) for one in rollouts]
    counted = judge(installation, old.digest, cuts)
    told = f"{len(cuts)} rollouts, {cancelled} cancelled, {striking.strikes} workers and {killed} commands killed"
    print(f"{told}, events by digest: {dict(counted)}")
    assert deaths(gateway) == striking.strikes > 0
    assert len(cuts) >= ROLLOUTS
    assert all(counted[digest] > 0 for digest in digests.values())
    assert [cut for cut, _ in cuts] == sorted(cut for cut, _ in cuts)
