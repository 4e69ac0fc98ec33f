"""Annotations under kills of Kafka Connect: every change keeps the reason that its own transaction gave, and no other.

One database, one connector: half of the transactions say why in the context table, half of the rest by a logical
message, the others say nothing. Connect is killed amid them, three times.
"""

from __future__ import annotations

import io
import json
import os
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import psycopg
import pytest

from gateway.services.capture import Capture
from gateway.stack import Stack

from .database import captured
from .installation import Installation, read_all

pytestmark = pytest.mark.stack
OUTLIVES = "GATEWAY_TEST_STACK" in os.environ
MAPPINGS = Path(__file__).parent / "annotated"
THINGS = 60
Told = tuple[int, str | None, str | None]
"""Amount, reason, actor: what an event must say."""
_CREATE = """
CREATE SCHEMA shop;
CREATE TABLE shop.thing (thing_id int PRIMARY KEY, val int NOT NULL);
CREATE TABLE shop.thing_context (
  context_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, thing_id int NOT NULL, reason text NOT NULL, actor text);
INSERT INTO shop.thing SELECT number, 0 FROM generate_series(1, 60) number;
"""


class Shop:
    """The application: it changes things and says why, in the one way, the other, or not at all."""

    def __init__(self, dsn: str, installation: Installation, capture: Capture, seed: int) -> None:
        print(f"seed {seed}")
        self.installation, self.capture = installation, capture
        self.facts: dict[int, list[Told]] = defaultdict(list)
        self.rows = 0
        self._random = random.Random(seed)
        self._amounts = dict.fromkeys(range(1, THINGS + 1), 0)
        self._number = 0
        self._connection = psycopg.connect(dsn)

    def work(self, transactions: int) -> None:
        """So many transactions over one to five things each; each thing's reason is its own."""
        for _ in range(transactions):
            with self._connection.transaction(), self._connection.cursor() as cursor:
                for thing in self._random.sample(range(1, THINGS + 1), self._random.randint(1, 5)):
                    self._change(cursor, thing)

    def _change(self, cursor: psycopg.Cursor[Any], thing: int) -> None:
        self._number += 1
        self._amounts[thing] += 1
        way = self._random.choice(["row", "row", "message", "silence"])
        reason, actor = (None, None) if way == "silence" else (f"reason {self._number}", self._random.choice("xyz"))
        change = lambda: cursor.execute(  # noqa: E731 - done before or after the words
            "UPDATE shop.thing SET val = %s WHERE thing_id = %s", (self._amounts[thing], thing)
        )
        first = self._random.random() < 0.5
        if first:
            change()
        if way == "row":
            row = "INSERT INTO shop.thing_context (thing_id, reason, actor) VALUES (%s, %s, %s)"
            cursor.execute(row, (thing, reason, actor))
        elif way == "message":
            content = json.dumps({"reason": reason, "actor": actor})
            cursor.execute("SELECT pg_logical_emit_message(true, %s, %s)", (str(thing), content))
        if not first:
            change()
        self.rows += 1 if way == "silence" else 2
        self.facts[thing].append((self._amounts[thing], reason, actor))

    @property
    def events(self) -> int:
        """How many events all of it amounts to."""
        return sum(map(len, self.facts.values()))

    def published(self) -> dict[int, list[Told]]:
        """What was published, in the topic's order."""
        found: dict[int, list[Told]] = defaultdict(list)
        installation = self.installation
        for record in read_all(installation.bootstrap, installation.prefix + installation.public):
            schema = installation.schemas[record.headers["ce_type"].decode()]
            event: Any = fastavro.schemaless_reader(io.BytesIO((record.value or b"")[5:]), schema, None)
            found[event["thingId"]].append((event["amount"], event["reason"], event["actor"]))
        return found

    def counts(self) -> list[int]:
        """Committed counters, summed over the partitions; zeroes before the first commit."""
        return [sum(column) for column in zip(*self.installation.counts(), strict=True)] or [0] * 7

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def shop(stack: Stack, prefix: str, seed: int) -> Iterator[Shop]:
    """A database of its own, captured into a topic of its own; all of it is gone afterwards."""
    installation = Installation(stack.endpoints.bootstrap, stack.endpoints.registry_url, prefix, MAPPINGS)
    with captured(stack, installation, _CREATE) as (dsn, capture):
        installation.push()
        found = Shop(dsn, installation, capture, seed)
        try:
            yield found
        finally:
            found.close()


def _settle(shop: Shop) -> None:
    """Until every change has its event and every record but repeats its outcome."""
    done = lambda: shop.counts()[5] >= shop.events  # noqa: E731
    shop.installation.wait(done, 150, lambda: f"{shop.counts()} for {shop.events} events; {shop.capture.status()}")


def test_rows_and_messages_give_each_change_its_own_reason_over_kills_of_connect(shop: Shop, stack: Stack) -> None:
    """Nothing missing, nothing extra, nothing in another order, no reason lost or given to another change."""
    shop.installation.run(workers=1)
    strikes = 0
    while strikes < 2:
        begun = shop.installation.ends()
        shop.work(400)
        shop.installation.wait(lambda begun=begun: shop.installation.ends() > begun, 60, look_every=0.005)  # type: ignore[misc]
        stack.kill("connect")
        reached = shop.installation.ends()
        shop.work(150)  # nobody listens
        stack.start("connect", detached=OUTLIVES)
        _settle(shop)
        print(f"killed with {reached - begun} records of the round told")
        strikes += 1
    shop.work(20)
    _settle(shop)
    assert shop.published() == shop.facts
    consumed, published, ignored, dead, parked, events = shop.counts()[:6]
    assert (dead, parked, events) == (0, 0, shop.events)
    assert consumed == published + ignored
    assert {way for told in shop.facts.values() for _, way, _ in told} > {None}
