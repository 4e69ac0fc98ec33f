"""Nouns of capture: what the legacy database, the broker and Kafka Connect say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "CapturedTable",
    "ConnectorState",
    "PublicationFacts",
    "RoleFacts",
    "SlotFacts",
    "TableFacts",
    "TopicFacts",
    "TopicSpec",
]


@dataclass(frozen=True, slots=True)
class CapturedTable:
    """A legacy table (``schema.table``), its aggregate's raw topic (with prefix) and its record key.

    ``key`` pairs each legacy key column with its domain name, in the order of the aggregate's key.
    """

    name: str
    topic: str
    key: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table as the database describes it: columns with their types in their order, and its replica identity."""

    columns: Mapping[str, str]
    full_identity: bool


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A database role: what it may do at all, and its privileges on tables (``schema.table`` → SELECT, …)."""

    login: bool
    replication: bool
    superuser: bool
    privileges: Mapping[str, frozenset[str]]
    schemas: frozenset[str]


@dataclass(frozen=True, slots=True)
class PublicationFacts:
    """A publication: its tables, and the operations it passes on (``insert update delete truncate``)."""

    tables: frozenset[str]
    operations: frozenset[str]


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """A replication slot: whether somebody streams from it, and the bytes of WAL the server keeps for it."""

    active: bool
    streaming: bool
    retained_bytes: int
    wal_status: str


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be; its partition count decides where keys go, so it must be exactly this."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic as it is; ``config`` has the settings that were asked for.

    ``replication`` and ``in_sync``: the least number of replicas that any partition has, and has in sync; 0 unknown.
    """

    partitions: int
    config: Mapping[str, str]
    replication: int = 0
    in_sync: int = 0


@dataclass(frozen=True, slots=True)
class ConnectorState:
    """A connector and its one task in Connect's words (RUNNING, FAILED, PAUSED, …); ``trace`` of a failure."""

    connector: str
    task: str
    trace: str = ""

    @property
    def running(self) -> bool:
        """Whether both run."""
        return self.connector == self.task == "RUNNING"
