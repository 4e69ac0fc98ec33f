"""Applying capture to a real Connect, database and broker: once, twice, changed, taken away."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import psycopg
import pytest

from gateway.adapters.connect import ConnectRest
from gateway.adapters.sql import LegacyDatabase
from gateway.model.errors import ConfigError, DependencyError
from gateway.services.capture_settings import CaptureSettings
from gateway.stack import Stack
from gateway.wiring import wire_capture
from tests.contract.capturing import Captured, captured, installation, value
from tests.unit.capture.samples import aggregate

pytestmark = pytest.mark.stack

CUSTOMER = "legacy.customer.raw"


@pytest.fixture
def running(stack: Stack, prefix: str) -> Iterator[Captured]:
    with captured(stack, prefix, ["INSERT INTO cust VALUES (1, 'Ann')"]) as found:
        yield found


def test_a_second_apply_finds_nothing_to_do(running: Captured) -> None:
    pending = running.capture.pending(running.settings, running.mappings)
    assert pending.empty
    assert not pending.script
    running.capture.apply(pending)
    assert running.capture.status().streaming


def test_another_process_finds_nothing_to_do_either(running: Captured) -> None:
    """The made-up password is kept: it stands in the connector's configuration."""
    fresh = wire_capture(running.settings, running.mappings)
    assert fresh.pending(running.settings, running.mappings).empty


