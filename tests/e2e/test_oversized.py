"""Events larger than their topic takes, on the real broker: dead letters, and what stands around them goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from gateway.stack import Stack
from tests.faults.installation import Installation, read_all

from .test_bad_input import Pen, Sent, key_of

pytestmark = pytest.mark.stack

TEXTS = Path(__file__).parents[1] / "faults" / "texts"
MEGABYTE = 1024 * 1024


def note(pen: Pen, thing: int, number: int, size: int) -> Sent:
    """A new note on a thing, of so many bytes."""
    after = {"part_id": number, "thing_id": thing, "note": "y" * size}
    value = json.dumps(pen.envelope("c", None, after, "part")).encode()
    return pen.send(Sent(f"note {number}", key_of(thing), value, "published", "", thing))


def alter(installation: Installation, topic: str, name: str, value: str) -> None:
    """Give a topic another setting."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, installation.prefix + topic, incremental_configs=[entry])
    for future in installation.admin.incremental_alter_configs([resource]).values():
        future.result(20)


def test_a_2_mb_event_for_a_topic_of_1_mb_is_one_dead_letter_and_the_others_go_on(stack: Stack, prefix: str) -> None:
    installation = Installation(stack.endpoints.bootstrap, stack.endpoints.registry_url, prefix, TEXTS)
    try:
        installation.create()
        installation.push()
        alter(installation, installation.public, "max.message.bytes", str(MEGABYTE))
        alter(installation, installation.raw, "retention.ms", "-1")  # its records are old: the broker would delete them
        pen = Pen(installation)
        expected = [(1, 10), (2, 20), (3, 11), (3, 12)]
        note(pen, 1, 10, 100)
        note(pen, 2, 20, 900_000)
        too_large = note(pen, 4, 30, 2 * MEGABYTE)
        for number in (11, 12):
            note(pen, 3, number, 100)
        pen.end()
        gateway = installation.run()
        installation.wait(lambda: installation.settled() >= pen.rows, 60, lambda: str(installation.counts()))
        assert sorted((one.aggregate, one.amount) for one in installation.published()) == expected
        (letter,) = read_all(installation.bootstrap, f"{pen.topic}.dlq")
        assert (letter.key, letter.value) == (too_large.key, too_large.value)
        assert letter.headers["gateway.class"] == b"oversized"
        assert b"takes 1048576" in letter.headers["__connect.errors.exception.message"]
        totals = [sum(column) for column in zip(*installation.counts(), strict=True)]
        assert totals[:6] == [5, 4, 0, 1, 0, 4]
        assert not gateway.said("transaction ended"), gateway.told()  # told where one was aborted
    finally:
        installation.close()
