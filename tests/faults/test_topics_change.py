"""A raw topic that changes under running workers: more partitions, made anew, keys of another converter."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import NewPartitions, NewTopic

from .installation import PARTITIONS, Gateway, Installation
from .source import RawSource
from .test_kills import Load

pytestmark = pytest.mark.stack
SOON = {"GATEWAY_TOPIC_CHECK_SECONDS": "1"}
SETTLED_SINCE = re.compile(r"; (nothing was|records \d+ to \d+ were) settled since it was last looked at")


def refused(installation: Installation, gateway: Gateway) -> list[dict[str, Any]]:
    """The partitions that stopped, once the workers ended for it."""
    installation.wait(lambda: gateway.process.poll() is not None, 60)
    assert gateway.process.returncode == 2, gateway.told()
    return gateway.said("partition stopped")


def test_an_added_partition_stops_all_and_what_was_settled_since_is_named(
    installation: Installation, seed: int
) -> None:
    source = installation.source(seed)
    raw = installation.prefix + installation.raw
    gateway = installation.run(**SOON)
    with Load(source, 1_000, pause=0.1, chunk=100) as load:
        installation.wait(lambda: installation.settled() > 300, 60)
        installation.admin.create_partitions([NewPartitions(raw, PARTITIONS + 1)])[raw].result(10)
        added = time.monotonic()
        stopped = refused(installation, gateway)
        print(f"ended {time.monotonic() - added:.1f} s after the partition was added")
        load.end()
    assert {line["partition"] for line in stopped} >= set(range(PARTITIONS))
    of_old_ones = [line["error"] for line in stopped if "settled since" in line["error"]]
    assert len(of_old_ones) >= PARTITIONS
    assert all("now it is" in told and SETTLED_SINCE.search(told) for told in of_old_ones), of_old_ones


def test_a_topic_made_anew_stops_all_partitions(installation: Installation, seed: int) -> None:
    source = installation.source(seed)
    source.write(400)
    gateway = installation.run(**SOON)
    installation.wait_until_settled(source)
    raw = installation.prefix + installation.raw
    installation.admin.delete_topics([raw])[raw].result(20)
    installation.wait(lambda: created(installation, raw), 30)
    installation.wait(lambda: len(gateway.said("partition stopped")) == PARTITIONS, 60)
    assert all(SETTLED_SINCE.search(line["error"]) for line in gateway.said("partition stopped")), gateway.told()


def created(installation: Installation, topic: str) -> bool:
    """Whether the topic could be created: the broker forgets a deleted one in its own time."""
    try:
        installation.admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(20)
    except KafkaException:
        return False
    return True


class ConvertedSource(RawSource):
    """Its key converter writes the schema into each key once it was changed."""

    changed = False

    def _record(self, *arguments: Any, **more: Any) -> tuple[str, bytes | None, bytes | None]:
        topic, key, value = super()._record(*arguments, **more)
        if self.changed:
            key = json.dumps({"schema": {"type": "struct"}, "payload": json.loads(key or b"")}).encode()
        return topic, key, value


def test_a_changed_key_converter_stops_every_partition_before_its_first_record(
    installation: Installation, seed: int
) -> None:
    print(f"seed {seed}")
    source = ConvertedSource(installation.bootstrap, installation.prefix, seed)
    source.write(600)
    gateway = installation.run()
    installation.wait_until_settled(source)
    events, settled = installation.published(), installation.settled()
    source.changed = True
    source.write(600)
    installation.wait(lambda: len(gateway.said("partition stopped")) == PARTITIONS, 60)
    assert all("key converter was changed" in line["error"] for line in gateway.said("partition stopped"))
    assert (installation.published(), installation.settled()) == (events, settled)
