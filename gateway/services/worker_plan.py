"""What a worker is told to do: topics with their rules, and limits. Made by the wiring, never changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.bridge.commands import Command
from gateway.mapping.compiled import LookupSource
from gateway.pipeline.admit import Incarnations
from gateway.pipeline.assemble import TailRules
from gateway.pipeline.decode import Decoder
from gateway.pipeline.rulebook import Rulebook
from gateway.ports import Clock, Cluster, EventSource, LogReader, MarkerReader, StateReader, TransactionalSink
from gateway.services.rule_versions import RuleVersion
from gateway.telemetry.signals import Telemetry

__all__ = ["Outside", "RawTopic", "WorkerPlan"]


@dataclass(frozen=True, slots=True)
class RawTopic:
    """How one raw topic is read. ``public``: topics its events go to; ``lookups``: what it looks up, by name."""

    topic: str
    mapping: str
    digest: str
    decoder: Decoder
    rules: TailRules
    book: Rulebook
    public: tuple[str, ...]
    lookups: Mapping[str, LookupSource] = field(default_factory=dict)

    @property
    def letters(self) -> str:
        """Where its dead letters go."""
        return f"{self.topic}.dlq"


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """Sizes in bytes, times in seconds. ``source_name``: Debezium's ``topic.prefix``.

    ``folder``: the version of the rules in ``topics``; ``rules_of_folder``: they hold whatever was rolled out.
    ``reference``: topics of reference data (with the installation's prefix) and the columns that are kept of each.
    """

    topics: Mapping[str, RawTopic]
    state_topic: str
    source_name: str
    transactional_id: str
    incarnations: Incarnations = ()
    from_beginning: bool = False
    interval: float = 0.1
    max_records: int = 5_000
    max_bytes: int = 8 * 1024 * 1024
    transaction_timeout: float = 30.0
    topic_check: float = 60.0
    reference: Mapping[str, frozenset[str]] = field(default_factory=dict)
    reference_max_bytes: int = 64 * 1024 * 1024
    control_topic: str = "gateway.control"
    folder: RuleVersion | None = None
    rules_of_folder: bool = False
    storm_parked: int = 10_000
    storm_letters: float = 1_000.0


@dataclass(frozen=True, slots=True)
class Outside:
    """The ports a worker works through."""

    source: EventSource
    sink: TransactionalSink
    cluster: Cluster
    state: StateReader
    markers: MarkerReader
    clock: Clock
    telemetry: Telemetry
    reference: LogReader | None = None
    """Reads reference topics; None where no mapping looks anything up."""
    control: LogReader | None = None
    """Reads the control log; None where nobody gives commands."""
    rules: Callable[[Command], Mapping[str, RawTopic]] | None = None
    """Compiles a stored version of the rules. ConfigError: it cannot be used; DependencyError: not yet."""
