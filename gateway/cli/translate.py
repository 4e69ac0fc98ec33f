"""`gateway translate`: a recording's events as JSON lines, without a broker."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from gateway.adapters.files import read_recording
from gateway.authoring.lookups import Differing, Recorded, differing, differing_from_published, topic_of
from gateway.authoring.offline import Replayed, assemble, books_of, mapping_of_topic, replay
from gateway.authoring.shown import event_json
from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.letter import DeadLetter
from gateway.model.lookup import ReferenceTables
from gateway.pipeline.encode import WireSettings
from gateway.settings import Settings
from gateway.wiring import wire_raw_schemas

__all__ = ["app"]

_SHOWN = 20

app = typer.Typer(help="A recording's events as JSON lines, without a broker.", add_completion=False)


@app.command(
    epilog=examples(
        "gateway translate recording.jsonl.gz", "gateway translate recording.jsonl.gz --letters > events.jsonl"
    )
)
def translate(
    file: Annotated[Path, typer.Argument(help="A recording (gateway recording capture).")],
    mappings: Annotated[Path | None, typer.Option(help="Folder of the mapping files.")] = None,
    lookups: Annotated[
        Path | None, typer.Option(help="A recording of the reference topics as they are today: tell what differs.")
    ] = None,
    letters: Annotated[bool, typer.Option("--letters", help="Print dead letters, too.")] = False,
) -> None:
    """Print the events that FILE's records mean, in the order of each partition; a summary goes to stderr.

    The end of the file closes the transaction that is open there. Lookups see the reference topics' records in FILE,
    each event those of its time; with --lookups it is told which differ today (without any in FILE, today's are used).
    Where FILE holds published events, too, it is told which of them were told something else.
    """
    with failures_told():
        settings = Settings()
        loaded = load(mappings or settings.mappings)
        incarnations = tuple((one.name, one.since_ms) for one in settings.incarnations)
        then = Recorded(loaded)
        records = then.passing(read_recording(file))
        units = assemble(records, loaded, incarnations=incarnations, avro=wire_raw_schemas(settings))
        today = Recorded(loaded).take(read_recording(lookups)).tables() if lookups else {}
        wire = WireSettings(settings.prefix, incarnations=incarnations)
        tables = then.tables() if then.records or not lookups else today
        result = replay(units, loaded, books_of(loaded, wire=wire, lookups=tables))
    for encoded in result.events:
        sys.stdout.write(msgspec.json.encode(event_json(encoded)).decode() + "\n")
    for letter in result.letters if letters else ():
        sys.stdout.write(msgspec.json.encode(_letter(letter, loaded)).decode() + "\n")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in _differing(result, loaded, then.published, today if lookups else None):
        console.print(line, style="yellow", markup=False)
    console.print("  ".join(f"{name} {count}" for name, count in result.counters._asdict().items()), markup=False)


def _letter(letter: DeadLetter, loaded: Sequence[CompiledMapping]) -> dict[str, object]:
    mapping = mapping_of_topic(letter.record.topic, loaded)
    reason = dict(letter.headers).get("__connect.errors.exception.message") or b""
    return {
        "letter": letter.letter_class,
        "record": letter.record.place,
        "key": letter.aggregate_id,
        "rule": f"{mapping.name}/{letter.rule}" if mapping is not None and letter.rule else "",
        "why": reason.decode(),
    }


def _differing(
    result: Replayed,
    loaded: Sequence[CompiledMapping],
    published: Mapping[str, str],
    today: Mapping[str, ReferenceTables] | None,
) -> Iterator[str]:
    """Values of reference data that published events were told otherwise, and that are others today."""
    if published:
        yield from _lines("published otherwise", differing_from_published(result.events, published))
    if today is None:
        return
    named = {topic: mapping.name for mapping in loaded for topic in mapping.topics}
    events = [(named[topic_of(one.source.topic, named) or ""], one) for one in result.events]
    yield from _lines("different today", differing(events, today))


def _lines(what: str, found: Sequence[Differing]) -> Iterator[str]:
    yield f"looked-up values {what}: {len(found)}"
    yield from (f"  {one}" for one in found[:_SHOWN])
    if len(found) > _SHOWN:
        yield f"  … and {len(found) - _SHOWN} more"
