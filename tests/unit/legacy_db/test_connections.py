"""The applications work over eight connections at once, and no faster than they are told."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psycopg
import pytest

from gateway.stack import Stack
from legacy_db import create_schema, run, seed
from tests.unit.legacy_db.worked import new_database

pytestmark = pytest.mark.stack

COUNT = """SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'legacy-applications' AND datname = current_database()"""


def test_eight_connections_are_open_at_once_and_a_rate_is_kept(stack: Stack, tmp_path: Path) -> None:
    """The server itself is asked how many there are, again and again."""
    dsn, counted, over = new_database(stack.endpoints.postgres_dsn), set[int](), threading.Event()
    create_schema(dsn)
    seed(dsn, 1, 100)

    def look() -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            while not over.wait(0.01):
                row = connection.execute(COUNT).fetchone()
                counted.add(row[0] if row else 0)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        run(dsn, 1, 200, tmp_path / "truth.jsonl")
    finally:
        over.set()
        watcher.join()
    assert max(counted) == 8
    begun = time.monotonic()
    run(dsn, 1, 50, tmp_path / "truth.jsonl", rate=50)
    assert time.monotonic() - begun > 0.9
