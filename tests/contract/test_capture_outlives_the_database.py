"""The legacy database goes away under a running connector and comes back: capture goes on, nothing is lost."""

from __future__ import annotations

import os
import time

import psycopg
import pytest

from gateway.stack import Stack
from tests.contract.capturing import captured, value

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


def test_a_database_killed_and_started_again_is_captured_as_if_nothing_had_happened(stack: Stack, prefix: str) -> None:
    with captured(stack, prefix, ["INSERT INTO cust VALUES (1, 'Ann')"]) as running:
        with running.database() as database:
            database.execute("INSERT INTO cust VALUES (2, 'Bo')")
        running.until("legacy.customer.raw", lambda found: len(found) >= 1)
        stack.kill("postgres")
        time.sleep(3)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(running.settings.legacy_dsn, connect_timeout=2)
        stack.start("postgres", detached="GATEWAY_TEST_STACK" in os.environ)
        with running.database() as database:
            database.execute("INSERT INTO cust VALUES (3, 'Cy')")
            database.execute("UPDATE cust SET nm = 'Cyd' WHERE cust_id = 3")
        running.until("legacy.customer.raw", lambda found: any(value(one)["op"] == "u" for one in found), seconds=120)
        told = [(value(one)["op"], value(one)["after"]["nm"]) for one in running.records("legacy.customer.raw")]
        assert sorted(told) == [("c", "Bo"), ("c", "Cy"), ("r", "Ann"), ("u", "Cyd")]
