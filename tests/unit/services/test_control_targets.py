"""What a command is aimed at: names as people say them, targets as the log has them, partitions that must answer."""

from __future__ import annotations

import pytest

from gateway.adapters.memory import MemoryBroker, MemoryCluster
from gateway.bridge.commands import ALL
from gateway.model.errors import ConfigError
from gateway.ports import Partition
from gateway.services.control_targets import Aim, Aimed, aim

from .memory_world import COMPILED, PREFIX

RAW = f"{PREFIX}thing.raw"


def aimed(said: Aim) -> Aimed:
    broker = MemoryBroker()
    broker.create(RAW, 3)
    return aim(said, COMPILED, lambda name: PREFIX + name, MemoryCluster(broker))


EVERY = tuple(Partition(RAW, number) for number in range(3))


@pytest.mark.parametrize(
    ("said", "targets", "places"),
    [
        (Aim(everything=True), (ALL,), EVERY),
        (Aim(topics=("thing.raw",)), (f"topic={RAW}",), EVERY),
        (Aim(topics=(RAW,)), (f"topic={RAW}",), EVERY),
        (Aim(capabilities=("things",)), (f"topic={RAW}",), EVERY),
        (Aim(partitions=("thing.raw/2", f"{RAW}/0")), (f"partition={RAW}/2", f"partition={RAW}/0"), EVERY[::2]),
    ],
)
def test_what_is_said_becomes_targets_and_the_partitions_that_must_answer(
    said: Aim, targets: tuple[str, ...], places: tuple[Partition, ...]
) -> None:
    assert aimed(said) == Aimed(targets, places)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Aim(), "not said"),
        (Aim(everything=True, topics=("thing.raw",)), "--all beside"),
        (Aim(topics=("thin.raw",)), "known: m.thing.raw"),
        (Aim(capabilities=("thing",)), "known: things"),
        (Aim(partitions=("thing.raw",)), "topic/number"),
        (Aim(partitions=("thing.raw/3",)), "no partition m.thing.raw"),
    ],
)
def test_what_is_unknown_is_told_with_what_is_known(said: Aim, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        aimed(said)
