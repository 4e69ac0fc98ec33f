"""The bench that one fault is tried on: topics and a gateway of its own, load, strikes with proofs, and the verdict."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, _listoffsets

from gateway.stack import Stack

from ..database import Database
from ..installation import PARTITIONS, Gateway, Installation, read_all
from .reference import Expected, translate
from .source import LabSource
from .verdict import Verdict, judge, judge_accounts, judge_letters, read_event, unit_of
from .watcher import Watcher

__all__ = ["Bench", "MismatchError"]

HERE = Path(__file__).parent
SLOW = {"GATEWAY_COMMIT_INTERVAL_MS": "400", "GATEWAY_TRANSACTION_MAX_RECORDS": "100000"}
"""Transactions that are open most of the time: where a strike falls, something is at stake."""


class MismatchError(AssertionError):
    """The reference translation and the source's own account do not agree: the yardstick is wrong."""


@dataclass
class Bench:
    """``strikes``: proven ones; ``recoveries``: seconds from a strike until all that was written before is settled."""

    stack: Stack
    installation: Installation
    folder: Path
    seed: int
    source: LabSource = field(init=False)
    chance: random.Random = field(init=False)
    strikes: int = 0
    recoveries: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raw_duplicates: int = 0
    database: Database | None = None
    concluded: Verdict | None = None
    _armed: int = 0
    _admin: Any = None

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.installation.mappings = HERE / "mappings"
        self.installation.create()
        self.installation.push()
        self.installation.kafka["group.instance.id"] = "lab"
        self.source = LabSource(self.installation.bootstrap, self.installation.prefix, self.seed)
        self.watcher = self._watch()

    def _watch(self) -> Watcher:
        topic = self.installation.prefix + self.installation.public
        return Watcher(self.installation.bootstrap, topic, PARTITIONS, _unit_of_message)

    # -- what runs ----------------------------------------------------------------------------------------------------

    def gateway(self, workers: int = 1, **environment: str) -> Gateway:
        """Start the gateway with failpoints in it. One worker is a static member: a successor need not wait."""
        more = {"GATEWAY_LAB": str(self.folder), "PYTHONPATH": str(HERE / "inject"), "GATEWAY_WORKER_CRASHES": "1000"}
        return self.installation.run(workers, **{**SLOW, **more, **environment})

    def anybody(self) -> None:
        """No static members from here on: there will be several."""
        self.installation.kafka.pop("group.instance.id", None)

    def serving(self, *gateways: Gateway) -> None:
        """Wait until each of them serves a partition."""
        for one in gateways:
            self.installation.wait(lambda one=one: bool(one.said("partition running")), 60)  # type: ignore[misc]

    @contextmanager
    def load(self, rows: int = 40, pause: float = 0.03) -> Iterator[None]:
        """Transactions all the time; what follows the load is settled before this is left."""
        enough = threading.Event()
        failed: list[BaseException] = []

        def write() -> None:
            try:
                while not enough.is_set():
                    self.source.write(rows, batch=self.chance.choice([7, 25, 60]))
                    time.sleep(pause)
            except BaseException as error:  # noqa: BLE001 - raised below, where it is seen
                failed.append(error)

        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        try:
            yield
        finally:
            enough.set()
            thread.join(60)
        if failed:
            raise failed[0]
        assert not thread.is_alive(), "the source does not get its rows written"

    # -- strikes ------------------------------------------------------------------------------------------------------

    def arm(self, point: str, action: str, count: int = 0) -> int:
        """Lay a strike out for whichever worker comes by first."""
        self._armed += 1
        wanted = {"point": point, "action": action, "count": count, "number": self._armed}
        (self.folder / "arm.new").write_text(json.dumps(wanted))
        (self.folder / "arm.new").rename(self.folder / "arm")
        return self._armed

    def struck(self, number: int, seconds: float = 60) -> dict[str, Any]:
        """Wait for a strike's proof, and count it."""
        found: list[dict[str, Any]] = []

        def proven() -> bool:
            with suppress(FileNotFoundError):
                lines = (self.folder / "proofs.jsonl").read_text().splitlines()
                found.extend(proof for proof in map(json.loads, lines) if proof["number"] == number)
            return bool(found)

        self.installation.wait(proven, seconds, lambda: f"strike {number} found nobody", look_every=0.02)
        self.strikes += 1
        return found[0]

    def hit(self, point: str, action: str, count: int = 0) -> dict[str, Any]:
        """Arm, wait until it struck, and then until the gateway is over it."""
        proof = self.struck(self.arm(point, action, count))
        self.recover()
        return proof

    def recover(self, seconds: float = 90, since: float | None = None) -> None:
        """Wait until all raw records that stand now are settled; the time it took is noted.

        An offset may stay below a commit marker behind the last record: then the counters tell.
        """
        begun = time.monotonic() if since is None else since
        ends = self._patient(self.stable_ends)

        def settled() -> bool:
            passed = all(at >= ends[number] for number, at in self._patient(self.committed).items())
            return passed or self.installation.settled() >= self.truth.rows > 0

        self.installation.wait(
            settled,
            seconds,
            lambda: f"not settled up to {ends}: {self._patient(self.committed)}",
            look_every=0.05,
        )
        self.recoveries.append(time.monotonic() - begun)

    def _patient(self, ask: Callable[[], dict[int, int]]) -> dict[int, int]:
        until = time.monotonic() + 60
        while True:
            try:
                return ask()
            except (KafkaException, TimeoutError):
                if time.monotonic() > until:
                    raise
                self._admin = None  # an old client never finds a restarted broker
                time.sleep(0.2)

    @property
    def admin(self) -> AdminClient:
        """A client that was not there before the broker's last restart."""
        self._admin = self._admin or AdminClient({"bootstrap.servers": self.installation.bootstrap, "log_level": 0})
        return self._admin

    def stable_ends(self) -> dict[int, int]:
        """By raw partition: up to where a read_committed reader can read now."""
        places = [TopicPartition(self.installation.prefix + self.installation.raw, n) for n in range(PARTITIONS)]
        latest = _listoffsets.OffsetSpec.latest()
        answers = self.admin.list_offsets(
            dict.fromkeys(places, latest), isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=5
        )
        return {place.partition: answer.result(10).offset for place, answer in answers.items()}

    def committed(self) -> dict[int, int]:
        """By raw partition: the group's offset."""
        group = f"{self.installation.prefix}gateway"
        answer = self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(5)
        found = {one.partition: one.offset for one in answer.topic_partitions or ()}
        return {number: found.get(number, -1) for number in range(PARTITIONS)}

    # -- the end ------------------------------------------------------------------------------------------------------

    def expected(self) -> Expected:
        """What the raw topic says by the reference translation, compared with what the source says it meant."""
        expected = translate(read_all(self.installation.bootstrap, self.installation.prefix + self.installation.raw))
        told, read = self._told(), dict(expected.sets)
        if self.database is not None:  # it tells no transactions
            read = {thing: [fact for _, facts in sets for fact in facts] for thing, sets in read.items()}
        if told != read:
            wrong = [thing for thing in told.keys() | read if told.get(thing) != read.get(thing)]
            one = wrong[0]
            raise MismatchError(f"thing {one} of {wrong[:5]}: the source meant {told.get(one)}, read: {read.get(one)}")
        if len(expected.letters) != sum(self.truth.letters.values()):
            raise MismatchError(f"{len(expected.letters)} letters by the reference, {self.truth.letters} by the source")
        return expected

    @property
    def truth(self) -> LabSource | Database:
        """Who knows what was meant."""
        return self.database or self.source

    def _told(self) -> dict[int, list[Any]]:
        if self.database is None:
            return {thing: list(sets) for thing, sets in self.source.told.items() if sets}
        return {thing: [(name, 0, amount) for name, amount in facts] for thing, facts in self.database.facts.items()}

    def verdict(self) -> Verdict:
        """Everything settled, read back and compared."""
        self.installation.wait_until_settled(self.truth, 120)
        where, topic = self.installation.bootstrap, self.installation.prefix + self.installation.public
        schemas, raw_topic = self.installation.schemas, self.installation.prefix + self.installation.raw
        expected = self.expected()
        committed = [read_event(one, schemas) for one in read_all(where, topic)]
        written = [read_event(one, schemas) for one in read_all(where, topic, "read_uncommitted")]
        self.installation.wait(lambda: self.watcher.failed != "" or len(self.watcher.seen) >= len(committed), 30)
        self.watcher.stop()
        assert not self.watcher.failed, self.watcher.failed
        verdict = judge(expected, committed, written, self.watcher.seen, self.watcher.torn)
        raw = {(one.partition, one.offset): (one.key, one.value) for one in read_all(where, raw_topic)}
        judge_letters(verdict, expected, read_all(where, raw_topic + ".dlq"), raw)
        judge_accounts(verdict, expected, [sum(column) for column in zip(*self.installation.counts(), strict=True)])
        self.raw_duplicates = expected.duplicates
        return verdict

    def fenced(self) -> int:
        """Transactions and processes that were refused because another had taken their place."""
        words = ("fenced", "generation", "epoch", "member", "transactional id", "were lost")
        count = 0
        for gateway in self.installation.running:
            for line in list(gateway.log):
                told = str(line.get("reason", "")).lower()
                count += line.get("event") == "transaction ended" and any(word in told for word in words)
        return count


def _unit_of_message(message: Any) -> object:
    return unit_of(message.key(), dict(message.headers() or ()))
