"""`gateway translate`: a recording's events as JSON lines, without a broker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from gateway.adapters.files import read_recording
from gateway.authoring.offline import assemble, books_of, replay
from gateway.authoring.shown import event_json
from gateway.cli.failing import failures_told
from gateway.mapping.loader import load
from gateway.pipeline.encode import WireSettings
from gateway.settings import Settings
from gateway.wiring import wire_raw_schemas

__all__ = ["app"]

app = typer.Typer(help="A recording's events as JSON lines, without a broker.", add_completion=False)


@app.command()
def translate(
    file: Annotated[Path, typer.Argument(help="A recording (gateway recording capture).")],
    mappings: Annotated[Path | None, typer.Option(help="Folder of the mapping files.")] = None,
    letters: Annotated[bool, typer.Option("--letters", help="Print dead letters, too.")] = False,
) -> None:
    """Print the events that FILE's records mean, in the order of each partition; a summary goes to stderr.

    The end of the file closes the transaction that is open there.
    """
    with failures_told():
        settings = Settings()
        loaded = load(mappings or settings.mappings)
        incarnations = tuple((one.name, one.since_ms) for one in settings.incarnations)
        units = assemble(read_recording(file), loaded, incarnations=incarnations, avro=wire_raw_schemas(settings))
        wire = WireSettings(settings.prefix, incarnations=incarnations)
        result = replay(units, loaded, books_of(loaded, wire=wire))
    for encoded in result.events:
        sys.stdout.write(msgspec.json.encode(event_json(encoded)).decode() + "\n")
    for letter in result.letters if letters else ():
        fields = {"letter": letter.letter_class, "record": letter.record.place, "key": letter.aggregate_id}
        reason = dict(letter.headers).get("__connect.errors.exception.message") or b""
        sys.stdout.write(msgspec.json.encode({**fields, "rule": letter.rule, "why": reason.decode()}).decode() + "\n")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("  ".join(f"{name} {count}" for name, count in result.counters._asdict().items()), markup=False)
