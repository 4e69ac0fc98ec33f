"""`gateway tail`: events as they are published, decoded."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import fastavro
import typer
from rich.console import Console
from rich.text import Text

from gateway.adapters.kafka_log import KafkaLog
from gateway.adapters.registry import ConfluentRegistry, unframe
from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.mapping.loader import load
from gateway.model.errors import DependencyError, RecordError
from gateway.model.record import RawRecord
from gateway.ports import Partition
from gateway.settings import Settings
from gateway.wiring import wire_cluster, wire_log, wire_registry

__all__ = ["app"]

app = typer.Typer(help="Show events as they are published.", add_completion=False)

_INTENTS = {
    "fact": "green", "correction": "cyan", "merge": "magenta", "pending": "yellow", "undetermined": "red",
    "state": "blue",
}  # fmt: skip
_TOLD = ("intent", "rule", "tx")
"""What is shown of an event's lineage."""


@app.command(
    epilog=examples(
        "gateway tail",
        "gateway tail --event CustomerAddressChanged --key 42",
        "gateway tail --from-beginning --max 10 -o json",
    )
)
def tail(
    event: Annotated[str | None, typer.Option("--event", help="Only this event type.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Only this aggregate's events.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="All headers and the place in the topic, too.")] = False,
    output: Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")] = "text",
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="All events, not only new ones.")] = False,
    most: Annotated[int, typer.Option("--max", min=0, help="End after so many events; 0: never.")] = 0,
) -> None:
    """Show events as they become visible to read_committed readers, until Ctrl-C."""
    with failures_told():
        settings = Settings()
        registry = wire_registry(settings)
        console = Console(highlight=False, soft_wrap=True)
        shown = 0
        for record in _published(settings, from_beginning):
            found = _Event.of(record, registry)
            if (event and found.name != event) or (key and found.key != key):
                continue
            if output == "json":
                print(json.dumps(found.as_object(raw), default=_plain), flush=True)
            else:
                console.print(found.as_text(raw))
            shown += 1
            if shown == most:
                return


def _published(settings: Settings, from_beginning: bool) -> Iterator[RawRecord]:
    topics = sorted(
        {settings.topic(one.topic) for mapping in load(settings.mappings) for one in mapping.events.values()}
    )
    cluster = wire_cluster(settings)
    places = [Partition(topic, number) for topic in topics for number in range(cluster.shape(topic).partitions)]
    log: KafkaLog = wire_log(settings, "tail")
    log.assign({place: 0 if from_beginning else cluster.high_watermark(place) for place in places})
    try:
        while True:
            try:
                yield from log.take(wait=0.2).records
            except DependencyError as error:
                print(error, file=sys.stderr)
    except KeyboardInterrupt:
        return
    finally:
        log.close()


class _Event:
    """A published event, decoded with the schema that its value names."""

    def __init__(self, record: RawRecord, headers: Mapping[str, str], data: object) -> None:
        self._record = record
        self._headers = headers
        self._data = data
        self.name = headers.get("ce_type", "?").rpartition(".")[2]
        self.key = (record.key or b"").decode(errors="replace")

    @classmethod
    def of(cls, record: RawRecord, registry: ConfluentRegistry) -> _Event:
        headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
        try:
            schema_id, body = unframe(record.value or b"")
            schema: Any = registry.schema(schema_id)
            data: object = fastavro.schemaless_reader(io.BytesIO(body), schema, None)
        except RecordError as error:
            data = f"not an event: {error}"
        return cls(record, headers, data)

    @property
    def lineage(self) -> dict[str, str]:
        """The members of the lineage header, or the headers of their own that stand in its place."""
        told = dict(part.split("=", 1) for part in self._headers.get("lineage", "").split(",") if "=" in part)
        return told or {name: self._headers[f"ce_{name}"] for name in _TOLD if f"ce_{name}" in self._headers}

    def _told(self) -> dict[str, object]:
        found: dict[str, object] = {name: self.lineage.get(name) for name in _TOLD}
        tx = self.lineage.get("tx", "")
        return {**found, "tx": int(tx)} if tx.isdigit() else found

    def as_object(self, raw: bool) -> dict[str, object]:
        """For machines."""
        found: dict[str, object] = {
            "event": self.name,
            "type": self._headers.get("ce_type"),
            "key": self.key,
            "id": self._headers.get("ce_id"),
            "time": self._headers.get("ce_time"),
            "sequence": self._headers.get("ce_sequence"),
            **self._told(),
            "data": self._data,
        }
        if raw:
            found["headers"] = dict(self._headers)
            place = self._record
            found["place"] = {"topic": place.topic, "partition": place.partition, "offset": place.offset}
        return found

    def as_text(self, raw: bool) -> Text:
        """One line for people; with ``raw`` more below it."""
        intent = self.lineage.get("intent", "")
        time = self._headers.get("ce_time") or datetime.fromtimestamp(self._record.timestamp_ms / 1000, UTC).isoformat()
        line = Text.assemble(
            (f"{time}  ", "dim"),
            (f"{self.name} ", f"bold {_INTENTS.get(intent, '')}".strip()),
            (f"{intent}  ", _INTENTS.get(intent, "")),
            (f"{self.key}  ", "bold"),
            json.dumps(self._data, default=_plain, ensure_ascii=False),
        )
        if raw:
            line.append(f"\n    {self._record.place}", "dim")
            for name, value in self._headers.items():
                line.append(f"\n    {name}: {value}", "dim")
        return line


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value.hex() if isinstance(value, bytes) else repr(value)
