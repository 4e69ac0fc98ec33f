"""The tutorial works as it is written: every snippet is run, and prints what the page says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.stack import Stack
from tests.e2e.tutorial import Reader, blocks_of, missing

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = blocks_of((DOCS / "tutorial.md").read_text())


def given(folder: Path) -> None:
    """The files that a reader downloads first."""
    for name in ("loans.sql", "loans.jsonl.gz", "work.sql"):
        shutil.copy(DOCS / "tutorial" / name, folder / name)


def test_every_shell_snippet_is_marked_as_run() -> None:
    assert [block.body for block in BLOCKS if block.kind == "sh" and block.mark not in ("run", "finds", "stack")] == []
    assert sum(block.mark == "run" for block in BLOCKS) >= 5
    assert sum(block.mark == "stack" for block in BLOCKS) >= 3


def test_the_part_without_a_stack_works_as_written(tmp_path: Path) -> None:
    given(tmp_path)
    reader = Reader(tmp_path)
    for block in BLOCKS:
        if block.title or block.mark in ("run", "finds"):
            printed = reader.follow(block)
            assert missing(block, printed) == [], f"{block.body}\n{printed}"


@pytest.fixture
def reader(tmp_path: Path, stack: Stack, prefix: str) -> Iterator[Reader]:
    """A reader whose files are as they stand behind the part without a stack; the stack is the tests' own."""
    given(tmp_path)
    reader = Reader(tmp_path, {"GATEWAY_PREFIX": prefix, "GATEWAY_HTTP_PORT": "0"})
    for block in BLOCKS:
        if block.title or "gateway init" in block.body or "python3 -" in block.body:
            reader.follow(block)
    state = reader.here / ".state"
    state.mkdir()
    (state / "stack").symlink_to(stack.state.resolve())
    try:
        yield reader
    finally:
        with psycopg.connect(stack.endpoints.postgres_dsn, autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS lib CASCADE")


@pytest.mark.stack
def test_the_part_with_a_stack_works_as_written(reader: Reader) -> None:
    try:
        for block in BLOCKS:
            if block.mark == "stack":
                printed = reader.follow(block)
                assert missing(block, printed) == [], f"{block.body}\n{printed}"
    finally:
        reader.run("gateway connect delete --forget --yes")
