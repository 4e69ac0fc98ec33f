"""The group's offsets are gone while everything is under load: the command brings them back, exactly."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .installation import PARTITIONS, ROOT, Installation
from .test_kills import Load

pytestmark = pytest.mark.stack


def recover(installation: Installation, *options: str) -> tuple[int, dict[str, object], str]:
    """Exit status, what it printed as JSON, what it said."""
    command = [sys.executable, "-m", "gateway.cli.main", "recover", "-o", "json", *options]
    done = subprocess.run(
        command, env=installation.environment(), cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def members(installation: Installation) -> int:
    group = f"{installation.prefix}gateway"
    return len(installation.admin.describe_consumer_groups([group])[group].result(10).members)


def delete_offsets(installation: Installation) -> None:
    group = f"{installation.prefix}gateway"
    installation.wait(lambda: members(installation) == 0, 60)
    installation.admin.delete_consumer_groups([group])[group].result(10)


def test_offsets_deleted_under_load_come_back_exactly(installation: Installation, seed: int) -> None:
    """The source writes on all the while."""
    source = installation.source(seed, poison=frozenset({5, 50}))
    gateway = installation.run(workers=2)
    with Load(source, 3_000, pause=0.4) as load:
        installation.wait(lambda: installation.settled() > 500, 60)
        status, _, told = recover(installation, "--yes")
        assert (status, "members" in told) == (2, True), told
        assert gateway.stop() == 0
        settled = installation.settled()
        delete_offsets(installation)
        refused = installation.run()
        installation.wait(lambda: refused.process.poll() is not None, 60)
        assert refused.process.returncode == 2
        assert "gateway recover" in refused.told()
        status, shown, _ = recover(installation)
        assert (status, shown["written"], installation.settled()) == (1, False, 0)
        status, done, told = recover(installation, "--yes")
        assert status == 0, told
        assert [one["action"] for one in done["partitions"]] == ["write"] * PARTITIONS  # type: ignore[attr-defined]
        assert installation.settled() >= settled
        print(f"{installation.settled()} settled records came back, {settled} were counted before")
        installation.run(workers=2)
        load.end()
    installation.wait_until_settled(source)
    installation.check(source)
