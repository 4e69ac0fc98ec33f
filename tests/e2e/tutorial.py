"""Reads the tutorial as a reader does: writes its files, runs its commands in order, compares what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Block", "blocks_of", "follow"]

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


def follow(blocks: list[Block], folder: Path, more: Mapping[str, str] | None = None) -> Iterator[tuple[Block, str]]:
    """Write and run block by block, in one shell's folder; each command's block with all that it printed."""
    here = folder
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": places, "COLUMNS": "200", **(more or {})}
    for block in blocks:
        if block.title:
            (here / block.title).parent.mkdir(parents=True, exist_ok=True)
            (here / block.title).write_text(block.body)
        elif block.mark:
            script = f"set -e\n{block.body}\npwd > {folder}/.here\n"
            done = subprocess.run(
                ["bash", "-c", script], cwd=here, env=environment, capture_output=True, text=True, timeout=240
            )
            wanted = 1 if block.mark == "finds" else 0
            assert done.returncode == wanted, f"{block.body}\n{done.stdout}{done.stderr}"
            if wanted == 0:
                here = Path((folder / ".here").read_text().strip())
            yield block, done.stdout + done.stderr


def missing(block: Block, printed: str) -> list[str]:
    """Expected lines that were not printed; … stands for anything."""
    lines = printed.splitlines()

    def seen(line: str) -> bool:
        pattern = ".*".join(map(re.escape, line.split("…")))
        return any(re.fullmatch(pattern, one.rstrip()) for one in lines)

    return [line for line in block.prints if line.strip() and not seen(line)]
