"""Events as a reader of other make understands them: another process, stock libraries, the previous contracts."""

import ast
import datetime as dt
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.files import read_recording
from gateway.adapters.kafka_sink import KafkaSink
from gateway.authoring.offline import assemble, books_of, replay
from gateway.mapping.compatibility import subject_name
from gateway.mapping.loader import load
from gateway.model.event import EncodedEvent
from gateway.pipeline.encode import WireSettings
from gateway.services.schemas import contracts_of, push
from gateway.services.topics import create_topics
from gateway.settings import Settings
from gateway.stack import Stack
from gateway.wiring import wire_registry, wire_topics
from tests.e2e.third_party import READER, read_all

ROOT = Path(__file__).parents[2]
RECORDING = Path(__file__).parent / "recording.jsonl.gz"
MAPPINGS = load(ROOT / "mappings")
ALLOWED = {"cloudevents", "confluent_kafka"}


def test_the_reader_uses_nothing_but_stock_libraries():
    modules = set()
    for node in ast.walk(ast.parse(READER.read_text())):
        if isinstance(node, ast.Import):
            modules |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").split(".")[0])
    assert modules - sys.stdlib_module_names == ALLOWED


@pytest.fixture
def settings(stack: Stack, prefix: str) -> Settings:
    ends = stack.endpoints
    return Settings(bootstrap=ends.bootstrap, registry_url=ends.registry_url, prefix=prefix, mappings=ROOT / "mappings")


def encoded(settings: Settings) -> list[EncodedEvent]:
    """What the recording means, encoded under the current contracts as registered: earlier versions first."""
    registry = wire_registry(settings)
    push(registry, contracts_of(MAPPINGS, settings.topic, settings.mappings))
    kinds = [kind for mapping in MAPPINGS for kind in mapping.events.values()]
    ids = {
        kind.full_name: registry.schema_id(subject_name(settings.topic(kind.topic), kind.full_name), kind.schema)
        for kind in kinds
    }
    books = books_of(MAPPINGS, ids, WireSettings(settings.prefix, settings.headers))
    return replay(assemble(read_recording(RECORDING), MAPPINGS), MAPPINGS, books).events


def publish(settings: Settings, events: list[EncodedEvent]) -> None:
    """One committed transaction with all events, and before and after it one that is aborted."""
    sink = KafkaSink(settings.bootstrap, f"{settings.prefix}third-party", settings.kafka)
    sink.reopen()
    for commit in (False, True, False):
        sink.begin()
        for event in events if commit else events[:50]:
            sink.send(event.topic, event.key, event.value, event.headers)
        if commit:
            sink.commit({}, None)
        else:
            sink.abort()
    sink.close()


def as_read(value: Any) -> Any:
    """A payload as JSON has it: dates and times in ISO form, decimals as text."""
    if isinstance(value, Mapping):
        return {name: as_read(part) for name, part in value.items()}
    if isinstance(value, tuple):  # a branch of a union: (record name, record)
        return as_read(value[1])
    if isinstance(value, list):
        return [as_read(part) for part in value]
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def previous_fields() -> dict[str, set[str]]:
    """The fields of each event's previous contract."""
    found = {}
    for path in ROOT.glob("mappings/*/events/history/*.avsc"):
        schema = json.loads(path.read_text())
        found[schema["name"]] = {field["name"] for field in schema["fields"]}
    return found


@pytest.mark.stack
def test_another_process_reads_every_event_under_the_previous_contracts(settings: Settings):
    """Every committed event and no other, in each key's order; attributes, and all values that the old contract has."""
    create_topics(wire_topics(settings), settings, MAPPINGS)
    events = encoded(settings)
    assert len({event.event.name for event in events}) >= 20
    publish(settings, events)
    lines = read_all(settings.bootstrap, settings.registry_url, sorted({event.topic for event in events}))

    written, read = defaultdict(list), defaultdict(list)
    known = previous_fields()
    newer = Counter[str]()
    for event in events:
        headers = {name: (value or b"").decode() for name, value in event.headers}
        old = {name: value for name, value in event.event.data.items() if name in known[event.event.name]}
        newer[event.event.name] += len(event.event.data) - len(old)
        attributes = {name.removeprefix("ce_"): text for name, text in headers.items() if name.startswith("ce_")}
        written[event.topic, event.key.decode()].append((attributes, headers["lineage"], as_read(old)))
    assert all(newer.values()), "each contract has a field that the previous one lacks"
    for line in lines:
        attributes = line["attributes"]
        key = attributes.pop("partitionkey")
        assert attributes.pop("datacontenttype") == "application/avro"
        assert attributes["subject"] == key
        attributes["time"] = dt.datetime.fromisoformat(attributes["time"])
        read[line["topic"], key].append((attributes, line["lineage"], line["data"]))
    for told in (one for stream in written.values() for one in stream):
        told[0]["time"] = dt.datetime.fromisoformat(told[0]["time"])
    assert read == written


@pytest.mark.stack
def test_an_unknown_contract_is_told_and_not_skipped(settings: Settings, tmp_path: Path):
    create_topics(wire_topics(settings), settings, MAPPINGS)
    event = encoded(settings)[0]
    publish(settings, [event])
    (tmp_path / "empty").mkdir()
    with pytest.raises(AssertionError, match="no contract known"):
        read_all(settings.bootstrap, settings.registry_url, [event.topic], [tmp_path / "empty"])
