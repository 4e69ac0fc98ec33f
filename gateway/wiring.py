"""Where abstract meets concrete: settings in, services on real adapters out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from gateway.adapters.clock import SystemClock
from gateway.adapters.connect import ConnectRest
from gateway.adapters.kafka_cluster import KafkaCluster
from gateway.adapters.kafka_group import KafkaGroup
from gateway.adapters.kafka_log import KafkaLog
from gateway.adapters.kafka_sink import TRANSACTION_TIMEOUT, KafkaSink
from gateway.adapters.kafka_source import KafkaSource
from gateway.adapters.log_readers import MarkerTopic, StateTopic
from gateway.adapters.registry import ConfluentRegistry
from gateway.adapters.spill import DiskSpill
from gateway.adapters.sql import LegacyDatabase
from gateway.adapters.sql_preflight import LegacyPreflight
from gateway.adapters.topics import KafkaTopics
from gateway.bridge.commands import Command
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.pipeline.admit import Incarnations
from gateway.pipeline.assemble import TailRules
from gateway.pipeline.avro_in import SchemaById
from gateway.pipeline.decode import Decoder
from gateway.pipeline.encode import WireSettings
from gateway.pipeline.limits import Limits
from gateway.pipeline.reference import columns_of
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.spool import Budget, SpillFile, Spooling
from gateway.ports import Cluster, SchemaRegistry
from gateway.services.capture import Capture
from gateway.services.capture_plan import capture_plan
from gateway.services.capture_settings import load_capture_settings
from gateway.services.control import ControlDesk, Desk, new_id
from gateway.services.control_history import read_history
from gateway.services.control_targets import raw_partitions
from gateway.services.doctor import Doctor, Inspectors
from gateway.services.rollout import Rollout
from gateway.services.rollout_plan import Judge
from gateway.services.rule_versions import RuleVersion, read_version, version_of_folder
from gateway.services.schemas import contracts_of
from gateway.services.worker import Worker
from gateway.services.worker_limits import batch_size, largest_records, written_topics
from gateway.services.worker_outages import Outages
from gateway.services.worker_plan import Outside, RawTopic, WorkerPlan
from gateway.services.worker_start import AskedOnce, Waiting, check_topics, look_up_schemas
from gateway.settings import Settings
from gateway.telemetry.signals import Telemetry

__all__ = [
    "Rolling",
    "plan_worker",
    "raw_topics",
    "stored_topics",
    "wire_capture",
    "wire_cluster",
    "wire_desk",
    "wire_doctor",
    "wire_group",
    "wire_legacy",
    "wire_log",
    "wire_raw_schemas",
    "wire_registry",
    "wire_rollout",
    "wire_state",
    "wire_topics",
    "wire_worker",
]

_PATIENCE = 20.0
_UNDECIDED = TRANSACTION_TIMEOUT + 15


def wire_registry(settings: Settings) -> ConfluentRegistry:
    """The schema registry."""
    return ConfluentRegistry(settings.registry_url, settings.registry)


def wire_topics(settings: Settings) -> KafkaTopics:
    """Topics of the cluster."""
    return KafkaTopics(settings.bootstrap, settings.kafka)


def wire_capture(settings: Settings, mappings: Sequence[CompiledMapping]) -> Capture:
    """Capture of this installation. ConfigError: settings.yaml or the mappings do not allow one."""
    chosen = load_capture_settings(settings.connect, os.environ)
    return Capture(
        capture_plan(mappings, prefix=settings.prefix, topic_prefix=settings.topic_prefix, user=chosen.database.user),
        chosen,
        settings.connect,
        ConnectRest(settings.connect_url),
        wire_topics(settings),
        LegacyDatabase(settings.legacy_dsn) if settings.legacy_dsn else None,
    )


def wire_doctor(settings: Settings, mappings: Sequence[CompiledMapping]) -> Doctor:
    """The preflight of this installation. ConfigError: settings.yaml or the mappings do not allow one."""
    outside = Inspectors(
        database=LegacyPreflight(settings.legacy_dsn) if settings.legacy_dsn else None,
        connect=ConnectRest(settings.connect_url),
        topics=KafkaTopics(settings.bootstrap, settings.kafka, patience=10.0),
        registry=wire_registry(settings),
    )
    contracts = contracts_of(mappings, settings.topic, settings.mappings)
    return Doctor(settings, mappings, contracts, wire_capture(settings, mappings), outside)


def wire_legacy(settings: Settings) -> LegacyDatabase:
    """The legacy database. ConfigError: settings name none."""
    if not settings.legacy_dsn:
        raise ConfigError("no legacy database is set", where="legacy_dsn", hint="GATEWAY_LEGACY_DSN or gateway.yaml")
    return LegacyDatabase(settings.legacy_dsn)


def wire_cluster(settings: Settings, patience: float = _PATIENCE) -> KafkaCluster:
    """Questions to the Kafka cluster; ``patience``: seconds for which each is asked again."""
    return KafkaCluster(settings.bootstrap, settings.kafka, patience)


def wire_group(settings: Settings) -> KafkaGroup:
    """The workers' consumer group, from outside. A killed worker's transaction may be undecided for a while."""
    return KafkaGroup(settings.bootstrap, settings.topic(settings.group), settings.kafka, patience=_UNDECIDED)


def wire_state(settings: Settings, name: str) -> StateTopic:
    """A reader of the state topic; ``name`` is its private group's."""
    return StateTopic(wire_log(settings, name), settings.topic("gateway.state"))


