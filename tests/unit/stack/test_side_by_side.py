"""Services of the stack start side by side, and each step is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

from toys import WebToy

from gateway.stack import Stack, Step
from gateway.stack.probe import answers
from gateway.stack.processes import Command

MEETING = """
import http.server, pathlib, sys, time
mine, other, port = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
mine.touch()
while not other.exists():
    time.sleep(0.01)
http.server.ThreadingHTTPServer(("127.0.0.1", port), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


class Meeting(WebToy):
    """Answers only once the other one has been started, too."""

    other: ClassVar[str] = ""

    def command(self) -> Command:
        here, there = (self.site.folder(name).parent / f"{name}.here" for name in (self.name, self.other))
        port = str(self.site.ports[self.name])
        return Command((sys.executable, "-c", MEETING, str(here), str(there), port), self.folder)

    def healthy(self) -> bool:
        return answers(f"http://127.0.0.1:{self.site.ports[self.name]}/")


class One(Meeting):
    name: ClassVar[str] = "registry"
    other: ClassVar[str] = "kafka"


class Two(Meeting):
    name: ClassVar[str] = "kafka"
    other: ClassVar[str] = "registry"


def test_two_services_that_wait_for_each_other_both_come_up_and_progress_is_told(tmp_path: Path) -> None:
    """One after the other they never would."""
    stack = Stack(tmp_path / "state", tmp_path / "cache", kinds=(One, Two))
    steps: list[Step] = []
    try:
        stack.up(steps.append)
        assert all(one.healthy for one in stack.status())
        told = [(step.service, step.state) for step in steps]
        assert {service for service, state in told if state == "ready"} == {"registry", "kafka"}
        assert max(told.index((name, "starting")) for name in ("registry", "kafka")) < min(
            told.index((name, "ready")) for name in ("registry", "kafka")
        )
    finally:
        stack.down(wipe=True)
