"""The tutorial works as it is written: every snippet is run, and prints what the page says."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.tutorial import blocks_of, follow, missing

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = blocks_of((DOCS / "tutorial.md").read_text())


def given(folder: Path) -> None:
    """The files that a reader downloads first."""
    for name in ("loans.sql", "loans.jsonl.gz"):
        shutil.copy(DOCS / "tutorial" / name, folder / name)


def test_every_shell_snippet_is_marked_as_run() -> None:
    assert [block.body for block in BLOCKS if block.kind == "sh" and block.mark not in ("run", "finds", "stack")] == []
    assert sum(block.mark == "run" for block in BLOCKS) >= 5


def test_the_part_without_a_stack_works_as_written(tmp_path: Path) -> None:
    given(tmp_path)
    offline = [block for block in BLOCKS if block.title or block.mark in ("run", "finds")]
    for block, printed in follow(offline, tmp_path):
        assert missing(block, printed) == [], f"{block.body}\n{printed}"