def test_a_changed_setting_shows_as_one_line_and_is_applied(running: Captured) -> None:
    known = running.capture
    known.settings = CaptureSettings(options={"poll.interval.ms": "33"})
    pending = known.pending(running.settings, running.mappings)
    (change,) = pending.changes
    told = [line for line in change.diff() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert told == ["-poll.interval.ms: 20", "+poll.interval.ms: 33"]
    known.apply(pending)
    assert known.pending(running.settings, running.mappings).empty


def test_no_secret_shows_in_a_diff(stack: Stack, prefix: str, running: Captured) -> None:
    password = ConnectRest(running.settings.connect_url).config(running.capture.plan.connector)["database.password"]  # type: ignore[index]
    assert len(password) > 20
    with running.database() as database:
        database.execute(f'DROP PUBLICATION "{running.capture.plan.publication}"'.encode())
    running.capture.settings = CaptureSettings.model_validate({"database": {"password": "an-other-secret"}})
    pending = running.capture.pending(running.settings, running.mappings)
    shown = "\n".join(line for change in pending.changes for line in (*change.before, *change.after))
    assert "a new password" in shown
    assert "an-other-secret" not in shown
    assert password not in shown


def test_the_capture_role_reads_the_captured_tables_and_nothing_else(running: Captured) -> None:
    config = ConnectRest(running.settings.connect_url).config(running.capture.plan.connector)
    assert config is not None
    user, password = config["database.user"], config["database.password"]
    dsn = psycopg.conninfo.make_conninfo(running.settings.legacy_dsn, user=user, password=password)
    with running.database(dsn) as database:
        assert database.execute("SELECT count(*) FROM cust").fetchone() == (1,)
        for forbidden in (
            "SELECT * FROM secret",
            "INSERT INTO cust VALUES (2)",
            "UPDATE cust SET nm = ''",
            "TRUNCATE cust",
            f"CREATE TABLE {running.schema}.mine (id int)",
            f'ALTER PUBLICATION "{running.capture.plan.publication}" ADD TABLE secret',
            "ALTER TABLE cust REPLICA IDENTITY DEFAULT",
            "SELECT rolpassword FROM pg_authid",
            "CREATE ROLE other",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                database.execute(forbidden.encode())


def test_a_right_granted_beyond_need_is_shown_and_taken_away(running: Captured) -> None:
    role = running.capture.plan.role
    with running.database() as database:
        database.execute(f'GRANT SELECT ON secret TO "{role}"'.encode())
        database.execute(f'GRANT USAGE ON SCHEMA public TO "{role}"'.encode())
    pending = running.capture.pending(running.settings, running.mappings)
    assert any(line == f"-select on {running.schema}.secret" for line in pending.changes[0].diff())
    running.capture.apply(pending)
    facts = LegacyDatabase(running.settings.legacy_dsn).role(role)
    assert facts is not None
    assert f"{running.schema}.secret" not in facts.privileges
    assert facts.schemas == {running.schema}
    assert running.capture.pending(running.settings, running.mappings).empty
    assert (facts.login, facts.replication, facts.superuser) == (True, True, False)


def test_a_table_that_a_mapping_adds_is_granted_published_and_captured(running: Captured) -> None:
    tables = {f"{running.schema}.secret": {"secretId": "id", "text": "txt"}}
    more = (*running.mappings, aggregate("Secret", "legacy.secret.raw", ("secretId",), tables))
    capture = wire_capture(running.settings, more)
    pending = capture.pending(running.settings, more)
    assert [change.part for change in pending.changes] == ["database", "topics", "connector"]
    capture.apply(pending)
    capture.wait_for_snapshot(60)
    with running.database() as database:
        database.execute("INSERT INTO secret VALUES (7, 'x')")
    (record,) = running.until("legacy.secret.raw", lambda found: bool(found))
    assert record.key == b'{"secretId":7}'


def test_a_restart_loses_nothing(running: Captured) -> None:
    assert running.capture.restart()
    with running.database() as database:
        database.execute("INSERT INTO cust VALUES (2, 'Bo')")
    (record,) = running.until(CUSTOMER, lambda found: bool(found))
    assert value(record)["after"]["nm"] == "Bo"


def test_deleted_and_applied_again_capture_goes_on_where_it_was(running: Captured) -> None:
    """Offsets and slot stay: what was written meanwhile arrives, and nothing is snapshotted twice."""
    assert running.capture.delete()
    assert running.capture.status().connector is None
    with running.database() as database:
        database.execute("INSERT INTO cust VALUES (2, 'Bo')")
    running.capture.apply(running.capture.pending(running.settings, running.mappings))
    running.until(CUSTOMER, lambda found: bool(found))
    assert [value(record)["op"] for record in sorted(running.records(CUSTOMER), key=lambda one: one.timestamp_ms)] == [
        "r",
        "c",
    ]


def test_forgotten_and_applied_again_it_snapshots_again(running: Captured) -> None:
    assert running.capture.delete(forget=True)
    assert LegacyDatabase(running.settings.legacy_dsn).slot(running.capture.plan.slot) is None
    running.capture.apply(running.capture.pending(running.settings, running.mappings))
    running.capture.wait_for_snapshot(60)
    assert [value(record)["op"] for record in running.records(CUSTOMER)] == ["r", "r"]


def test_deleting_twice_says_so(running: Captured) -> None:
    assert running.capture.delete()
    assert not running.capture.delete()
    assert not running.capture.restart()


def test_two_installations_capture_the_same_tables_apart(stack: Stack, prefix: str, running: Captured) -> None:
    other = installation(stack, f"{prefix}b.")
    capture = wire_capture(other, running.mappings)
    try:
        capture.apply(capture.pending(other, running.mappings))
        capture.wait_for_snapshot(60)
        mine, theirs = running.capture.plan, capture.plan
        assert {mine.slot, mine.publication, mine.role, mine.connector}.isdisjoint(
            {theirs.slot, theirs.publication, theirs.role, theirs.connector}
        )
        with running.database() as database:
            database.execute("INSERT INTO cust VALUES (2, 'Bo')")
        second = dataclasses.replace(running, settings=other, capture=capture)
        for one in (running, second):
            assert len(one.until(CUSTOMER, lambda found: bool(found))) == 1
    finally:
        capture.delete(forget=True)
        with running.database() as database:
            database.execute(f'DROP PUBLICATION "{capture.plan.publication}"'.encode())
            database.execute(f'DROP OWNED BY "{capture.plan.role}"; DROP ROLE "{capture.plan.role}"'.encode())


def test_tables_that_do_not_fit_are_refused_all_at_once(stack: Stack, prefix: str, running: Captured) -> None:
    schema = running.schema
    wrong: dict[str, dict[str, str]] = {
        f"{schema}.cust": {"customerId": "nm"},
        f"{schema}.pol": {"customerId": "pol_id"},
        f"{schema}.gone": {"customerId": "cust_id"},
        f"{schema}.secret": {"customerId": "nope"},
    }
    mappings = (aggregate("Customer", CUSTOMER, ("customerId",), wrong),)
    settings = installation(stack, f"{prefix}w.")
    with pytest.raises(ConfigError) as raised:
        wire_capture(settings, mappings).pending(settings, mappings)
    for told in (f"{schema}.gone does not exist", "has no column nope", "would differ in their bytes"):
        assert told in str(raised.value)


def test_connect_away_is_a_dependency_that_failed(stack: Stack, prefix: str, running: Captured) -> None:
    settings = installation(stack, prefix, connect_url="http://127.0.0.1:9")
    with pytest.raises(DependencyError, match="Kafka Connect does not answer"):
        wire_capture(settings, running.mappings).pending(settings, running.mappings)


def test_a_database_away_is_a_dependency_that_failed(prefix: str) -> None:
    with pytest.raises(DependencyError, match="the database does not answer"):
        LegacyDatabase("postgresql://nobody@127.0.0.1:9/legacy").wal_level()


def test_what_connect_finds_wrong_is_told(running: Captured) -> None:
    running.capture.settings = CaptureSettings(options={"tasks.max": "none"})
    pending = running.capture.pending(running.settings, running.mappings)
    with pytest.raises(ConfigError, match=r"tasks\.max"):
        running.capture.apply(pending)


def test_a_connector_that_fails_is_told_with_its_reason_and_not_waited_for(running: Captured) -> None:
    connect, plan = ConnectRest(running.settings.connect_url), running.capture.plan
    config = connect.config(plan.connector)
    assert config is not None
    running.capture.delete(forget=True)
    with running.database() as database:
        database.execute(f'DROP PUBLICATION "{plan.publication}"'.encode())
    connect.configure(plan.connector, config)
    begun = time.monotonic()
    with pytest.raises(ConfigError, match=r"connector failed: .*Publication autocreation is disabled"):
        running.capture.wait_for_snapshot(60)
    assert time.monotonic() - begun < 50
