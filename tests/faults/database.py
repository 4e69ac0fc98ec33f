"""A real legacy database with things, really captured; it knows what each of its transactions meant."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg

from gateway.mapping.loader import load
from gateway.services.capture import Capture
from gateway.settings import Settings
from gateway.stack import Stack
from gateway.wiring import wire_capture

from .installation import ROOT, Installation, read_all
from .source import Fact

__all__ = ["Database", "captured", "captured_database"]

_CREATE = """
CREATE SCHEMA shop;
CREATE TABLE shop.thing (thing_id int PRIMARY KEY, val int NOT NULL, cod char(1) NOT NULL, upd_pgm text NOT NULL);
CREATE TABLE shop.part (part_id int PRIMARY KEY, thing_id int NOT NULL, note text NOT NULL);
"""


class Database:
    """Things in PostgreSQL. ``rows``: raw records that stand in the raw topic, as last counted."""

    def __init__(self, dsn: str, installation: Installation, capture: Capture, connect_url: str, seed: int) -> None:
        print(f"seed {seed}")
        self.installation = installation
        self.capture = capture
        self.connection = psycopg.connect(dsn)
        self.facts: dict[int, list[Fact]] = defaultdict(list)
        self.letters: dict[int, int] = {}
        self.written = 0
        self.rows = 0
        self._random = random.Random(seed)
        self._amounts: dict[int, int] = {}
        self._connect = httpx.Client(base_url=connect_url, timeout=30)

    def copy(self, count: int) -> None:
        """One transaction: so many new things by COPY, whose rows share log positions page by page."""
        first = len(self._amounts) + 1
        with self.connection.cursor() as cursor, cursor.copy("COPY shop.thing FROM STDIN") as into:
            for thing in range(first, first + count):
                self._amounts[thing] = self._random.randint(1, 90)
                self.facts[thing].append(("ThingCreated", self._amounts[thing]))
                into.write_row((thing, self._amounts[thing], "A", "COPY"))
        self.connection.commit()
        self.written += count

    def change(self, rows: int, things: int = 20) -> None:
        """Transactions that change about so many rows, each of up to ``things`` things."""
        until = self.written + rows
        while self.written < until:
            chosen = self._random.sample(sorted(self._amounts), self._random.randint(1, things))
            with self.connection.cursor() as cursor:
                for thing in chosen:
                    self._amounts[thing] += self._random.randint(1, 9)
                    self.facts[thing].append(("ThingChanged", self._amounts[thing]))
                cursor.executemany(
                    "UPDATE shop.thing SET val = %s WHERE thing_id = %s",
                    [(self._amounts[thing], thing) for thing in chosen],
                )
            self.connection.commit()
            self.written += len(chosen)

    def amounts(self) -> dict[int, int]:
        """What the database itself says now."""
        with self.connection.cursor() as cursor:
            return dict(cursor.execute("SELECT thing_id, val FROM shop.thing").fetchall())

    def events_expected(self) -> int:
        """Events that the facts so far amount to."""
        return sum(len(facts) for facts in self.facts.values())

    def raw(self) -> int:
        """Records in the raw topic, repeats included."""
        self.rows = len(read_all(self.installation.bootstrap, self.installation.prefix + self.installation.raw))
        return self.rows

    def repeats(self) -> int:
        """Rows that stand in the raw topic more than once: same table, key, position and operation."""
        seen: Counter[Any] = Counter()
        for record in read_all(self.installation.bootstrap, self.installation.prefix + self.installation.raw):
            value = httpx.Response(200, content=record.value or b"{}").json()
            seen[(record.key, value["source"]["lsn"], value["source"]["txId"], str(value["after"]))] += 1
        return sum(count - 1 for count in seen.values())

    # -- the connector ------------------------------------------------------------------------------------------------

    def second_slot(self, name: str) -> Any:
        """A replication slot that remembers this place in the log; gives the connector's offsets of soon after.

        Debezium refuses offsets older than its slot: a change is made, and the offsets are read once they are past it.
        """
        made = self.connection.execute(
            "SELECT lsn - '0/0'::pg_lsn FROM pg_create_logical_replication_slot(%s, 'pgoutput')", (name,)
        ).fetchone()
        self.connection.commit()
        assert made is not None
        self.change(1)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found = self._connect.get(f"/connectors/{self.capture.plan.connector}/offsets").raise_for_status().json()
            offset = found["offsets"][0]["offset"]
            if min(offset.get("lsn_commit") or 0, offset.get("lsn") or 0) > int(made[0]):
                return found
            time.sleep(0.1)
        raise AssertionError(f"the connector's offsets did not pass the new slot at {made[0]}: {found}")

    def go_back(self, offsets: Any, slot: str) -> None:
        """Set the connector's offsets back and let it read the log from there once more, over the other slot."""
        path = f"/connectors/{self.capture.plan.connector}"
        self._connect.put(f"{path}/stop").raise_for_status()
        while self._connect.get(f"{path}/status").raise_for_status().json()["connector"]["state"] != "STOPPED":
            pass
        self._connect.patch(f"{path}/offsets", json=offsets).raise_for_status()
        config = self._connect.get(f"{path}/config").raise_for_status().json()
        self._connect.put(f"{path}/config", json={**config, "slot.name": slot}).raise_for_status()
        self._connect.put(f"{path}/resume").raise_for_status()


@contextmanager
def captured(stack: Stack, installation: Installation, create: str) -> Iterator[tuple[str, Capture]]:
    """The DSN of a database of its own, made by ``create``, and its running connector; all is gone afterwards."""
    name = f"shop_{installation.prefix.strip('.')}"
    at = stack.endpoints
    with psycopg.connect(at.postgres_dsn, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    dsn = at.dsn(at.postgres_user, at.postgres_password, name)
    with psycopg.connect(dsn) as creating:
        creating.execute(create.encode())
    settings = Settings(
        prefix=installation.prefix,
        bootstrap=at.bootstrap,
        connect_url=at.connect_url,
        registry_url=at.registry_url,
        legacy_dsn=dsn,
        mappings=installation.mappings,
        connect=ROOT / "connect",
    )
    mappings = load(installation.mappings)
    capture = wire_capture(settings, mappings)
    capture.apply(capture.pending(settings, mappings))
    capture.wait_for_snapshot(120)
    try:
        yield dsn, capture
    finally:
        installation.close()
        capture.delete(forget=True)
        with psycopg.connect(at.postgres_dsn, autocommit=True) as admin:
            slots = admin.execute("SELECT slot_name FROM pg_replication_slots WHERE database = %s", (name,)).fetchall()
            for (slot,) in slots:
                admin.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def captured_database(stack: Stack, installation: Installation, seed: int, create: str = _CREATE) -> Iterator[Database]:
    """Things in a database of its own with a running connector; all of it is gone afterwards."""
    with captured(stack, installation, create) as (dsn, capture):
        database = Database(dsn, installation, capture, stack.endpoints.connect_url, seed)
        try:
            yield database
        finally:
            database.connection.close()
