"""Nouns of the preflight: what database, Connect and broker say of themselves, in more detail than capture needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "ColumnFacts",
    "ConnectWorkerFacts",
    "PublicationDetails",
    "PublishedTable",
    "RightsFacts",
    "ServerFacts",
    "SlotDetails",
    "TableDetails",
]


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """A live column: its type as ``format_type`` spells it. ``generated`` columns never reach logical replication."""

    type: str
    nullable: bool = True
    generated: bool = False


@dataclass(frozen=True, slots=True)
class TableDetails:
    """A live table. ``identity``: default, nothing, full or index; ``unique``: column sets of its unique indexes."""

    columns: Mapping[str, ColumnFacts]
    identity: str = "full"
    primary_key: tuple[str, ...] = ()
    unique: tuple[frozenset[str], ...] = ()
    logged: bool = True
    partitioned: bool = False
    row_security: bool = False


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A PostgreSQL server: ``version`` as ``server_version_num``, ``wal_keep`` bytes a slot may hold back (-1: any)."""

    version: int
    wal_level: str
    slots: int
    max_slots: int
    max_senders: int
    wal_keep: int


@dataclass(frozen=True, slots=True)
class SlotDetails:
    """A replication slot. ``safe_bytes``: WAL that may still be written before it is in danger (-1: no limit)."""

    active: bool
    streaming: bool
    retained_bytes: int
    wal_status: str
    plugin: str = "pgoutput"
    database: str = ""
    safe_bytes: int = -1


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table in a publication: the columns it passes on, and its row filter ('' where all rows pass)."""

    columns: frozenset[str]
    row_filter: str = ""


@dataclass(frozen=True, slots=True)
class PublicationDetails:
    """A publication: tables (``schema.table``), operations, and whether partitions speak as their root."""

    tables: Mapping[str, PublishedTable]
    operations: frozenset[str]
    via_root: bool = False


@dataclass(frozen=True, slots=True)
class RightsFacts:
    """What a role may read, however it came by it: tables it may SELECT, schemas it may use."""

    tables: frozenset[str]
    schemas: frozenset[str]


@dataclass(frozen=True, slots=True)
class ConnectWorkerFacts:
    """A Connect worker: its version, and its connector plugins by class with their versions."""

    version: str
    plugins: Mapping[str, str] = field(default_factory=dict)
