"""Every topic of an installation: what it should be, and making it so. Workers create none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.mapping.compiled import CompiledMapping
from gateway.model.capture import TopicFacts, TopicSpec
from gateway.model.errors import ConfigError
from gateway.services.capture_settings import TopicSettings

__all__ = ["Installation", "TopicAdmin", "TopicPlan", "create_topics", "plan_topics", "topic_specs"]

_HOUR_MS = 3_600_000
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


class Installation(Protocol):
    """What names an installation (``Settings`` does)."""

    @property
    def prefix(self) -> str:
        """Stands before all topics."""
        ...

    @property
    def topic_prefix(self) -> str:
        """Debezium's topic.prefix without the installation's."""
        ...


class TopicAdmin(Protocol):
    """Describes, creates and alters topics. DependencyError: the cluster is away; ConfigError: it refuses."""

    def describe(self, specs: Sequence[TopicSpec]) -> Mapping[str, TopicFacts]:
        """Those that exist, with the settings the spec speaks of."""
        ...

    def create(self, specs: Sequence[TopicSpec]) -> None:
        """Create; existing ones are left alone."""
        ...

    def alter(self, specs: Sequence[TopicSpec]) -> None:
        """Give existing topics the spec's settings."""
        ...


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """What is to do: topics to create and topics whose settings differ, with how they are now."""

    missing: tuple[TopicSpec, ...]
    different: tuple[TopicSpec, ...]
    now: Mapping[str, TopicFacts]


def topic_specs(
    installation: Installation, mappings: Iterable[CompiledMapping], settings: TopicSettings
) -> tuple[TopicSpec, ...]:
    """All topics of the installation: raw and dead letters, markers, state, control, audit, public.

    ConfigError: a name that Kafka does not take, or one topic that is to be both raw and public.
    """
    mappings = tuple(mappings)
    raw = _distinct(topic for mapping in mappings for topic in mapping.topics)
    public = _distinct(event.topic for mapping in mappings for event in mapping.events.values())
    if both := set(raw) & set(public):
        raise ConfigError(f"raw and public at once: {', '.join(sorted(both))}", where="source.topics, topic")
    build = _Builder(installation.prefix, settings)
    source = installation.topic_prefix
    raw_shape, letters = settings.raw.partitions, {"retention.ms": "-1"}
    return (
        *(build(name, raw_shape, {"retention.ms": _ms(settings.raw.retention_hours)}) for name in raw),
        *(build(f"{name}.dlq", raw_shape, letters) for name in raw),
        build(f"{source}.transaction", 1, {"retention.ms": _ms(settings.raw.retention_hours)}),
        build(f"__debezium-heartbeat.{installation.prefix}{source}", 1, {"retention.ms": str(_HOUR_MS)}),
        build("gateway.state", settings.state_partitions, {"cleanup.policy": "compact"}),
        build("gateway.control", 1, {"retention.ms": "-1"}),
        build("gateway.audit", 1, {"retention.ms": _ms(settings.audit_retention_hours)}),
        *(
            build(name, settings.public.partitions, {"retention.ms": _ms(settings.public.retention_hours)})
            for name in public
        ),
    )


def plan_topics(admin: TopicAdmin, specs: Sequence[TopicSpec]) -> TopicPlan:
    """Compare what is with what should be. ConfigError names every topic with a wrong partition count."""
    now = admin.describe(specs)
    wrong = [spec for spec in specs if spec.name in now and now[spec.name].partitions != spec.partitions]
    if wrong:
        told = "; ".join(f"{one.name} has {now[one.name].partitions}, wanted are {one.partitions}" for one in wrong)
        hint = (
            "partitions decide where keys go and never change in place: set topics.raw.partitions or "
            "topics.public.partitions in connect/settings.yaml to what is there, or use a new topic"
        )
        raise ConfigError(f"wrong partition counts: {told}", where="topics", hint=hint)
    return TopicPlan(
        missing=tuple(spec for spec in specs if spec.name not in now),
        different=tuple(spec for spec in specs if spec.name in now and dict(now[spec.name].config) != spec.config),
        now=now,
    )


def create_topics(
    admin: TopicAdmin,
    installation: Installation,
    mappings: Iterable[CompiledMapping],
    settings: TopicSettings | None = None,
) -> TopicPlan:
    """Create what is missing and mend settings that differ; running it again changes nothing. Returns what was done.

    ConfigError: a topic exists with another partition count. DependencyError: the cluster is away.
    """
    plan = plan_topics(admin, topic_specs(installation, mappings, settings or TopicSettings()))
    admin.create(plan.missing)
    admin.alter(plan.different)
    return plan


class _Builder:
    """Puts the prefix, the replication and the largest record into each spec."""

    def __init__(self, prefix: str, settings: TopicSettings) -> None:
        self.prefix, self.settings = prefix, settings

    def __call__(self, name: str, partitions: int, config: Mapping[str, str]) -> TopicSpec:
        full = f"{self.prefix}{name}"
        if not _TOPIC.fullmatch(full):
            raise ConfigError(f"{full!r} cannot be a topic's name", where="prefix, source.topics, topic")
        largest = {"cleanup.policy": "delete", "max.message.bytes": str(self.settings.largest_record)}
        return TopicSpec(full, partitions, self.settings.replication, {**largest, **config})


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _ms(hours: int) -> str:
    return str(hours if hours < 0 else hours * _HOUR_MS)
