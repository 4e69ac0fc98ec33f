"""Database, Connect and topics: each fault is one finding with its object, its reason and what mends it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.model.capture import ConnectorState, RoleFacts, TopicFacts
from gateway.model.preflight import (
    ConnectWorkerFacts,
    PublicationDetails,
    PublishedTable,
    RightsFacts,
    ServerFacts,
    SlotDetails,
)
from gateway.services.doctor_connect import examine_connect
from gateway.services.doctor_database import examine_database
from gateway.services.doctor_report import Area, AreaReport, Diagnosis, Finding, Severity, size
from gateway.services.doctor_topics import examine_topics
from tests.unit.capture.surroundings import CONFIG, LIVE, PLAN, PLUGIN, connect_side, database_side, topic_side

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
PUBLICATION = database_side().publication
SLOT = database_side().slot
ROLE = database_side().role
assert PUBLICATION is not None and SLOT is not None and ROLE is not None


def publication(**tables: PublishedTable | None) -> PublicationDetails:
    assert PUBLICATION is not None
    changed: dict[str, Any] = {**PUBLICATION.tables, **{f"crm.{name}": one for name, one in tables.items()}}
    return PublicationDetails({name: one for name, one in changed.items() if one is not None}, PUBLICATION.operations)


def slot(**changes: Any) -> SlotDetails:
    assert SLOT is not None
    return replace(SLOT, **changes)


def server(**changes: Any) -> ServerFacts:
    return replace(database_side().server, **changes)


def live(**changes: Any) -> dict[str, Any]:
    return {**LIVE, "crm.pol": replace(LIVE["crm.pol"], **changes)}


def told(report: AreaReport) -> list[tuple[Severity, str]]:
    return [(one.severity, one.object) for one in report.findings]


def test_where_nothing_is_wrong_nothing_is_found_and_what_was_looked_at_is_said() -> None:
    for report in (
        examine_database(PLAN, database_side()),
        examine_connect(PLAN, connect_side()),
        examine_topics(topic_side()),
    ):
        assert report.findings == ()
        assert len(report.fine) >= 2


@pytest.mark.parametrize(
    ("change", "severity", "where", "reason", "remedy"),
    [
        ({"server": server(wal_level="replica")}, ERROR, "server of database legacy", "wal_level", "ALTER SYSTEM"),
        ({"server": server(version=120_004)}, ERROR, "server of database legacy", "older", "upgrade"),
        ({"server": server(max_senders=0)}, ERROR, "server of database legacy", "stream", "max_wal_senders"),
        ({"tables": live(identity="default")}, ERROR, "crm.pol", "DEFAULT",
         'ALTER TABLE "crm"."pol" REPLICA IDENTITY FULL;'),
        ({"tables": live(logged=False)}, ERROR, "crm.pol", "UNLOGGED", 'ALTER TABLE "crm"."pol" SET LOGGED;'),
        ({"tables": live(row_security=True)}, WARNING, "crm.pol", "row level", "CREATE POLICY"),
        ({"tables": live(primary_key=(), unique=())}, WARNING, "crm.pol", "primary key", "ADD PRIMARY KEY"),
        ({"tables": live(partitioned=True)}, ERROR, "publication gateway_legacy", "partitioned", "via_partition_root"),
        ({"publication": None}, ERROR, "publication gateway_legacy", "does not exist", "gateway connect apply"),
        ({"publication": publication(pol=None)}, ERROR, "publication gateway_legacy", "crm.pol",
         'ALTER PUBLICATION "gateway_legacy" ADD TABLE "crm"."pol";'),
        ({"publication": publication(other=PublishedTable(frozenset({"a"})))}, WARNING, "publication gateway_legacy",
         "crm.other", 'DROP TABLE "crm"."other"'),
        ({"publication": publication(pol=PublishedTable(frozenset({"pol_id"})))}, ERROR, "publication gateway_legacy",
         "prem", 'ADD TABLE "crm"."pol"'),
        ({"publication": publication(pol=PublishedTable(frozenset({"pol_id", "prem"}), "(prem > 0)"))}, ERROR,
         "publication gateway_legacy", "(prem > 0)", 'DROP TABLE "crm"."pol"'),
        ({"publication": replace(PUBLICATION, operations=frozenset({"insert", "update"}))}, ERROR,
         "publication gateway_legacy", "delete, truncate", "SET (publish ="),
        ({"slot": None}, ERROR, "replication slot gateway_legacy", "does not exist", "gateway connect apply"),
        ({"slot": slot(wal_status="lost"), "server": server(wal_keep=10**9)}, ERROR, "replication slot gateway_legacy",
         "lost", "reconcile"),
        ({"slot": slot(wal_status="unreserved")}, ERROR, "replication slot gateway_legacy", "checkpoint", "= -1"),
        ({"slot": slot(plugin="wal2json")}, ERROR, "replication slot gateway_legacy", "wal2json", "drop_replication"),
        ({"slot": slot(active=False, streaming=False)}, WARNING, "replication slot gateway_legacy",
         "nobody", "restart"),
        ({"slot": slot(retained_bytes=3 * 10**9)}, WARNING, "replication slot gateway_legacy", "heartbeat",
         "heartbeat.action.query"),
        ({"slot": slot(retained_bytes=6 * 10**7), "server": server(wal_keep=10**8), "heartbeat": "UPDATE x"}, WARNING,
         "replication slot gateway_legacy", "60.0 MB", "pg_stat_activity"),
        ({"role": None}, ERROR, "role gateway_capture", "does not exist", "gateway connect apply"),
        ({"role": replace(ROLE, replication=False)}, ERROR, "role gateway_capture", "replicate", "REPLICATION"),
        ({"role": replace(ROLE, superuser=True)}, WARNING, "role gateway_capture", "superuser", "NOSUPERUSER"),
        ({"rights": RightsFacts(frozenset(LIVE) - {"crm.pol"}, frozenset({"crm"}))}, ERROR, "role gateway_capture",
         "crm.pol", 'GRANT SELECT ON "crm"."pol" TO "gateway_capture";'),
        ({"role": RoleFacts(True, True, False, {**ROLE.privileges, "hr.pay": frozenset({"SELECT"})}, ROLE.schemas)},
         WARNING, "role gateway_capture", "hr.pay", "gateway connect apply"),
    ],
)  # fmt: skip
def test_each_fault_of_the_database_is_one_finding(
    change: dict[str, Any], severity: Severity, where: str, reason: str, remedy: str
) -> None:
    report = examine_database(PLAN, database_side(**change))
    assert told(report) == [(severity, where)]
    assert reason in report.findings[0].reason
    assert remedy in report.findings[0].remedy


def test_all_slots_taken_are_told_beside_the_missing_slot() -> None:
    report = examine_database(PLAN, database_side(slot=None, server=server(slots=10)))
    assert "max_replication_slots = 14" in report.findings[0].remedy
    assert len(report.findings) == 2


@pytest.mark.parametrize(
    ("change", "severity", "where", "reason", "remedy"),
    [
        ({"worker": ConnectWorkerFacts("3.2.1", {PLUGIN: "3.7.0.Final"})}, ERROR, "Connect worker", "3.2.1", "upgrade"),
        ({"worker": ConnectWorkerFacts("4.4.0", {})}, ERROR, "plugin PostgresConnector", "no such", "jars.yaml"),
        ({"worker": ConnectWorkerFacts("4.4.0", {PLUGIN: "3.6.0.Final"})}, ERROR, "plugin PostgresConnector",
         "dbz#1554", "3.7.0.Final"),
        ({"faults": {"exactly.once.support": ["not enabled"]}}, ERROR, "Connect worker", "not enabled",
         "exactly.once.source.support=enabled"),
        ({"faults": {"database.hostname": ["no route"]}}, ERROR, "connector legacy", "no route", "settings.yaml"),
        ({"state": None, "config": None}, ERROR, "connector legacy", "does not exist", "gateway connect apply"),
        ({"state": ConnectorState("RUNNING", "FAILED", "Oops\nat x")}, ERROR, "connector legacy", "Oops", "restart"),
        ({"state": ConnectorState("PAUSED", "PAUSED")}, WARNING, "connector legacy", "PAUSED", "resume"),
        ({"config": {**CONFIG, "message.key.columns": "x:y"}}, ERROR, "connector legacy", "message.key.columns",
         "apply --dry-run"),
        ({"config": {**CONFIG, "poll.interval.ms": "99"}}, WARNING, "connector legacy", "poll.interval.ms", "apply"),
        ({"wanted": None, "uncompared": "which database?"}, WARNING, "connector legacy", "which database?", "set"),
    ],
)  # fmt: skip
def test_each_fault_of_connect_is_one_finding(
    change: dict[str, Any], severity: Severity, where: str, reason: str, remedy: str
) -> None:
    report = examine_connect(PLAN, connect_side(**change))
    assert told(report) == [(severity, where)]
    assert reason in report.findings[0].reason
    assert remedy in report.findings[0].remedy


@pytest.mark.parametrize(
    ("option", "value", "severity"),
    [
        ("binary.handling.mode", "base64", ERROR),
        ("decimal.handling.mode", "double", ERROR),
        ("errors.tolerance", "all", ERROR),
        ("event.converting.failure.handling.mode", "warn", ERROR),
        ("exactly.once.support", "requested", ERROR),
        ("provide.transaction.metadata", "false", ERROR),
        ("heartbeat.interval.ms", "0", ERROR),
        ("column.exclude.list", "crm.cust.nm", ERROR),
        ("snapshot.mode", "no_data", WARNING),
    ],
)
def test_an_option_that_loses_or_garbles_is_found_though_the_settings_ask_for_it(
    option: str, value: str, severity: Severity
) -> None:
    chosen = {**CONFIG, option: value}
    report = examine_connect(PLAN, connect_side(config=chosen, wanted=chosen))
    assert told(report) == [(severity, "connector legacy")]
    assert option in report.findings[0].reason
    assert "options:" in report.findings[0].remedy


def test_a_password_that_differs_is_not_shown() -> None:
    report = examine_connect(PLAN, connect_side(config={**CONFIG, "database.password": "s3cret"}))
    assert "s3cret" not in str(report)
    assert "database.password differs" in report.findings[0].reason


def test_newer_servers_lose_more_under_an_older_debezium() -> None:
    old = ConnectWorkerFacts("4.4.0", {PLUGIN: "3.6.0.Final"})
    assert "dbz#76" in examine_connect(PLAN, connect_side(worker=old)).findings[0].reason
    assert "dbz#76" not in examine_connect(PLAN, connect_side(worker=old, server=150_004)).findings[0].reason


RAW, LETTERS, STATE, MARKERS = (
    "legacy__customer__raw",
    "legacy__policy__raw__dlq",
    "gateway__state",
    "legacy__transaction",
)


@pytest.mark.parametrize(
    ("topic", "change", "severity", "reason"),
    [
        (RAW, None, ERROR, "does not exist"),
        (RAW, 6, ERROR, "4"),
        (LETTERS, 3, ERROR, "beside its record"),
        (MARKERS, 4, ERROR, "one order"),
        (RAW, {"retention.ms": "3600000"}, ERROR, "before they are read"),
        (RAW, {"retention.ms": "-1"}, WARNING, "longer"),
        (RAW, {"cleanup.policy": "compact"}, ERROR, "compacted away"),
        (RAW, {"retention.bytes": "1000000"}, ERROR, "busy hour"),
        (RAW, {"max.message.bytes": "1048588"}, ERROR, "largest rows"),
        (RAW, {"unclean.leader.election.enable": "true"}, ERROR, "vanish"),
        (RAW, {"min.insync.replicas": "1"}, WARNING, "only one broker has"),
        (RAW, {"min.insync.replicas": "4"}, ERROR, "nothing can be written"),
        (LETTERS, {"retention.ms": "604800000"}, ERROR, "before they are read"),
        (STATE, {"cleanup.policy": "delete"}, ERROR, "state would be deleted"),
    ],
)
def test_each_fault_of_a_topic_is_one_finding(
    topic: str, change: dict[str, str] | int | None, severity: Severity, reason: str
) -> None:
    report = examine_topics(topic_side(**{topic: change}))
    assert told(report)[0] == (severity, f"topic {topic.replace('__', '.')}")
    assert all(one.object == report.findings[0].object for one in report.findings)
    assert reason in report.findings[0].reason
    assert report.findings[0].remedy


@pytest.mark.parametrize(
    ("config", "reason"),
    [(None, "does not exist"), ({"cleanup.policy": "delete"}, "old entries would be gone"),
     ({"cleanup.policy": "compact,delete"}, ""), ({"cleanup.policy": "compact"}, "")],
)  # fmt: skip
def test_reference_topics_must_be_there_and_compacted(config: dict[str, str] | None, reason: str) -> None:
    side = topic_side()
    now = side.now if config is None else {**side.now, "ref.branch": TopicFacts(1, config, 3, 3)}
    report = examine_topics(replace(side, now=now, reference={"ref.branch": "customer.yaml: branch"}))
    assert told(report) == ([(ERROR, "topic ref.branch")] if reason else [])
    if reason:
        assert reason in report.findings[0].reason
        assert "customer.yaml: branch" in report.findings[0].reason + report.findings[0].remedy


def test_too_few_replicas_in_sync_are_found() -> None:
    side = topic_side()
    now = {**side.now, "gateway.state": TopicFacts(16, side.now["gateway.state"].config, 3, 1)}
    report = examine_topics(replace(side, now=now))
    assert told(report) == [(ERROR, "topic gateway.state")]
    assert "1 replicas are in sync" in report.findings[0].reason


def test_one_replica_is_a_note_where_there_is_but_one_broker_and_a_warning_where_there_are_more() -> None:
    assert told(examine_topics(topic_side(replication=1, brokers=1))) == [(NOTE, "replication")]
    assert told(examine_topics(topic_side(replication=1, brokers=3))) == [(WARNING, "replication")]


def test_the_exit_status_is_for_errors_first_then_for_what_could_not_be_looked_at() -> None:
    bad = AreaReport(Area.TOPICS, (Finding(ERROR, "x", "y", "z"),))
    warned = AreaReport(Area.TOPICS, (Finding(WARNING, "x", "y", "z"),))
    unseen = AreaReport(Area.REGISTRY, unseen="away")
    assert Diagnosis([bad, unseen]).exit_code == 1
    assert Diagnosis([warned, unseen]).exit_code == 2
    assert Diagnosis([warned]).exit_code == 0


def test_sizes_are_as_people_read_them() -> None:
    assert [size(one) for one in (12, 4096, 60_000_000, 512_000_000, 2 * 10**12)] == [
        "12 bytes", "4.1 kB", "60.0 MB", "512 MB", "2.0 TB",
    ]  # fmt: skip
