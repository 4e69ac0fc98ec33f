"""What earlier releases stored is read by this one, which goes on exactly where they stopped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import pytest

from gateway.adapters.files import read_recording
from gateway.adapters.log_readers import StateTopic
from gateway.adapters.memory import MemoryCluster, MemoryLog
from gateway.adapters.memory_offsets import MemoryOffsets
from gateway.authoring.offline import assemble, books_of, replay
from gateway.mapping.loader import load
from gateway.services.recover import recover
from gateway.services.recover_judge import Action
from gateway.services.state_topic import whole_state
from gateway.services.worker_state import remembered
from tests.golden.releases.make import SMALL, go_on, published_in_part
from tests.golden.releases.stored import FOLDER, fill, lines, releases, told, told_event, topics_of
from tests.unit.services import memory_world
from tests.unit.services.memory_world import PREFIX, MemoryInstallation

RAW, LETTERS, EVENTS = f"{PREFIX}thing.raw", f"{PREFIX}thing.raw.dlq", f"{PREFIX}thing.events"
STATE = f"{PREFIX}gateway.state"

of_each_release = pytest.mark.parametrize("release", releases())


def world_of(release: str) -> tuple[MemoryInstallation, dict[str, Any]]:
    """An installation as the release left it."""
    world = MemoryInstallation(0)
    return world, fill(world.broker, release)


def by_key(records: Iterable[list[Any]]) -> dict[tuple[str, int, str], list[Any]]:
    """Records of each aggregate, in order; those of several raw partitions stand in one public one as it happens."""
    found: dict[tuple[str, int, str], list[Any]] = defaultdict(list)
    for topic, partition, key, *rest in records:
        found[topic, partition, key].append(rest)
    return found


@of_each_release
def test_a_worker_goes_on_exactly_where_the_release_stopped(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same events with the same ids, sequences and bytes, the same letters; nothing of before comes again.

    Its standing order to pause is obeyed, and what it had published in part is gone on with.
    """
    world, cluster = world_of(release)
    monkeypatch.setattr(memory_world, "IDS", cluster["schema_ids"])
    world.source.rows = len(topics_of(world.broker, RAW))
    assert published_in_part(world)
    go_on(world, world.worker(fresh=False, mappings=load(FOLDER / release / "mappings"), **SMALL)[0])
    assert world.signals.stopped() == []
    now = by_key(map(told, topics_of(world.broker, EVENTS, LETTERS)))
    assert now == by_key(lines(FOLDER / release / "expected.jsonl.gz"))


@of_each_release
def test_its_state_its_parked_aggregates_and_its_progress_are_read(release: str) -> None:
    world, _ = world_of(release)
    cluster, reader = MemoryCluster(world.broker), StateTopic(MemoryLog(world.broker), STATE)
    known = remembered(whole_state(reader, cluster, STATE))
    assert {place.topic for place in known} == {RAW}
    assert sum(len(memory.parked) for memory in known.values()) >= 1
    letters = topics_of(world.broker, LETTERS)
    assert sum(entry.letters for memory in known.values() for entry in memory.parked.values()) == len(letters)
    stored = dict(world.broker.committed)
    world.broker.committed.clear()
    group = MemoryOffsets(world.group)
    done = recover(group, cluster, reader, STATE, {RAW}, write=True)
    assert {one.action for one in done.judged} == {Action.WRITE}
    assert world.broker.committed == stored


@of_each_release
def test_its_recording_means_what_it_meant(release: str) -> None:
    mappings = load(FOLDER / release / "mappings")
    _, cluster = world_of(release)
    units = assemble(read_recording(FOLDER / release / "recording.jsonl.gz"), mappings)
    events = replay(units, mappings, books_of(mappings, cluster["schema_ids"])).events
    assert [told_event(event) for event in events] == lines(FOLDER / release / "translated.jsonl.gz")


def test_this_release_is_among_those_stored() -> None:
    """`python -m tests.golden.releases.make VERSION` stores it."""
    assert version("strangler-gateway") in releases()
