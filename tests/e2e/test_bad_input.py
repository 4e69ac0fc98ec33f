"""Bad input through a real worker and broker: each record has its outcome, class and counter, and its bytes are kept.

All of it stands in one partition, a good record before and after each bad one: the good ones get through in order.
"""

from __future__ import annotations

import json
import random
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.faults.conftest import installation, seed  # noqa: F401 - fixtures
from tests.faults.installation import Gateway, Installation, Published, Record, read_all

pytestmark = pytest.mark.stack

PARTITION = 1
GOOD = 7
"""The thing that is always written well."""
TEN_MEGABYTES = 10 * 1024 * 1024
Key = bytes | None
Headers = list[tuple[str, bytes | None]]


@dataclass
class Sent:
    """A record as it was written, and what is expected of it: outcome, reason or class, park (None: it has no key)."""

    name: str
    key: Key
    value: bytes | None
    outcome: str
    reason: str
    thing: int | None
    headers: Headers = field(default_factory=list)
    timestamp: int = 0
    offset: int = -1


class Pen:
    """Writes into one raw partition as a connector does, one database transaction a change, and remembers it all."""

    def __init__(self, installation: Installation) -> None:  # noqa: F811
        self.prefix = installation.prefix
        self.topic = f"{installation.prefix}{installation.raw}"
        self.sent: list[Sent] = []
        self.good: list[int] = []
        self._tx_id, self._lsn, self._commit, self._clock = 700, 5_000, 4_000, 1_790_000_000_000
        self._producer = Producer(
            {
                "bootstrap.servers": installation.bootstrap,
                "transactional.id": f"{installation.prefix}pen",
                "message.max.bytes": 32 * 1024 * 1024,
            }
        )  # fmt: skip
        self._producer.init_transactions(30)
        self._open = False

    @property
    def rows(self) -> int:
        """Raw records written so far."""
        return len(self.sent)

    def envelope(self, op: str, before: object, after: object, table: str = "thing", **more: object) -> dict[str, Any]:
        """A change in a transaction of its own, the next in the database's order."""
        self._commit, self._tx_id = self._lsn, self._tx_id + 1
        self._lsn += 10
        self._clock += 5
        source = {
            "version": "3.7.0.Final", "connector": "postgresql", "name": f"{self.prefix}legacy", "ts_ms": self._clock,
            "snapshot": "false", "db": "legacy", "sequence": json.dumps([str(self._commit), str(self._lsn - 5)]),
            "schema": "shop", "table": table, "txId": self._tx_id, "lsn": self._lsn - 5, "xmin": None,
        }  # fmt: skip
        transaction = {"id": f"{self._tx_id}:{self._lsn}", "total_order": 1, "data_collection_order": 1}
        found = {"before": before, "after": after, "source": source, "transaction": transaction, "op": op}
        return {**found, "ts_ms": self._clock, **more}

    def update(self, thing: int, **after: object) -> bytes:
        """The value of an update of a thing, its amount 1 before."""
        before = row(thing, val=1)
        return json.dumps(self.envelope("u", before, {**before, **after})).encode()

    def send(self, sent: Sent) -> Sent:
        """One raw record, with a header and a timestamp of its own."""
        sent.timestamp = self._clock
        sent.headers = [("__debezium.context.task", b"0"), ("empty", None), ("case", sent.name.encode())]
        if len(self.sent) % 20 == 0:
            self._commit_written()
        self._produce(self.topic, sent)
        self.sent.append(sent)
        return sent

    def _commit_written(self) -> None:
        """What was written so far is visible; another Kafka transaction begins, as the connector's do anywhere."""
        if self._open:
            self._producer.commit_transaction(30)
        self._producer.begin_transaction()
        self._open = True

    def _produce(self, topic: str, sent: Sent) -> None:
        def told(error: object, message: Any) -> None:
            assert error is None
            sent.offset = message.offset()

        self._producer.produce(
            topic, sent.value, sent.key, PARTITION, headers=sent.headers, timestamp=sent.timestamp, on_delivery=told
        )

    def fine(self) -> Sent:
        """A good change of the good thing; its amount is its place among them."""
        amount = len(self.good) + 100
        self.good.append(amount)
        value = self.update(GOOD, val=amount)
        return self.send(Sent("good", key_of(GOOD), value, "published", "", None))

    def end(self) -> None:
        """END of the last transaction: what is written is complete."""
        value = {"status": "END", "id": f"{self._tx_id}:{self._lsn}", "ts_ms": self._clock, "event_count": 1}
        self._producer.produce(f"{self.prefix}legacy.transaction", json.dumps(value).encode(), b"{}", 0)
        self._commit_written()


