"""What the gateway asks of a registry, tried on the memory fake and on the real one alike."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from gateway.adapters.memory_registry import MemoryRegistry
from gateway.adapters.registry import ConfluentRegistry, frame, unframe
from gateway.mapping.compatibility import ChangeKind, compare
from gateway.model.errors import ConfigError, DependencyError, RecordError
from gateway.ports import SchemaRegistry
from tests.unit.schemas.changes import CASES, EARLIER, Case

LEVEL = "FULL_TRANSITIVE"
STRICTER = {ChangeKind.DECIMAL, ChangeKind.LOGICAL_TYPE, ChangeKind.NAME}
"""Kinds the gateway refuses though registries let them pass: readers would get silently wrong values."""


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.stack)])
def registry(request: pytest.FixtureRequest) -> Iterator[MemoryRegistry | ConfluentRegistry]:
    if request.param == "memory":
        yield MemoryRegistry()
    else:
        yield ConfluentRegistry(request.getfixturevalue("stack").endpoints.registry_url)


def test_an_unknown_subject_is_told_with_its_name_and_the_remedy(registry: Any, prefix: str) -> None:
    with pytest.raises(ConfigError, match=r"is not registered.*schemas push") as raised:
        registry.schema_id(f"{prefix}a", EARLIER)
    assert f"{prefix}a" in str(raised.value)
    assert registry.versions(f"{prefix}a") == {}
    assert registry.compatibility(f"{prefix}a") == ""


def test_a_registered_schema_is_found_by_subject_and_by_id(registry: Any, prefix: str) -> None:
    port: SchemaRegistry = registry
    known = registry.register(f"{prefix}a", EARLIER)
    assert port.schema_id(f"{prefix}a", EARLIER) == known
    assert port.schema(known) == port.schema(known) == EARLIER
    assert registry.versions(f"{prefix}a") == {1: EARLIER}


def test_registering_again_changes_nothing(registry: Any, prefix: str) -> None:
    assert registry.register(f"{prefix}a", EARLIER) == registry.register(f"{prefix}a", EARLIER)
    assert list(registry.versions(f"{prefix}a")) == [1]


def test_a_contract_that_differs_from_what_is_registered_is_refused(registry: Any, prefix: str) -> None:
    registry.register(f"{prefix}a", EARLIER)
    other = copy.deepcopy(EARLIER)
    other["fields"].append({"name": "x", "type": "int", "default": 0})
    with pytest.raises(ConfigError, match="not with this contract"):
        registry.schema_id(f"{prefix}a", other)


def test_another_order_of_fields_is_another_schema(registry: Any, prefix: str) -> None:
    """Else a body written in one order would be read in the other."""
    other = {**EARLIER, "fields": EARLIER["fields"][::-1]}
    assert registry.register(f"{prefix}a", EARLIER) != registry.register(f"{prefix}a", other)


def test_an_unknown_id_is_refused(registry: Any) -> None:
    with pytest.raises(ConfigError):
        registry.schema(2_000_000_000)


def test_the_level_of_a_subject_is_what_was_set(registry: Any, prefix: str) -> None:
    registry.register(f"{prefix}a", EARLIER)
    registry.set_compatibility(f"{prefix}a", LEVEL)
    assert registry.compatibility(f"{prefix}a") == LEVEL


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_registry_says_of_a_change_what_the_table_says(registry: Any, prefix: str, case: Case) -> None:
    subject = f"{prefix}change"
    registry.register(subject, EARLIER)
    registry.set_compatibility(subject, LEVEL)
    assert registry.accepts(subject, case.later) == case.avro
    if not case.avro:
        with pytest.raises(ConfigError):
            registry.register(subject, case.later)
    ours = compare(EARLIER, case.later)
    assert bool(ours) == (not case.avro) or {fault.kind for fault in ours} <= STRICTER


def test_a_registry_that_is_away_is_a_dependency_that_failed() -> None:
    fake = MemoryRegistry()
    fake.away = True
    for away in (fake, ConfluentRegistry("http://127.0.0.1:9"), ConfluentRegistry("http://no-such-host.invalid")):
        with pytest.raises(DependencyError):
            away.schema_id("a", EARLIER)


def test_settings_the_client_does_not_know_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"no\.such\.setting"):
        ConfluentRegistry("http://127.0.0.1:9", {"no.such.setting": "1"})


@pytest.mark.stack
def test_a_stranger_s_serialiser_and_reader_agree_with_our_framing(stack: Any, prefix: str) -> None:
    """confluent_kafka's own Avro classes write what we unframe and read what we frame."""
    url = stack.endpoints.registry_url
    schema = {"type": "record", "name": "A", "namespace": prefix + "v1", "fields": [{"name": "x", "type": "long"}]}
    client, context = SchemaRegistryClient({"url": url}), SerializationContext(f"{prefix}t", MessageField.VALUE)
    written = AvroSerializer(client, json.dumps(schema))({"x": 5}, context)
    assert written is not None
    schema_id, body = unframe(written)
    assert ConfluentRegistry(url).schema(schema_id) == schema
    assert AvroDeserializer(client)(frame(schema_id) + body, context) == {"x": 5}


@pytest.mark.parametrize("value", [b"", b"\0\0\0", b"\1\0\0\0\1x"])
def test_a_value_without_magic_byte_or_id_is_a_broken_record(value: bytes) -> None:
    with pytest.raises(RecordError, match="no schema id"):
        unframe(value)
