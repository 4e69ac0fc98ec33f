"""What stands in the raw topics: how many records, and whether all that legacy committed has arrived."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import reduce

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from demo.stage import QUIET, StageError
from gateway.pipeline.progress import NO_COUNTS, Counters, parse_progress

__all__ = ["RawTopics"]


class RawTopics:
    """Questions about raw topics, the transaction topic and the group that reads them."""

    def __init__(self, bootstrap: str, topics: Sequence[str], transaction_topic: str, group: str) -> None:
        self._bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap, **QUIET})
        known = self._admin.list_topics(timeout=10).topics
        self.places = [TopicPartition(topic, number) for topic in topics for number in known[topic].partitions]
        self._transactions = transaction_topic
        self._group = group
        self._reader = _reader(bootstrap, "demo-count", self.places)
        self._read = 0

    def count(self) -> int:
        """How many records stand in the raw topics by now, counted by reading them (read-committed)."""
        while records := self._reader.consume(5000, 0.1):
            self._read += sum(record.error() is None for record in records)
        return self._read

    def committed(self) -> dict[tuple[str, int], tuple[int, str]]:
        """The group's committed offset and metadata for every raw partition that has one."""
        (answer,) = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(self._group, self.places)]
        ).values()
        return {
            (place.topic, place.partition): (place.offset, place.metadata or "")
            for place in answer.result(10).topic_partitions or ()
            if place.offset >= 0
        }

    def settled(self) -> bool:
        """Whether the group has settled every record that stands in the raw topics."""
        return self.counts().consumed == self.count()

    def counts(self) -> Counters:
        """The durable counters of all partitions, as they stand beside the group's offsets."""
        progress = [parse_progress(metadata).counters for _, metadata in self.committed().values()]
        return reduce(Counters.plus, progress, NO_COUNTS)

    def close(self) -> None:
        """Let go of the connections."""
        self._reader.close()

    def await_ended(self, transactions: set[int], within: float, tell: Callable[[int], None]) -> None:
        """Wait until the connector has ended every transaction of the set; StageError after ``within`` seconds."""
        consumer = _reader(self._bootstrap, "demo-ends", [TopicPartition(self._transactions, 0)])
        missing, until = set(transactions), time.monotonic() + within
        try:
            while missing:
                for record in consumer.consume(500, 0.2):
                    if record.error() is None:
                        marker = json.loads(record.value() or b"{}")
                        if marker["status"] == "END":
                            missing.discard(int(marker["id"].split(":")[0]))
                tell(len(missing))
                if time.monotonic() > until:
                    raise StageError(
                        f"capture: {len(missing)} committed transactions did not arrive within {within:.0f} s"
                    )
        finally:
            consumer.close()


def _reader(bootstrap: str, name: str, places: Sequence[TopicPartition]) -> Consumer:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": name,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            **QUIET,
        }
    )
    consumer.assign([TopicPartition(place.topic, place.partition, 0) for place in places])
    return consumer
