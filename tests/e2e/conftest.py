"""The demo, run once for all end-to-end tests that look at what it made."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.files import read_recording
from gateway.model.record import RawRecord
from gateway.stack import Endpoints
from legacy_db.truth import TruthTransaction, read_truth

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, str(ROOT / "examples" / "demo")]


@dataclass
class DemoRun:
    """A finished demo whose stack is still up: its exit status, all it printed, its files."""

    status: int
    printed: str
    state: Path

    @cached_property
    def figures(self) -> dict[str, Any]:
        """The last line."""
        figures: dict[str, Any] = json.loads(self.printed.strip().splitlines()[-1])
        return figures

    @cached_property
    def recording(self) -> list[RawRecord]:
        """All raw records and transaction markers."""
        return list(read_recording(self.state / "recording.jsonl.gz"))

    @cached_property
    def truth(self) -> list[TruthTransaction]:
        """What every transaction meant."""
        return list(read_truth(self.state / "truth.jsonl"))

    @property
    def endpoints(self) -> Endpoints:
        """Where its stack answers."""
        return Endpoints.read(self.state / "stack" / "stack.json")


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    """`make demo` with its defaults, its stack left up until the end of the tests."""
    state = tmp_path_factory.mktemp("demo")
    options = ["--state", str(state), "--keep", "--recording", str(state / "recording.jsonl.gz")]
    try:
        done = subprocess.run([*DEMO, *options], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        yield DemoRun(done.returncode, done.stdout, state)
    finally:
        subprocess.run([*DEMO, "--state", str(state), "--stop"], check=True, timeout=120)
