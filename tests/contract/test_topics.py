"""Topics of an installation: created once, mended, refused where keys would move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.adapters.topics import KafkaTopics
from gateway.model.capture import TopicFacts, TopicSpec
from gateway.model.errors import ConfigError, DependencyError
from gateway.services.capture_settings import RetainedTopics, TopicSettings
from gateway.services.topics import TopicAdmin, create_topics, topic_specs
from gateway.settings import Settings
from tests.unit.capture.samples import aggregate, insurer


@dataclass
class MemoryTopics:
    """Topics in memory."""

    topics: dict[str, TopicFacts] = field(default_factory=dict)

    def describe(self, specs: Sequence[TopicSpec]) -> Mapping[str, TopicFacts]:
        return {spec.name: self.topics[spec.name] for spec in specs if spec.name in self.topics}

    def create(self, specs: Sequence[TopicSpec]) -> None:
        for spec in specs:
            self.topics.setdefault(spec.name, TopicFacts(spec.partitions, dict(spec.config)))

    def alter(self, specs: Sequence[TopicSpec]) -> None:
        for spec in specs:
            now = self.topics[spec.name]
            self.topics[spec.name] = TopicFacts(now.partitions, {**now.config, **spec.config})


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def admin(request: pytest.FixtureRequest) -> TopicAdmin:
    if request.param == "memory":
        return MemoryTopics()
    return KafkaTopics(request.getfixturevalue("stack").endpoints.bootstrap)


def test_everything_a_worker_needs_is_there_before_it(admin: TopicAdmin, prefix: str) -> None:
    settings = Settings(prefix=prefix)
    made = create_topics(admin, settings, insurer())
    assert {spec.name.removeprefix(prefix): spec.partitions for spec in made.missing} == {
        "legacy.customer.raw": 4,
        "legacy.policy.raw": 4,
        "legacy.customer.raw.dlq": 4,
        "legacy.policy.raw.dlq": 4,
        "legacy.transaction": 1,
        f"__debezium-heartbeat.{prefix}legacy": 1,
        "gateway.state": 16,
        "gateway.control": 1,
        "gateway.audit": 1,
        "customer.events": 4,
    }
    facts = admin.describe(topic_specs(settings, insurer(), TopicSettings()))
    assert facts[f"{prefix}gateway.state"].config["cleanup.policy"] == "compact"
    assert facts[f"{prefix}legacy.customer.raw"].config["cleanup.policy"] == "delete"
    assert facts[f"{prefix}legacy.customer.raw.dlq"].config["retention.ms"] == "-1"
    assert {one.config["max.message.bytes"] for one in facts.values()} == {str(32 * 1024 * 1024)}


def test_a_second_time_there_is_nothing_to_do(admin: TopicAdmin, prefix: str) -> None:
    settings = Settings(prefix=prefix)
    create_topics(admin, settings, insurer())
    again = create_topics(admin, settings, insurer())
    assert (again.missing, again.different) == ((), ())


def test_a_setting_that_differs_is_mended(admin: TopicAdmin, prefix: str) -> None:
    """A compacted raw topic would lose the rows of other tables under the same key."""
    settings = Settings(prefix=prefix)
    create_topics(admin, settings, insurer())
    wrong = TopicSpec(f"{prefix}legacy.customer.raw", 4, 1, {"cleanup.policy": "compact"})
    admin.alter([wrong])
    mended = create_topics(admin, settings, insurer())
    assert [spec.name for spec in mended.different] == [wrong.name]
    assert admin.describe([wrong])[wrong.name].config["cleanup.policy"] == "delete"


def test_another_partition_count_is_refused_by_name_and_numbers(admin: TopicAdmin, prefix: str) -> None:
    settings = Settings(prefix=prefix)
    create_topics(admin, settings, insurer())
    more = TopicSettings(raw=RetainedTopics(partitions=6, retention_hours=1))
    with pytest.raises(ConfigError, match=r"legacy\.customer\.raw has 4, wanted are 6.*settings\.yaml"):
        create_topics(admin, settings, insurer(), more)


def test_a_topic_that_is_raw_and_public_is_refused(admin: TopicAdmin) -> None:
    clash = aggregate("A", "customer.events", ("id",), {"s.t": {"id": "id"}})
    with pytest.raises(ConfigError, match="raw and public at once"):
        create_topics(admin, Settings(), (*insurer(), clash))


def test_a_name_that_kafka_does_not_take_is_refused(admin: TopicAdmin) -> None:
    with pytest.raises(ConfigError, match="cannot be a topic's name"):
        create_topics(admin, Settings(prefix="a b"), insurer())


def test_a_broker_that_is_away_is_a_dependency_that_failed(monkeypatch: Any) -> None:
    monkeypatch.setattr("gateway.adapters.topics._TIMEOUT", 1.0)
    with pytest.raises(DependencyError):
        create_topics(KafkaTopics("127.0.0.1:9"), Settings(), insurer())


@pytest.mark.stack
def test_what_kafka_refuses_is_told_with_the_topic(stack: Any, prefix: str) -> None:
    admin = KafkaTopics(stack.endpoints.bootstrap)
    with pytest.raises(ConfigError, match=f"{prefix}a"):
        admin.create([TopicSpec(f"{prefix}a", 1, 7)])
