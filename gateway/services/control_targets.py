"""What a person aims a command at → the targets in the log and the raw partitions that must answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gateway.bridge.commands import ALL, partition_target, topic_target
from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import ConfigError
from gateway.ports import Cluster, Partition

__all__ = ["Aim", "Aimed", "aim", "raw_partitions"]


@dataclass(frozen=True, slots=True)
class Aim:
    """As it was said: names with or without the installation's prefix, partitions as ``topic/number``."""

    everything: bool = False
    topics: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aimed:
    """Targets for the log, and the partitions they mean now."""

    targets: tuple[str, ...]
    places: tuple[Partition, ...]


def raw_partitions(topics: Iterable[str], cluster: Cluster) -> tuple[Partition, ...]:
    """All partitions of raw topics. ConfigError: one does not exist."""
    return tuple(Partition(topic, n) for topic in sorted(topics) for n in range(cluster.shape(topic).partitions))


def aim(
    said: Aim, mappings: Sequence[CompiledMapping], full: Callable[[str], str], cluster: Cluster
) -> Aimed:  # fmt: skip
    """Look up what is aimed at. ``full`` puts the prefix before a topic's name. ConfigError: nothing, or unknown."""
    known = {full(topic): mapping for mapping in mappings for topic in mapping.topics}
    every = raw_partitions(known, cluster)
    if said.everything:
        if said.topics or said.partitions or said.capabilities:
            raise ConfigError("--all beside a narrower target", hint="give one of them")
        return Aimed((ALL,), every)
    topics = {_topic(name, known, full) for name in said.topics}
    for name in said.capabilities:
        topics |= _of_capability(name, known)
    single = [_partition(text, known, full, every) for text in said.partitions]
    if not topics and not single:
        hint = "--all, --topic NAME, --partition NAME/3 or --capability NAME"
        raise ConfigError("it is not said what the command is for", hint=hint)
    targets = (*map(topic_target, sorted(topics)), *(partition_target(*place) for place in single))
    return Aimed(targets, tuple(place for place in every if place.topic in topics or place in single))


def _topic(name: str, known: Iterable[str], full: Callable[[str], str]) -> str:
    for candidate in (full(name), name):
        if candidate in known:
            return candidate
    raise ConfigError(f"no mapping reads the topic {name[:100]}", hint=f"known: {', '.join(sorted(known))}")


def _of_capability(name: str, known: dict[str, CompiledMapping]) -> set[str]:
    found = {topic for topic, mapping in known.items() if mapping.capability == name}
    if not found:
        names = sorted({mapping.capability for mapping in known.values()})
        raise ConfigError(f"no mapping has the capability {name[:100]}", hint=f"known: {', '.join(names)}")
    return found


def _partition(
    text: str, known: Iterable[str], full: Callable[[str], str], every: Sequence[Partition]
) -> Partition:  # fmt: skip
    match = re.fullmatch(r"(.+)/(\d{1,6})", text)
    if match is None:
        raise ConfigError(f"{text[:100]} is no partition", hint="write it as topic/number, such as customer.raw/3")
    place = Partition(_topic(match[1], known, full), int(match[2]))
    if place not in every:
        raise ConfigError(f"there is no partition {place}", hint="`gateway rollout status` lists them")
    return place