def row(thing: int, **more: object) -> dict[str, object]:
    """A thing as its table holds it."""
    return {"thing_id": thing, "val": 1, "cod": "A", "upd_pgm": "TEST", **more}


def key_of(thing: int) -> bytes:
    """The record key of a thing."""
    return json.dumps({"thingId": thing}).encode()


def cases(pen: Pen) -> Iterator[Sent]:
    """Every kind of bad input, each of a thing of its own; made one by one, so that positions grow."""
    number = iter(range(101, 200))

    def dead(name: str, value: bytes | None, reason: str = "decode") -> Sent:
        thing = next(number)
        return Sent(name, key_of(thing), value, "dead_lettered", reason, thing)

    def change(name: str, reason: str, **after: object) -> Sent:
        thing = next(number)
        return Sent(name, key_of(thing), pen.update(thing, **after), "dead_lettered", reason, thing)

    yield dead("not JSON", b"this is not JSON")
    yield dead("not an envelope", b'{"hello": "world"}')
    yield dead("a list", b"[1, 2]")
    yield dead("an unknown operation", json.dumps(pen.envelope("?", None, row(1))).encode())
    yield dead("wrong magic byte", b"\x07\x00\x00\x00\x01" + b"abc")
    yield dead("a framed value where JSON is read", b"\x00\x00\x00\x00\x01" + b"abc")
    yield dead("invalid UTF-8", pen.update(99, cod="A").replace(b'"TEST"', b'"\xff\xfe"'))
    yield dead("an empty value", b"")
    yield dead("10 MB that are no JSON", b"x" * TEN_MEGABYTES)
    yield dead("half an envelope", pen.update(99)[:-40])
    for name, key in (("null key", None), ("an empty key", b""), ("a key that is no JSON", b"\xff")):
        yield Sent(name, key, pen.update(99, val=2), "dead_lettered", "decode", None)
    yield Sent("a null key column", b'{"thingId": null}', pen.update(99, val=2), "dead_lettered", "drift", None)
    yield change("an unlisted code", "decode", cod="Z")
    yield change("a number that is none", "decode", val="many")
    thing = next(number)
    incomplete = {name: value for name, value in row(thing).items() if name != "val"}
    value = json.dumps(pen.envelope("c", None, incomplete)).encode()
    yield Sent("an insert without a column", key_of(thing), value, "dead_lettered", "drift", thing)
    value = json.dumps(pen.envelope("u", None, row(thing + 1, val=2))).encode()
    yield Sent("an update without before", key_of(next(number)), value, "dead_lettered", "drift", thing + 1)
    yield change("an event that breaks its contract", "contract", val=None)
    truncate = json.dumps(pen.envelope("t", None, None)).encode()
    yield Sent("a truncate", None, truncate, "dead_lettered", "drift", None)

    def ignored(name: str, reason: str, value: bytes | None, thing: int = 300) -> Sent:
        return Sent(name, key_of(thing), value, "ignored", reason, None)

    yield ignored("a tombstone", "tombstone", None)
    yield ignored("a heartbeat", "heartbeat", b'{"ts_ms": 1790000000000}')
    yield ignored("a marker", "transaction", b'{"status": "BEGIN", "id": "1:1", "ts_ms": 1}')
    note = {"part_id": 1, "thing_id": 300, "note": "short"}
    ghost = json.dumps(pen.envelope("c", None, note, "ghost")).encode()
    yield ignored("an unknown table", "undeclared", ghost)
    lacking = {name: value for name, value in row(300).items() if name != "val"}
    yield ignored("an update without a column", "no-change", json.dumps(pen.envelope("u", row(300), lacking)).encode())
    large = json.dumps(pen.envelope("u", note, {**note, "note": "y" * TEN_MEGABYTES}, "part")).encode()
    yield ignored("10 MB in a column", "noise", large)
    first = next(one for one in pen.sent if one.name == "good")
    yield ignored("a duplicate", "duplicate", first.value, GOOD)


