"""`gateway tail` beside a running worker: new events only, as they are published, in colour on a terminal."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.faults.conftest import installation, seed  # noqa: F401 - fixtures
from tests.faults.installation import ROOT, Installation

pytestmark = pytest.mark.stack


def test_tail_shows_events_as_they_are_published_in_colour_on_a_terminal(
    installation: Installation,  # noqa: F811
    seed: int,  # noqa: F811
) -> None:
    """What was published before is not shown; what comes while it looks on is; FORCE_COLOR stands for a terminal."""
    source = installation.source(seed, things=10)
    source.write(100)
    installation.run()
    installation.wait_until_settled(source)
    before = {event.id for event in installation.published()}
    tail = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli.main", "tail", "--raw", "--max", "3"],
        env=installation.environment(FORCE_COLOR="1"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    while tail.poll() is None and time.monotonic() < until:
        source.write(2)
        time.sleep(0.2)
    shown = tail.communicate(timeout=10)[0]
    assert tail.returncode == 0
    assert "\x1b[" in shown
    assert "Thing" in shown
    assert [one for one in before if one in shown] == []
    installation.wait_until_settled(source)
    assert sum(event.id in shown for event in installation.published()) == 3
