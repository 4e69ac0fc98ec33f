"""Raw records in Avro, as Confluent's converter frames them, through a real worker, broker and registry."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from tests.faults.conftest import installation, seed  # noqa: F401 - fixtures
from tests.faults.installation import Installation, read_all
from tests.faults.source import RawSource
from tests.unit.services.memory_world import ENVELOPE

pytestmark = pytest.mark.stack


class AvroSource(RawSource):
    """Writes the same records in Avro under the schema id that the registry gave."""

    schema_id = 0

    def _record(self, *arguments: Any, **more: Any) -> tuple[str, bytes | None, bytes | None]:
        topic, key, value = super()._record(*arguments, **more)
        body = io.BytesIO()
        body.write(b"\x00" + self.schema_id.to_bytes(4, "big"))
        fastavro.schemaless_writer(body, ENVELOPE, json.loads(value or b""))
        return topic, key, body.getvalue()

    def stray(self, thing: int, value: bytes) -> None:
        """One record that is no change, of a thing that nothing else is told of."""
        self.rows += 1
        self.letters[thing] += 1
        self._send([(f"{self.prefix}thing.raw", json.dumps({"thingId": thing}).encode(), value)])


def test_avro_values_are_read_and_bad_ones_between_them_are_dead_letters(
    installation: Installation,  # noqa: F811
    seed: int,  # noqa: F811
) -> None:
    """Facts as from JSON; a wrong magic byte, JSON, an empty and a torn value each get their letter."""
    schema = {name: value for name, value in ENVELOPE.items() if not name.startswith("__")}
    client = SchemaRegistryClient({"url": installation.registry_url})
    source = AvroSource(installation.bootstrap, installation.prefix, seed)
    source.schema_id = client.register_schema(f"{installation.prefix}raw-value", Schema(json.dumps(schema), "AVRO"))
    frame = b"\x00" + source.schema_id.to_bytes(4, "big")
    for number, value in enumerate((b"\x01" + frame[1:] + b"abc", b'{"op": "u"}', b"", frame + b"\x02", frame)):
        source.write(400)
        source.stray(90_000 + number, value)
    source.write(400)
    gateway = installation.run(GATEWAY_RAW_FORMAT="avro")
    installation.wait_until_settled(source)
    installation.check(source)
    letters = read_all(installation.bootstrap, f"{installation.prefix}thing.raw.dlq")
    assert [one.headers["gateway.class"] for one in letters] == [b"decode"] * 5
    assert not gateway.said("partition stopped")