def _page(gateway: Gateway) -> str:
    with urllib.request.urlopen(gateway.said("serving")[0]["metrics"], timeout=5) as answer:
        return str(answer.read().decode())


def _counted(page: str, name: str, *labels: str) -> Counter[tuple[str, ...]]:
    """A counter's samples added up by these labels."""
    found: Counter[tuple[str, ...]] = Counter()
    for line in page.splitlines():
        if line.startswith(name + "{"):
            values = dict(re.findall(r'(\w+)="([^"]*)"', line))
            found[tuple(values[label] for label in labels)] += int(float(line.rsplit(" ", 1)[1]))
    return found


def _settle(installation: Installation, pen: Pen) -> None:  # noqa: F811
    pen.end()
    installation.wait(
        lambda: installation.settled() >= pen.rows, 60, lambda: f"{installation.settled()} of {pen.rows} are settled"
    )


def _amounts(events: list[Published], thing: int) -> list[int]:
    return [event.amount for event in events if event.aggregate == thing]


def _parked(installation: Installation) -> dict[str, dict[str, Any]]:  # noqa: F811
    """Park entries of the state topic by aggregate, each the last of its key."""
    records = read_all(installation.bootstrap, f"{installation.prefix}gateway.state")
    keys = [(json.loads(one.key or b"[]"), one.value) for one in records]
    return {key[3]: json.loads(value) for key, value in keys if key[0] == "park" and value}


def _check_letter(letter: Record, sent: Sent, pen: Pen) -> None:
    """Original bytes, and what stock tools and ours read of the fault."""
    assert (letter.partition, letter.key, letter.value) == (PARTITION, sent.key, sent.value), sent.name
    assert round(letter.timestamp * 1000) == sent.timestamp
    assert letter.headers["case"] == sent.name.encode()
    assert letter.headers["__debezium.context.task"] == b"0"
    told = {name: value.decode() for name, value in letter.headers.items()}
    errors = "__connect.errors."
    place = (told[errors + "topic"], told[errors + "partition"], told[errors + "offset"])
    assert place == (pen.topic, str(PARTITION), str(sent.offset))
    for name in ("stage", "class.name", "exception.class.name", "exception.message", "exception.stacktrace"):
        assert told[errors + name], f"{sent.name}: {name}"
    assert told["gateway.class"] == ("order-blocked" if sent.outcome == "parked" else sent.reason), sent.name
    assert told["gateway.attempt"] == "1"
    assert told["gateway.mapping"]
    assert re.fullmatch(r"(\d+|@\d+):1/1", told["unit"])


def test_each_bad_record_has_its_outcome_its_class_its_counter_and_keeps_its_bytes(
    installation: Installation,  # noqa: F811
) -> None:
    pen = Pen(installation)
    pen.fine()
    bad = []
    for case in cases(pen):
        bad.append(pen.send(case))
        pen.fine()
    gateway = installation.run()
    _settle(installation, pen)
    letters = [one for one in bad if one.outcome == "dead_lettered"]
    parks = {str(one.thing): one for one in letters if one.thing is not None}
    for case in parks.values():  # a later change of a parked thing is parked, too
        thing = case.thing or 0
        blocked = Sent("behind", key_of(thing), pen.update(thing, val=5), "parked", "", thing)
        letters.append(pen.send(blocked))
        pen.fine()
    free = [900, 901]
    for thing in free:
        pen.send(Sent("free", key_of(thing), pen.update(thing, val=thing), "published", "", None))
    _settle(installation, pen)
    _check_topics(installation, pen, letters, free)
    _check_parked(installation, parks)
    time.sleep(1.0)  # reports are half a second apart
    _check_counters(_page(gateway), pen, len(parks))
    assert len(gateway.said("worker started")) == 1, gateway.told()
    assert not gateway.said("worker ended") + gateway.said("partition stopped"), gateway.told()


