"""The doctor on a real installation: none of its faults where there is none, and exactly the planted ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.adapters.connect import ConnectRest
from gateway.adapters.registry import ConfluentRegistry
from gateway.adapters.topics import KafkaTopics
from gateway.mapping.compiled import CompiledMapping
from gateway.model.capture import TopicSpec
from gateway.services.doctor_report import Area, Diagnosis, Severity
from gateway.services.schemas import contracts_of, push
from gateway.stack import Stack
from gateway.wiring import wire_doctor
from tests.contract.capturing import Captured, captured
from tests.contract.worlds import eventually

pytestmark = pytest.mark.stack
SERIOUS = (Severity.ERROR, Severity.WARNING)


def mappings_of(found: Captured) -> tuple[CompiledMapping, ...]:
    """The sample's mappings, with the whole row key of consents."""
    customer, policy = found.mappings
    name = f"{found.schema}.cust_cons"
    tables = {**customer.tables, name: replace(customer.tables[name], row=("purpose", "customerId"))}
    return replace(customer, tables=tables), policy


def serious(diagnosis: Diagnosis) -> set[tuple[Area, Severity, str]]:
    return {
        (area.area, one.severity, one.object)
        for area in diagnosis.areas
        for one in area.findings
        if one.severity in SERIOUS
    }


def streaming(found: Captured) -> int | None:
    """The server's process that streams from the slot, None while there is none."""
    with found.database() as connection:
        slot, state = (
            "pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid",
            "r.state = 'streaming'",
        )
        query = f"SELECT s.active_pid FROM {slot} WHERE {state} AND s.slot_name = %s"
        row = connection.execute(query.encode(), [found.capture.plan.slot]).fetchone()
        return None if row is None else int(row[0])


def test_a_clean_installation_has_no_fault_and_planted_ones_are_found_exactly(stack: Stack, prefix: str) -> None:
    with captured(stack, prefix) as found:
        settings, schema, plan = found.settings, found.schema, found.capture.plan
        mappings = mappings_of(found)
        registry = ConfluentRegistry(settings.registry_url)
        contracts = contracts_of(mappings, settings.topic)
        push(registry, contracts)
        doctor = wire_doctor(settings, mappings)
        clean = doctor.examine()
        assert serious(clean) == set()
        assert not any(area.unseen for area in clean.areas)
        assert all(area.fine for area in clean.areas)
        assert clean.exit_code == 0

        with found.database() as connection:
            for statement in (
                f"ALTER TABLE {schema}.cust REPLICA IDENTITY DEFAULT",
                f'ALTER PUBLICATION "{plan.publication}" DROP TABLE {schema}.pol',
                f'ALTER PUBLICATION "{plan.publication}" ADD TABLE {schema}.secret',
                f'REVOKE SELECT ON {schema}.cust_addr FROM "{plan.role}"',
                f"ALTER TABLE {schema}.cust RENAME COLUMN nm TO full_name",
                f"ALTER TABLE {schema}.cust_cons DROP CONSTRAINT cust_cons_pkey, ADD PRIMARY KEY (flg)",
            ):
                connection.execute(statement.encode())
        topics = KafkaTopics(settings.bootstrap)
        raw, letters = settings.topic("legacy.customer.raw"), settings.topic("legacy.policy.raw.dlq")
        topics.alter([TopicSpec(raw, 4, 1, {"retention.ms": "3600000"})])
        topics.alter([TopicSpec(letters, 4, 1, {"cleanup.policy": "compact"})])
        registry.set_compatibility(contracts[0].subject, "BACKWARD")
        connect = ConnectRest(settings.connect_url)
        config = connect.config(plan.connector)
        assert config is not None
        before = streaming(found)
        connect.configure(plan.connector, {**config, "time.precision.mode": "adaptive", "poll.interval.ms": "25"})
        eventually(lambda: streaming(found) not in (None, before))

        sick = doctor.examine()
        assert serious(sick) == {
            (Area.DATABASE, Severity.ERROR, f"{schema}.cust"),
            (Area.DATABASE, Severity.ERROR, f"publication {plan.publication}"),
            (Area.DATABASE, Severity.WARNING, f"publication {plan.publication}"),
            (Area.DATABASE, Severity.ERROR, f"role {plan.role}"),
            (Area.CONNECT, Severity.ERROR, f"connector {plan.connector}"),
            (Area.CONNECT, Severity.WARNING, f"connector {plan.connector}"),
            (Area.TOPICS, Severity.ERROR, f"topic {raw}"),
            (Area.TOPICS, Severity.ERROR, f"topic {letters}"),
            (Area.REGISTRY, Severity.ERROR, f"subject {contracts[0].subject}"),
            (Area.MAPPINGS, Severity.ERROR, f"{schema}.cust.nm"),
            (Area.MAPPINGS, Severity.ERROR, f"{schema}.cust_cons"),
        }
        assert sick.exit_code == 1

        by_its_own_words = [
            one.remedy
            for area in sick.areas
            if area.area is Area.DATABASE
            for one in area.findings
            if one.severity in SERIOUS
        ]
        with found.database() as connection:
            for remedy in by_its_own_words:
                connection.execute(remedy.encode())
        assert serious(doctor.examine([Area.DATABASE])) == set()
