"""Surroundings of the sample insurer in which nothing is wrong; tests change one thing."""

from __future__ import annotations

from typing import Any

from gateway.model.capture import ConnectorState, RoleFacts, TopicFacts
from gateway.model.preflight import (
    ColumnFacts,
    ConnectWorkerFacts,
    PublicationDetails,
    PublishedTable,
    RightsFacts,
    ServerFacts,
    SlotDetails,
    TableDetails,
)
from gateway.services.capture_plan import capture_plan
from gateway.services.capture_settings import TopicSettings
from gateway.services.doctor_connect import ConnectSide
from gateway.services.doctor_database import DatabaseSide
from gateway.services.doctor_topics import TopicSide
from gateway.services.topics import topic_specs
from tests.unit.capture.samples import insurer

__all__ = ["LIVE", "MAPPINGS", "PLAN", "connect_side", "database_side", "table", "topic_side"]

MAPPINGS = insurer()
PLAN = capture_plan(MAPPINGS, prefix="", topic_prefix="legacy", user="gateway_capture")
PLUGIN = "io.debezium.connector.postgresql.PostgresConnector"
CONFIG = {
    "connector.class": PLUGIN,
    "exactly.once.support": "required",
    "provide.transaction.metadata": "true",
    "event.converting.failure.handling.mode": "fail",
    "decimal.handling.mode": "string",
    "time.precision.mode": "isostring",
    "binary.handling.mode": "bytes",
    "interval.handling.mode": "string",
    "include.unknown.datatypes": "true",
    "value.converter.replace.null.with.default": "false",
    "key.converter.schemas.enable": "false",
    "skipped.operations": "none",
    "tombstones.on.delete": "false",
    "publication.autocreate.mode": "disabled",
    "heartbeat.interval.ms": "1000",
    "message.key.columns": PLAN.message_key_columns,
}


def table(columns: dict[str, str], key: tuple[str, ...], **more: Any) -> TableDetails:
    """A table whose columns are NOT NULL."""
    facts = {name: ColumnFacts(kind, nullable=False) for name, kind in columns.items()}
    known: dict[str, Any] = {"primary_key": key, "unique": (frozenset(key),), **more}
    return TableDetails(facts, **known)


LIVE = {
    "crm.cust": table({"cust_id": "integer", "nm": "text"}, ("cust_id",)),
    "crm.cust_addr": table({"addr_id": "integer", "cust_id": "bigint", "city": "character(10)"}, ("addr_id",)),
    "crm.cust_cons": table({"typ": "character(3)", "cust_id": "smallint", "flg": "character(1)"}, ("typ",)),
    "crm.pol": table({"pol_id": "integer", "prem": "numeric(11,2)"}, ("pol_id",)),
}
_OPERATIONS = frozenset({"insert", "update", "delete", "truncate"})
_SELECT = frozenset({"SELECT"})


def database_side(**changes: Any) -> DatabaseSide:
    """The database, well but for ``changes``."""
    known: dict[str, Any] = {
        "name": "legacy",
        "server": ServerFacts(180_006, "logical", 1, 10, 10, -1),
        "tables": LIVE,
        "publication": PublicationDetails(
            {name: PublishedTable(frozenset(one.columns)) for name, one in LIVE.items()}, _OPERATIONS
        ),
        "slot": SlotDetails(True, True, 4096, "reserved", "pgoutput", "legacy"),
        "role": RoleFacts(True, True, False, dict.fromkeys(LIVE, _SELECT), frozenset({"crm"})),
        "rights": RightsFacts(frozenset(LIVE), frozenset({"crm"})),
        **changes,
    }
    return DatabaseSide(**known)


def connect_side(**changes: Any) -> ConnectSide:
    """Connect, well but for ``changes``."""
    known: dict[str, Any] = {
        "worker": ConnectWorkerFacts("4.4.0", {PLUGIN: "3.7.0.Final"}),
        "state": ConnectorState("RUNNING", "RUNNING"),
        "config": CONFIG,
        "wanted": CONFIG,
        "faults": {},
        "server": 180_006,
        **changes,
    }
    return ConnectSide(**known)


class _Installation:
    prefix = ""
    topic_prefix = "legacy"


def topic_side(replication: int = 3, brokers: int = 3, **changes: dict[str, str] | int | None) -> TopicSide:
    """Topics as wanted; ``changes``: topic (dots as ``__``) → other settings, another count, or None: gone."""
    specs = topic_specs(_Installation(), MAPPINGS, TopicSettings(replication=replication))
    now = {
        one.name: TopicFacts(one.partitions, {"min.insync.replicas": "2", **one.config}, replication, replication)
        for one in specs
    }
    for name, change in changes.items():
        topic = name.replace("__", ".")
        old = now.pop(topic)
        if isinstance(change, int):
            now[topic] = TopicFacts(change, old.config, replication, replication)
        elif change is not None:
            now[topic] = TopicFacts(old.partitions, {**old.config, **change}, replication, replication)
    return TopicSide(specs, now, brokers, frozenset({"legacy.customer.raw", "legacy.policy.raw"}))