def _check_topics(installation: Installation, pen: Pen, letters: list[Sent], free: list[int]) -> None:  # noqa: F811
    events = installation.published()
    assert _amounts(events, GOOD) == pen.good
    assert {event.aggregate for event in events} == {GOOD, *free}
    written = read_all(installation.bootstrap, f"{pen.topic}.dlq")
    assert [one.headers["case"].decode() for one in written] == [one.name for one in letters]
    for letter, sent in zip(written, letters, strict=True):
        _check_letter(letter, sent, pen)


def _check_parked(installation: Installation, parks: dict[str, Sent]) -> None:  # noqa: F811
    entries = _parked(installation)
    assert entries.keys() == parks.keys()
    for thing, entry in entries.items():
        assert (entry["class"], entry["head"], entry["n"]) == (parks[thing].reason, parks[thing].offset, 2)


def _check_counters(page: str, pen: Pen, parked: int) -> None:
    expected = Counter((one.outcome, one.reason) for one in pen.sent)
    assert _counted(page, "gateway_records_total", "outcome", "reason") == expected
    classes = Counter(one.reason for one in pen.sent if one.outcome == "dead_lettered")
    classes["order-blocked"] = parked
    assert _counted(page, "gateway_dead_letters_total", "class") == Counter({(k,): n for k, n in classes.items()})
    assert _counted(page, "gateway_parked_aggregates", "topic") == {(pen.topic,): parked}
    assert _counted(page, "gateway_findings_total", "finding")[("undeclared table shop.ghost",)] == 1


def _garbled(value: bytes, chance: random.Random) -> bytes:
    """A value with its `source` left alone (another position would be another change), the rest spoilt."""
    head, source, rest = re.split(rb'("source": \{.*?\})', value, maxsplit=1)
    parts = [bytearray(head), bytearray(rest)]
    for _ in range(chance.randint(1, 4)):
        part = chance.choice(parts)
        at = chance.randrange(len(part))
        end = at + chance.choice([1, 1, 1, 3, 10])
        part[at:end] = chance.choice(
            [b"", chance.randbytes(end - at), b'"', b"}", b"null", b"\xff", b"1e999", b"[[" * 9]
        )
    return bytes(parts[0]) + source + bytes(parts[1])


def test_whatever_stands_in_a_value_the_worker_goes_on_and_the_good_records_get_through(
    installation: Installation,  # noqa: F811
    seed: int,  # noqa: F811
) -> None:
    """500 garbled changes, each between two good ones: one outcome for each record, no crash, no stop."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    pen = Pen(installation)
    for number in range(500):
        if number % 2 == 0:
            pen.fine()
        thing = 1000 + number
        value = _garbled(pen.update(thing, val=number), chance)
        pen.send(Sent("garbled", key_of(thing), value, "", "", thing))
    pen.fine()
    gateway = installation.run()
    _settle(installation, pen)
    assert _amounts(installation.published(), GOOD) == pen.good
    totals = [sum(column) for column in zip(*installation.counts(), strict=True)]
    consumed, published, ignored, dead, parked = totals[:5]
    assert consumed == pen.rows == published + ignored + dead + parked
    assert dead > 100
    assert len(read_all(installation.bootstrap, f"{pen.topic}.dlq")) == dead + parked
    assert not gateway.said("worker ended") + gateway.said("partition stopped"), gateway.told()