def wire_log(settings: Settings, name: str) -> KafkaLog:
    """A reader of any topics; ``name`` is its private group's."""
    return KafkaLog(settings.bootstrap, settings.kafka, f"{settings.prefix}{settings.group}.{name}")


def wire_raw_schemas(settings: Settings) -> SchemaById | None:
    """Where writers' schemas of raw records are looked up; None where these are JSON."""
    return wire_registry(settings).schema if settings.raw_format == "avro" else None


def plan_worker(
    settings: Settings,
    mappings: Sequence[CompiledMapping],
    schema_ids: Mapping[str, int],
    slot: int,
    *,
    fresh: bool,
    avro: SchemaById | None = None,
    largest: Mapping[str, int] | None = None,
    spill: Callable[[], SpillFile] | None = None,
) -> WorkerPlan:
    """What worker ``slot`` of this process is to do. ``fresh``: partitions without an offset begin at their start.

    ``avro`` looks up writers' schemas where raw values are Avro; ``largest``: the largest record that topics take;
    ``spill`` opens a file for transactions that are too large for memory.
    """
    return WorkerPlan(
        topics=raw_topics(settings, mappings, schema_ids, avro=avro, largest=largest, spill=spill),
        state_topic=settings.topic("gateway.state"),
        control_topic=settings.topic("gateway.control"),
        source_name=settings.topic(settings.topic_prefix),
        transactional_id=f"{settings.topic(settings.group)}.{settings.instance}.{slot}",
        incarnations=_incarnations(settings),
        from_beginning=fresh,
        interval=settings.commit_interval_ms / 1000,
        max_records=settings.transaction_max_records,
        max_bytes=settings.transaction_max_bytes,
        transaction_timeout=TRANSACTION_TIMEOUT,
        topic_check=settings.topic_check_seconds,
        reference={settings.topic(topic): columns for topic, columns in columns_of(mappings).items()},
        reference_max_bytes=settings.lookup_max_bytes,
        rules_of_folder=settings.rules == "folder",
        storm_parked=settings.storm_parked,
        storm_letters=settings.storm_letters,
    )


def _incarnations(settings: Settings) -> Incarnations:
    return tuple((one.name, one.since_ms) for one in settings.incarnations)


def raw_topics(
    settings: Settings,
    mappings: Sequence[CompiledMapping],
    schema_ids: Mapping[str, int],
    *,
    avro: SchemaById | None = None,
    largest: Mapping[str, int] | None = None,
    spill: Callable[[], SpillFile] | None = None,
) -> dict[str, RawTopic]:
    """How each raw topic is read under these mappings. Arguments as of ``plan_worker``."""
    source = settings.topic(settings.topic_prefix)
    incarnations = _incarnations(settings)
    wire = WireSettings(settings.prefix, settings.headers, incarnations=incarnations)
    limits = _limits(settings, largest or {})
    budget = Budget(settings.unit_memory_bytes)
    topics = {}
    for mapping in mappings:
        book = Rulebook.of(mapping, schema_ids, wire, limits=limits)
        public = tuple(sorted({settings.topic(event.topic) for event in mapping.events.values()}))
        sources = mapping.lookups.values()
        lookups = {one.name: replace(one, topic=settings.topic(one.topic)) for one in sources}
        for name in map(settings.topic, mapping.topics):
            decoder = Decoder(mapping.key, avro)
            spool = Spooling(decoder, budget, spill or partial(DiskSpill, settings.spill_folder))
            keyed = frozenset(mapping.tables)
            rules = TailRules(incarnations, source, settings.unit_max_bytes, keyed, spool=spool)
            topics[name] = RawTopic(name, mapping.name, mapping.digest, decoder, rules, book, public, lookups)
    return topics


def wire_desk(settings: Settings) -> ControlDesk:
    """Where commands are given."""
    transactional_id = f"{settings.topic(settings.group)}.control.{new_id()}"
    return ControlDesk(
        Desk(
            KafkaSink(settings.bootstrap, transactional_id, settings.kafka),
            wire_cluster(settings),
            wire_log(settings, "answers"),
            SystemClock(),
            time.sleep,
            settings.topic("gateway.control"),
            settings.topic("gateway.state"),
        )
    )


