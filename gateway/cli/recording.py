"""`gateway recording`: raw records to a file and back."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from gateway.adapters.files import RecordingHeader, read_header, read_recording, write_recording
from gateway.adapters.kafka_cluster import KafkaCluster
from gateway.authoring.offline import TRANSACTION_SUFFIX
from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.cli.recording_cases import EXAMPLES, cases
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.pipeline.redact import Redactor
from gateway.pipeline.reference import columns_of
from gateway.services.recording import raw_records, spans
from gateway.settings import Settings
from gateway.wiring import wire_cluster, wire_log

__all__ = ["app"]

app = typer.Typer(
    help="Raw records to a file and back; test cases made of them.", no_args_is_help=True, add_completion=False
)
app.command(epilog=EXAMPLES)(cases)


@app.command(epilog=examples("gateway recording capture june.jsonl.gz --mask"))
def capture(
    file: Annotated[Path, typer.Argument(help="The recording to write; a name ending in .gz is packed.")],
    mask: Annotated[bool, typer.Option("--mask", help="Replace personal data (columns marked `pii`).")] = False,
    topic: Annotated[list[str] | None, typer.Option(help="Raw topics, with prefix; else all of the mappings.")] = None,
    limit: Annotated[int, typer.Option(help="Stop after this many records; 0 means all.")] = 0,
) -> None:
    """Copy the raw topics as they stand now, the transaction topic and the topics of lookups, into FILE.

    With --mask the topics of lookups are left out: no mapping says what in them is personal.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with failures_told():
        settings = Settings()
        mappings = load(settings.mappings)
        cluster = wire_cluster(settings)
        with closing(cluster), closing(wire_log(settings, f"recording-{secrets.token_hex(4)}")) as reader:
            within = spans(cluster, topic or _topics(settings, mappings, cluster, reference=not mask))
            left_out: list[str] = []
            change = _masking(mappings, left_out) if mask else None
            header = RecordingHeader(masked=mask, note=f"{len(within)} partitions")
            count = write_recording(file, raw_records(reader, within, change, limit), header)
    console.print(f"{count} records of {len(within)} partitions in {file}", markup=False)
    if left_out:
        told = f"{len(left_out)} records left out, since what is personal in them cannot be told: {left_out[0]} …"
        console.print(told, style="yellow", markup=False)


def _topics(
    settings: Settings, mappings: Sequence[CompiledMapping], cluster: KafkaCluster, *, reference: bool
) -> list[str]:
    raw = [settings.topic(name) for mapping in mappings for name in mapping.topics]
    raw += [settings.topic(name) for name in columns_of(mappings)] if reference else []
    markers = settings.topic(settings.topic_prefix) + TRANSACTION_SUFFIX
    try:
        cluster.shape(markers)
    except ConfigError:
        return raw
    return [*raw, markers]


def _masking(mappings: Sequence[CompiledMapping], left_out: list[str]) -> Callable[[RawRecord], RawRecord | None]:
    redactor = Redactor(mappings, secrets.token_bytes(16))

    def change(record: RawRecord) -> RawRecord | None:
        masked = redactor(record)
        if masked is None:
            left_out.append(record.place)
        return masked

    return change


@app.command(epilog=examples("gateway recording show june.jsonl.gz --topic customer --limit 20"))
def show(
    file: Annotated[Path, typer.Argument(help="The recording.")],
    topic: Annotated[str, typer.Option(help="Only topics whose name contains this.")] = "",
    key: Annotated[str, typer.Option(help="Only records whose key contains this.")] = "",
    limit: Annotated[int, typer.Option(help="Stop after this many records; 0 means all.")] = 0,
) -> None:
    """Print records as JSON lines, key and value parsed where they are JSON; a summary goes to stderr."""
    with failures_told():
        header = read_header(file)
        counts: dict[str, int] = {}
        for record in read_recording(file):
            if topic not in record.topic or key not in (record.key or b"").decode(errors="replace"):
                continue
            counts[record.topic] = counts.get(record.topic, 0) + 1
            sys.stdout.write(_line(record) + "\n")
            if sum(counts.values()) == limit:
                break
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"{'masked' if header.masked else 'not masked'}; {header.note}", markup=False)
    for name, count in sorted(counts.items()):
        console.print(f"{count:>9}  {name}", markup=False)


def _line(record: RawRecord) -> str:
    fields = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp_ms,
        "key": _parsed(record.key),
        "headers": {name: _parsed(value) for name, value in record.headers},
        "value": _parsed(record.value),
    }
    return msgspec.json.encode(fields).decode()


def _parsed(value: bytes | None) -> object:
    if value is None:
        return None
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return value.decode(errors="backslashreplace")
