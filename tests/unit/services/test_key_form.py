"""Key bytes decide the partition: a partition stops before the first record whose key came about otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gateway.adapters.memory import MemorySink
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.pipeline.decode import Decoder
from gateway.pipeline.progress import format_progress, parse_progress
from gateway.ports import Committed, Partition

from .memory_world import PARTITIONS, PREFIX, MemoryInstallation, MemoryRawSource
from .test_worker import turn_until_settled

Raw = tuple[str, bytes | None, bytes | None]


def with_schema(key: bytes) -> bytes:
    return json.dumps({"schema": {"type": "struct"}, "payload": json.loads(key)}).encode()


def framed(key: bytes) -> bytes:
    return b"\x00\x00\x00\x00\x07" + bytes([2 * json.loads(key)["thingId"] % 250])


def as_text(key: bytes) -> bytes:
    return f"Struct{{thingId={json.loads(key)['thingId']}}}".encode()


class ConvertedSource(MemoryRawSource):
    """Its key converter can be changed."""

    convert: Callable[[bytes], bytes] = staticmethod(bytes)

    def _record(self, *arguments: object, **more: object) -> Raw:
        topic, key, value = super()._record(*arguments, **more)  # type: ignore[arg-type]
        return topic, type(self).convert(key or b""), value


class World(MemoryInstallation):
    """An installation over that source."""

    kind = ConvertedSource


@pytest.fixture(autouse=True)
def _the_first_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConvertedSource, "convert", staticmethod(bytes))


@pytest.mark.parametrize("convert", [with_schema, framed, as_text])
def test_a_changed_key_converter_stops_each_partition_before_the_first_of_its_records(
    convert: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(41)
    world.source.write(300)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    events, settled = world.events(), world.settled()
    monkeypatch.setattr(ConvertedSource, "convert", staticmethod(convert))
    world.source.write(300)
    for _ in range(200):
        worker.turn()
        world.clock.seconds += 0.05
    assert len(world.signals.stopped()) == PARTITIONS
    assert all("key converter was changed" in told for told in world.signals.stopped())
    assert (world.events(), world.settled()) == (events, settled)
    assert not world.letters()


def test_a_partition_that_never_held_a_record_knows_the_form_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(42)
    world.source.write(300)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    worker.close()
    place = Partition(f"{PREFIX}thing.raw", 1)
    at = world.broker.committed[world.group.name, place]
    fresh = format_progress(type(progress := parse_progress(at.metadata)).fresh(progress.partitions, progress.topic_id))
    world.broker.committed[world.group.name, place] = Committed(len(world.broker.logs[place]), fresh)
    monkeypatch.setattr(ConvertedSource, "convert", staticmethod(with_schema))
    world.source.write(300)
    again, _ = world.worker()
    for _ in range(200):
        again.turn()
        world.clock.seconds += 0.05
    assert len(world.signals.stopped()) == PARTITIONS


def test_the_form_stands_in_the_progress_once_a_row_is_settled() -> None:
    world = World(43)
    world.source.write(300)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    forms = {parse_progress(at.metadata).key_form for at in world.broker.committed.values()}
    assert forms == {"json(thingId)"}


def test_a_single_damaged_key_is_no_other_converter() -> None:
    """It is dead-lettered by itself; only what a converter would write stops the partition."""
    world = World(44)
    world.source.write(100)
    worker, _ = world.worker()
    turn_until_settled(world, worker)
    topic, _key, value = world.source._record("thing", 1, None, {"thing_id": 1, "val": 1, "cod": "A", "upd_pgm": "X"})
    sink = MemorySink(world.broker, "connect")
    sink.reopen()
    sink.begin()
    sink.send(topic, b"\xff{", value, partition=0, timestamp_ms=world.source.ts_ms)
    sink.commit({}, None)
    turn_until_settled(world, worker)
    assert not world.signals.stopped()


@pytest.mark.parametrize("form", ["", "json(a,b)", "json(b,a)"])
def test_the_order_of_key_columns_is_part_of_the_form(form: str) -> None:
    decoder = Decoder(("a", "b")).of_partition(form)
    source = {"name": "s", "db": "d", "schema": "x", "table": "t", "txId": 1, "lsn": 1, "ts_ms": 1, "version": "3"}
    value = json.dumps({"op": "c", "after": {"a": 1}, "source": source}).encode()
    record = RawRecord("raw", 0, 0, 0, b'{"a":1,"b":2}', value, ())
    if form == "json(b,a)":
        with pytest.raises(ConfigError, match=r"were json\(b,a\), from here on they are json\(a,b\)"):
            decoder(record)
    else:
        decoder(record)
    assert Decoder(("a", "b")).form_of(record) == "json(a,b)"
