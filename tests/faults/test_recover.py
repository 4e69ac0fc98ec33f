"""The group's offsets are gone while everything is under load: the command brings them back, exactly."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import _listoffsets
from typer.testing import CliRunner

from gateway.cli.recover import app

from .installation import PARTITIONS, Installation, Told, read_all
from .test_kills import Load

pytestmark = pytest.mark.stack
OffsetSpec: Any = _listoffsets.OffsetSpec


def recover(installation: Installation, *options: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, what it printed as JSON, what it said."""
    done = CliRunner(env=installation.environment()).invoke(app, ["-o", "json", *options])
    return done.exit_code, json.loads(done.stdout or "{}"), done.stderr


def members(installation: Installation) -> int:
    group = f"{installation.prefix}gateway"
    return len(installation.admin.describe_consumer_groups([group])[group].result(10).members)


def delete_offsets(installation: Installation) -> None:
    group = f"{installation.prefix}gateway"
    installation.wait(lambda: members(installation) == 0, 60)
    installation.admin.delete_consumer_groups([group])[group].result(10)


def test_offsets_deleted_under_load_come_back_exactly(installation: Installation, seed: int) -> None:
    """The source writes on all the while."""
    source = installation.source(seed, poison=frozenset({5, 50}))
    gateway = installation.run(workers=2)
    with Load(source, 3_000, pause=0.4) as load:
        installation.wait(lambda: installation.settled() > 500, 60)
        status, _, told = recover(installation, "--yes")
        assert (status, "members" in told) == (2, True), told
        assert gateway.stop() == 0
        settled = installation.settled()
        delete_offsets(installation)
        refused = installation.run()
        installation.wait(lambda: refused.process.poll() is not None, 60)
        assert refused.process.returncode == 2
        assert "gateway recover" in refused.told()
        status, shown, _ = recover(installation)
        assert (status, shown["written"], installation.settled()) == (1, False, 0)
        status, done, told = recover(installation, "--yes")
        assert status == 0, told
        assert [one["action"] for one in done["partitions"]] == ["write"] * PARTITIONS
        assert installation.settled() >= settled
        print(f"{installation.settled()} settled records came back, {settled} were counted before")
        installation.run(workers=2)
        load.end()
    installation.wait_until_settled(source)
    installation.check(source)


def test_a_partition_that_retention_overtook_stops_until_its_loss_is_accepted(
    installation: Installation, seed: int
) -> None:
    source = installation.source(seed)
    source.write(600)
    first = installation.run()
    installation.wait_until_settled(source)
    assert first.stop() == 0
    source.write(600)
    place = TopicPartition(installation.prefix + installation.raw, 2)
    end = next(answer.result(10) for answer in installation.admin.list_offsets({place: OffsetSpec.latest()}).values())
    low = end.offset - 20
    cut = installation.admin.delete_records([TopicPartition(place.topic, place.partition, low)])
    assert next(iter(cut.values())).result(10).low_watermark == low
    stopped = installation.run()
    installation.wait(lambda: bool(stopped.said("partition stopped")), 60)
    (line,) = stopped.said("partition stopped")
    found = re.search(rf"data loss: records (\d+) to {low - 1} were deleted before they were read", line["error"])
    assert found, line
    installation.wait(lambda: others_done(installation, source, place.partition), 60)
    assert stopped.stop() == 0
    status, shown, _ = recover(installation, "--yes")
    actions = {one["partition"]: one["action"] for one in shown["partitions"]}
    assert (status, actions) == (1, {0: "in place", 1: "in place", 2: "cannot", 3: "in place"})
    text = CliRunner(env=installation.environment()).invoke(app, []).stdout
    assert f"--accept-loss goes on at {low}" in text
    assert "3 in place, 1 cannot: nothing to write" in text
    status, shown, told = recover(installation, "--yes", "--accept-loss")
    assert status == 0, told
    assert shown["partitions"][2]["lost"] == [int(found[1]), low - 1]
    running = installation.run()
    installation.wait(lambda: committed(installation, place) >= end.offset - 1, 60)
    assert not running.said("partition stopped")


def committed(installation: Installation, place: TopicPartition) -> int:
    """The group's offset in one partition."""
    group = f"{installation.prefix}gateway"
    asked = [ConsumerGroupTopicPartitions(group, [place])]
    answer = installation.admin.list_consumer_group_offsets(asked)[group].result(10)
    return int(answer.topic_partitions[0].offset)


def others_done(installation: Installation, source: Told, lost: int) -> bool:
    """Whether things of all other partitions have every event that they should have, in order."""
    raw = read_all(installation.bootstrap, installation.prefix + installation.raw)
    things = {json.loads(record.key or b"{}")["thingId"] for record in raw if record.partition != lost}
    found: dict[int, list[tuple[str, int]]] = {}
    for event in installation.published():
        found.setdefault(event.aggregate, []).append((event.name, event.amount))
    return bool(things) and all(found.get(thing, []) == list(source.facts[thing]) for thing in things)
