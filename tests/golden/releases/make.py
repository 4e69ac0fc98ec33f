"""Store what this release leaves behind, for later ones to go on from: once for each, from the repository's root.

    python -m tests.golden.releases.make 0.2.0

A worker over a broker in memory settles a part of a source's rows, parks two aggregates, is told to pause one of three
partitions, and leaves amid a large transaction that is published in part. That is stored; then it goes on to the end,
and what came out is stored as what is expected of later releases, too. Until a release is out, its folder may be
deleted and made again; afterwards nobody changes it.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from gateway.adapters.files import RecordingHeader, write_recording
from gateway.authoring.offline import assemble, books_of, replay
from gateway.bridge.commands import ALL, Kind, partition_target
from gateway.mapping.loader import load
from gateway.pipeline import cursor
from gateway.pipeline.progress import parse_progress
from gateway.services.worker import Worker
from tests.golden.releases.stored import FOLDER, told, told_event, topics_of, write_lines
from tests.unit.services.control_world import PLACES, command, desk, turns
from tests.unit.services.memory_world import IDS, MAPPINGS, PREFIX, MemoryInstallation
from tests.unit.services.test_worker import turn_until_settled

RAW, LETTERS, EVENTS = f"{PREFIX}thing.raw", f"{PREFIX}thing.raw.dlq", f"{PREFIX}thing.events"
MARKERS = f"{PREFIX}legacy.transaction"
SMALL: dict[str, Any] = {"transaction_max_records": 10}
PAUSED = 1


def main(release: str) -> None:
    """Write the folder of ``release``; one that is there is not touched."""
    folder = FOLDER / release
    folder.mkdir()
    shutil.copytree(MAPPINGS, folder / "mappings")
    world = MemoryInstallation(1, poison=frozenset({4, 9}))
    world.source.write(300)
    worker, _ = world.worker(**SMALL)
    turn_until_settled(world, worker)
    desk(world, [worker]).give(command(Kind.PAUSE, partition_target(*PLACES[PAUSED])))
    turns(world, [worker])
    cursor._RECORDS = 4  # else the whole of the large transaction is one step
    world.source.write_large([thing for thing in range(1, 26) if thing not in world.source.poison] * 2)
    while not published_in_part(world):
        turns(world, [worker], 1)
    worker.close()
    world.source.write(200)
    _store(world, folder, release)
    go_on(world, *world.worker(**SMALL)[:1])
    world.check()
    write_lines(folder / "expected.jsonl.gz", map(told, topics_of(world.broker, EVENTS, LETTERS)))
    print(f"{folder}: {world.settled()} rows, {len(topics_of(world.broker, EVENTS))} events in the end")


def published_in_part(world: MemoryInstallation) -> bool:
    """Whether a cursor stands in a committed progress."""
    return any(parse_progress(at.metadata).cursor for at in world.broker.committed.values())


def go_on(world: MemoryInstallation, worker: Worker) -> None:
    """Let a worker settle what there is but for the paused partition, resume that, and settle the rest."""
    turns(world, [worker], 400)
    assert 0 < world.settled() < world.source.rows
    desk(world, [worker]).give(command(Kind.RESUME, ALL))
    turn_until_settled(world, worker)
    worker.close()


def _store(world: MemoryInstallation, folder: Path, release: str) -> None:
    broker = world.broker
    topics = sorted({place.topic for place in broker.logs})
    ends = {
        name: [len(broker.logs[place]) for place in sorted(one for one in broker.logs if one.topic == name)]
        for name in topics
    }
    shapes = {name: broker.shape(name) for name in topics}
    cluster = {
        "release": release,
        "prefix": PREFIX,
        "schema_ids": IDS,
        "group": world.group.name,
        "topics": {
            name: {"id": shapes[name].topic_id, "partitions": len(ends[name]), "ends": ends[name]} for name in topics
        },
        "offsets": [[*place, *at] for (_, place), at in sorted(broker.committed.items())],
    }
    (folder / "cluster.json").write_text(json.dumps(cluster, indent=1) + "\n")
    write_lines(folder / "topics.jsonl.gz", (told(record, whole=True) for record in topics_of(broker)))
    recorded = topics_of(broker, RAW, MARKERS)
    write_recording(folder / "recording.jsonl.gz", recorded, RecordingHeader(note=f"release {release}"))
    mappings = load(folder / "mappings")
    events = replay(assemble(recorded, mappings), mappings, books_of(mappings, IDS)).events
    write_lines(folder / "translated.jsonl.gz", map(told_event, events))


if __name__ == "__main__":
    main(sys.argv[1])
