"""The preflight (`gateway doctor`): gathers what the surroundings say, and has each area examined."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.mapping.compiled import CompiledMapping
from gateway.model.capture import ConnectorState, RoleFacts, TopicFacts, TopicSpec
from gateway.model.errors import ConfigError, GatewayError
from gateway.model.preflight import (
    ConnectWorkerFacts,
    PublicationDetails,
    RightsFacts,
    ServerFacts,
    SlotDetails,
    TableDetails,
)
from gateway.services.capture import Capture
from gateway.services.doctor_connect import ConnectSide, examine_connect
from gateway.services.doctor_database import DatabaseSide, examine_database
from gateway.services.doctor_mappings import examine_mappings
from gateway.services.doctor_registry import examine_registry, subjects
from gateway.services.doctor_report import Area, AreaReport, Diagnosis
from gateway.services.doctor_topics import ASKED, TopicSide, examine_topics
from gateway.services.schemas import Contract, ContractRegistry
from gateway.services.topics import Installation, topic_specs

__all__ = ["ConnectInspector", "DatabaseInspector", "Doctor", "Inspectors", "TopicInspector"]


class DatabaseInspector(Protocol):
    """Looks at the legacy database and changes nothing. DependencyError: it is away; ConfigError: it refuses."""

    @property
    def name(self) -> str:
        """Name of the database."""
        ...

    def server(self) -> ServerFacts:
        """Version and settings of the server."""
        ...

    def details(self, names: Sequence[str]) -> Mapping[str, TableDetails]:
        """Those of the tables that exist."""
        ...

    def published(self, name: str) -> PublicationDetails | None:
        """The publication; None: it does not exist."""
        ...

    def slot_details(self, name: str) -> SlotDetails | None:
        """The replication slot; None: it does not exist."""
        ...

    def role(self, name: str) -> RoleFacts | None:
        """The role; None: it does not exist."""
        ...

    def rights(self, role: str, names: Sequence[str]) -> RightsFacts:
        """What the role, which exists, may read of the tables."""
        ...


class ConnectInspector(Protocol):
    """Looks at Kafka Connect. DependencyError: it is away or busy; ConfigError: it refuses."""

    def worker(self) -> ConnectWorkerFacts:
        """Version and plugins of the worker that answers."""
        ...

    def validate(self, config: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
        """What worker and plugin would object to, by option; nothing is made or changed."""
        ...

    def config(self, name: str) -> Mapping[str, str] | None:
        """The connector's configuration; None: there is no such connector."""
        ...

    def state(self, name: str) -> ConnectorState | None:
        """How connector and task are; None: there is no such connector."""
        ...


class TopicInspector(Protocol):
    """Looks at topics. DependencyError: the cluster is away; ConfigError: it refuses."""

    def describe(self, specs: Sequence[TopicSpec]) -> Mapping[str, TopicFacts]:
        """Those that exist, with the settings that their spec speaks of."""
        ...

    def brokers(self) -> int:
        """How many brokers there are."""
        ...


@dataclass(frozen=True, slots=True)
class Inspectors:
    """The outside. ``database`` None: no ``legacy_dsn`` is set."""

    database: DatabaseInspector | None
    connect: ConnectInspector
    topics: TopicInspector
    registry: ContractRegistry


