"""Columns added, dropped, renamed and retyped under load: what needs them parks, all else equals the truth."""

from __future__ import annotations

import io
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro
import psycopg
import pytest

from gateway.stack import Stack

from .database import captured
from .installation import Gateway, Installation, read_all

pytestmark = pytest.mark.stack
MAPPINGS = Path(__file__).parent / "drifting"
LOADED = range(1, 41)
"""Wares whose stock changes all the time; no other column of theirs does."""
_CREATE = """
CREATE SCHEMA shop;
CREATE TABLE shop.item (
  item_id int PRIMARY KEY, stk int NOT NULL, prc int NOT NULL, lbl text NOT NULL, clr text NOT NULL,
  grd char(1) NOT NULL);
INSERT INTO shop.item SELECT number, 0, 10, 'plain', 'red', 'A' FROM generate_series(1, 44) number;
"""
Fact = tuple[str, str]


class Shop:
    """The application: stock changes without a pause on a connection of its own, all else when it is told to."""

    def __init__(self, dsn: str, seed: int) -> None:
        print(f"seed {seed}")
        self.facts: dict[int, list[Fact]] = defaultdict(list)
        self.transactions = 0
        self._random = random.Random(seed)
        self._stock = Counter[int]()
        self._ended = threading.Event()
        self._loaded = psycopg.connect(dsn)
        self._asked = psycopg.connect(dsn, autocommit=True)
        self._load = threading.Thread(target=self._work, daemon=True)

    def open(self) -> None:
        self._load.start()

    def close(self) -> None:
        self._ended.set()
        self._load.join(30)
        self._loaded.close()
        self._asked.close()

    def _work(self) -> None:
        while not self._ended.wait(0.01):
            chosen = self._random.sample(LOADED, self._random.randint(1, 5))
            with self._loaded.transaction(), self._loaded.cursor() as cursor:
                for ware in chosen:
                    self._stock[ware] += 1
                    cursor.execute("UPDATE shop.item SET stk = %s WHERE item_id = %s", (self._stock[ware], ware))
            for ware in chosen:
                self.facts[ware].append(("ItemStocked", str(self._stock[ware])))
            self.transactions += 1

    def run(self, statement: str) -> float:
        """One statement, a transaction of its own; the time when it was done, in seconds since the epoch."""
        self._asked.execute(statement.encode())
        return time.time()

    def finish(self) -> int:
        """End the load; how many events all of it amounts to."""
        self._ended.set()
        self._load.join(30)
        return sum(map(len, self.facts.values()))


@pytest.fixture
def installation(stack: Stack, prefix: str) -> Installation:
    return Installation(
        stack.endpoints.bootstrap, stack.endpoints.registry_url, prefix, MAPPINGS, "item.raw", "item.events"
    )


@pytest.fixture
def shop(stack: Stack, installation: Installation, seed: int) -> Iterator[Shop]:
    with captured(stack, installation, _CREATE) as (dsn, _):
        installation.create(missing=True)
        installation.push()
        found = Shop(dsn, seed)
        found.open()
        try:
            yield found
        finally:
            found.close()


def published(installation: Installation) -> dict[int, list[Fact]]:
    """What was published, in the topic's order."""
    found: dict[int, list[Fact]] = defaultdict(list)
    for record in read_all(installation.bootstrap, installation.prefix + installation.public):
        name = record.headers["ce_type"].decode()
        event: Any = fastavro.schemaless_reader(io.BytesIO((record.value or b"")[5:]), installation.schemas[name], None)
        found[event["itemId"]].append((name.rsplit(".", 1)[1], event["now"]))
    return found


def letters(installation: Installation) -> Counter[tuple[int, str]]:
    """Dead letters by ware and class."""
    found: Counter[tuple[int, str]] = Counter()
    for one in read_all(installation.bootstrap, f"{installation.prefix}{installation.raw}.dlq"):
        found[json.loads(one.key or b"{}")["itemId"], one.headers["gateway.class"].decode()] += 1
    return found


def await_finding(installation: Installation, gateway: Gateway, kinds: str, column: str, since: float) -> None:
    """Until the log tells of one of these kinds for the column; prints how long that took."""

    def told() -> list[dict[str, Any]]:
        wanted = {f"{kind} column shop.item.{column}" for kind in kinds.split()}
        return [line for line in gateway.said("finding seen") if line["finding"] in wanted]

    installation.wait(lambda: bool(told()), 60)
    line = told()[0]
    seconds = datetime.fromisoformat(line["timestamp"]).timestamp() - since
    print(f"{line['finding']}: found after {seconds:.2f} s; {line['remedy']}")
    assert "item.yaml" in line["remedy"]


def test_each_drift_parks_what_needs_the_column_and_nothing_else(installation: Installation, shop: Shop) -> None:
    gateway = installation.run(workers=2)
    for ware, statement, fact in (
        (42, "UPDATE shop.item SET lbl = 'fine' WHERE item_id = 42", ("ItemLabelled", "red fine")),
        (43, "UPDATE shop.item SET prc = 11 WHERE item_id = 43", ("ItemPriced", "11")),
        (44, "UPDATE shop.item SET grd = 'B' WHERE item_id = 44", ("ItemGraded", "good")),
    ):
        shop.run(statement)
        shop.facts[ware].append(fact)
    done = shop.run("ALTER TABLE shop.item ADD COLUMN extra int")
    await_finding(installation, gateway, "undeclared", "extra", done)
    shop.run("UPDATE shop.item SET extra = 1 WHERE item_id = 41")

    done = shop.run("ALTER TABLE shop.item DROP COLUMN clr")
    shop.run("UPDATE shop.item SET lbl = 'lost' WHERE item_id = 42")
    await_finding(installation, gateway, "missing", "clr", done)

    done = shop.run("ALTER TABLE shop.item RENAME COLUMN prc TO price")
    shop.run("UPDATE shop.item SET price = 12 WHERE item_id = 43")
    await_finding(installation, gateway, "missing", "prc", done)
    await_finding(installation, gateway, "undeclared", "price", done)

    done = shop.run("ALTER TABLE shop.item ALTER COLUMN grd TYPE int USING ascii(grd)")
    shop.run("UPDATE shop.item SET grd = 67 WHERE item_id = 44")
    await_finding(installation, gateway, "retyped unreadable", "grd", done)

    for ware in (41, 42, 43, 44):
        shop.run(f"UPDATE shop.item SET stk = 7 WHERE item_id = {ware}")
    shop.facts[41].append(("ItemStocked", "7"))
    wanted = shop.finish()
    installation.wait(lambda: sum(counts[5] for counts in installation.counts()) >= wanted, 120)
    installation.wait(lambda: sum(counts[3] + counts[4] for counts in installation.counts()) >= 6, 60)
    assert published(installation) == shop.facts
    assert shop.transactions > 100
    expected = {(42, "drift"): 1, (43, "drift"): 1, (44, "decode"): 1}
    assert letters(installation) == expected | {(ware, "order-blocked"): 1 for ware in (42, 43, 44)}