def _limits(settings: Settings, largest: Mapping[str, int]) -> Limits:
    return Limits(
        settings.record_max_bytes,
        largest,
        settings.set_max_events,
        settings.set_max_bytes,
        settings.transaction_max_records,
        settings.transaction_max_bytes,
    )


@dataclass(frozen=True, slots=True)
class Rolling:
    """What `gateway rollout` works with."""

    rollout: Rollout
    judge: Judge


@contextmanager
def wire_rollout(settings: Settings) -> Iterator[Rolling]:
    """Rollouts of this installation, as long as the block runs. ConfigError: its mappings' topics are not there."""
    cluster, log, desk = wire_cluster(settings), wire_log(settings, "control"), wire_desk(settings)
    source = KafkaSource(settings.bootstrap, settings.topic(settings.group), settings.kafka, settings.group_protocol)
    control = settings.topic("gateway.control")
    try:
        history = read_history(log, cluster, control)
        known = {topic for version in history.versions()[-1:] for topic in version.digests}
        places = raw_partitions(
            known or [settings.topic(one) for mapping in load(settings.mappings) for one in mapping.topics], cluster
        )
        yield Rolling(
            Rollout(desk, lambda: read_history(log, cluster, control), source.committed, places, time.sleep),
            Judge(
                settings.topic,
                lambda mappings: _check_new(settings, mappings, cluster),
                lambda stored: stored_topics(settings, stored, wire_registry(settings), cluster),
            ),
        )
    finally:
        desk.close()
        log.close()
        source.close()
        cluster.close()


def _check_new(settings: Settings, mappings: Sequence[CompiledMapping], cluster: Cluster) -> None:
    """ConfigError: a contract is not registered, or a topic does not exist."""
    look_up_schemas(wire_registry(settings), mappings, settings.prefix, AskedOnce())
    for topic in sorted({event.topic for mapping in mappings for event in mapping.events.values()}):
        cluster.shape(settings.topic(topic))


def stored_topics(
    settings: Settings,
    stored: Command,
    registry: SchemaRegistry,
    cluster: Cluster,
    avro: SchemaById | None = None,
    largest: Callable[[Sequence[str]], Mapping[str, int]] = lambda _: {},
) -> dict[str, RawTopic]:
    """How raw topics are read under a stored version. ``largest``: the largest records that topics take.

    ConfigError: it cannot be used; DependencyError: not yet.
    """
    version = RuleVersion(stored.version, stored.digests, stored.files)
    mappings = read_version(version, settings.topic)
    ids = look_up_schemas(registry, mappings, settings.prefix, AskedOnce())
    sizes = largest(written_topics(mappings, settings.prefix))
    topics = raw_topics(settings, mappings, ids, avro=avro, largest=sizes)
    for topic in sorted({topic for raw in topics.values() for topic in raw.public}):
        cluster.shape(topic)
    return topics


def wire_worker(
    settings: Settings, slot: int, telemetry: Telemetry, stopping: Callable[[], bool], *, fresh: bool = False
) -> Worker:
    """A worker on Kafka, ready to run; waits for the registry and the broker, saying so.

    ConfigError: mappings, contracts or topics are not as they must be. KeyboardInterrupt: ``stopping`` meanwhile.
    """
    mappings = load(settings.mappings)
    clock = SystemClock()
    waiting = Waiting(Outages(telemetry, clock), stopping)
    ids = look_up_schemas(wire_registry(settings), mappings, settings.prefix, waiting)
    largest = largest_records(wire_topics(settings), written_topics(mappings, settings.prefix), waiting)
    avro = wire_raw_schemas(settings)
    plan = plan_worker(settings, mappings, ids, slot, fresh=fresh, avro=avro, largest=largest)
    plan = replace(plan, folder=version_of_folder(settings.mappings, mappings, settings.topic))
    sizes = partial(largest_records, wire_topics(settings), waiting=AskedOnce())
    cluster = wire_cluster(settings, patience=0)  # it asks again itself, and tells
    check_topics(cluster, plan, waiting)
    group = settings.topic(settings.group)
    markers = MarkerTopic(wire_log(settings, "markers"), cluster, f"{plan.source_name}.transaction")
    return Worker(
        plan,
        Outside(
            KafkaSource(settings.bootstrap, group, settings.kafka, settings.group_protocol),
            KafkaSink(settings.bootstrap, plan.transactional_id, {**batch_size(largest), **settings.kafka}),
            cluster,
            StateTopic(wire_log(settings, "state"), plan.state_topic),
            markers,
            clock,
            telemetry,
            wire_log(settings, "lookups") if plan.reference else None,
            wire_log(settings, "control"),
            lambda stored: stored_topics(settings, stored, wire_registry(settings), cluster, avro, sizes),
        ),
    )