class Doctor:
    """Examines one installation; changes nothing."""

    def __init__(
        self,
        installation: Installation,
        mappings: Sequence[CompiledMapping],
        contracts: Sequence[Contract],
        capture: Capture,
        outside: Inspectors,
    ) -> None:
        self._installation, self._mappings, self._contracts = installation, mappings, contracts
        self._capture, self._plan, self._outside = capture, capture.plan, outside

    def examine(self, only: Collection[Area] = tuple(Area)) -> Diagnosis:
        """Look at the areas. Never raises for what it finds: an area that cannot be looked at says so."""
        looks: Mapping[Area, Callable[[], AreaReport]] = {
            Area.DATABASE: self._database,
            Area.CONNECT: self._connect,
            Area.TOPICS: self._topics,
            Area.REGISTRY: self._registry,
            Area.MAPPINGS: self._tables,
        }
        return Diagnosis(tuple(_looked(area, look) for area, look in looks.items() if area in only))

    def _reach(self) -> DatabaseInspector:
        if self._outside.database is None:
            hint = "set legacy_dsn (GATEWAY_LEGACY_DSN) to an administrator's, or leave this out with --only"
            raise ConfigError("the legacy database cannot be looked at", where="legacy_dsn", hint=hint)
        return self._outside.database

    def _names(self) -> list[str]:
        return [table.name for table in self._plan.tables]

    def _database(self) -> AreaReport:
        database, plan = self._reach(), self._plan
        role = database.role(plan.role)
        side = DatabaseSide(
            name=database.name,
            server=database.server(),
            tables=database.details(self._names()),
            publication=database.published(plan.publication),
            slot=database.slot_details(plan.slot),
            role=role,
            rights=database.rights(plan.role, self._names()) if role else RightsFacts(frozenset(), frozenset()),
            heartbeat=self._capture.settings.options.get("heartbeat.action.query", ""),
        )
        return examine_database(plan, side)

    def _connect(self) -> AreaReport:
        connect, name = self._outside.connect, self._plan.connector
        worker, current = connect.worker(), connect.config(name)
        try:
            _, wanted = self._capture.configs()
            uncompared = ""
        except ConfigError as error:
            wanted, uncompared = None, str(error)
        side = ConnectSide(
            worker=worker,
            state=connect.state(name),
            config=current,
            wanted=wanted,
            faults=self._objections(worker, current, wanted),
            server=self._server_version(),
            uncompared=uncompared,
        )
        return examine_connect(self._plan, side)

    def _objections(
        self, worker: ConnectWorkerFacts, current: Mapping[str, str] | None, wanted: Mapping[str, str] | None
    ) -> Mapping[str, Sequence[str]]:
        config = wanted if wanted is not None else current
        if config is None or config.get("connector.class") not in worker.plugins:
            return {}
        once = "exactly.once.support"
        found = self._outside.connect.validate({**config, once: "required"})
        if current is not None:
            return found
        # No connector yet, so no capture role or password either: only what the worker says of itself counts.
        return {option: said for option, said in found.items() if option == once}

    def _server_version(self) -> int:
        try:
            return self._outside.database.server().version if self._outside.database else 0
        except GatewayError:
            return 0  # the database's own area tells what is wrong with it

    def _topics(self) -> AreaReport:
        specs = topic_specs(self._installation, self._mappings, self._capture.settings.topics)
        asked = [replace(spec, config={**dict.fromkeys(ASKED, ""), **spec.config}) for spec in specs]
        topics = self._outside.topics
        raw = frozenset(table.topic for table in self._plan.tables)
        reference = self._reference()
        asked += [TopicSpec(name, 1, 1, {"cleanup.policy": ""}) for name in reference]
        return examine_topics(TopicSide(specs, topics.describe(asked), topics.brokers(), raw, reference))

    def _reference(self) -> Mapping[str, str]:
        """Topics of reference data, and which lookups need them."""
        needed: dict[str, list[str]] = {}
        for mapping in self._mappings:
            for lookup in mapping.lookups.values():
                needed.setdefault(f"{self._installation.prefix}{lookup.topic}", []).append(
                    f"{mapping.file}: {lookup.name}"
                )
        return {topic: ", ".join(names) for topic, names in needed.items()}

    def _registry(self) -> AreaReport:
        return examine_registry(self._contracts, subjects(self._outside.registry, self._contracts))

    def _tables(self) -> AreaReport:
        return examine_mappings(self._plan, self._mappings, self._reach().details(self._names()))


def _looked(area: Area, look: Callable[[], AreaReport]) -> AreaReport:
    try:
        return look()
    except GatewayError as error:
        return AreaReport(area, unseen=str(error))
