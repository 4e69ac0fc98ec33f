"""`gateway recording cases`: test cases made of records, from a recording or from the raw topics."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console

from gateway.adapters.files import read_header
from gateway.authoring.case_files import cases_beside
from gateway.authoring.case_making import MadeCase, Recorded, Wanted, make_case, recorded
from gateway.authoring.case_writing import added, case_text
from gateway.authoring.moments import moment_ms
from gateway.authoring.offline import books_of, mapping_of_topic
from gateway.authoring.settled import Stretch
from gateway.cli.explain_select import place
from gateway.cli.explain_source import FOREVER, FileSource, LiveSource
from gateway.cli.failing import failures_told
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.settings import Settings

__all__ = ["EXAMPLES", "cases"]

EXAMPLES = """Examples:

  gateway recording cases day.jsonl.gz --event CustomerAddressChanged --limit 2

  gateway recording cases day.jsonl.gz --distinct --limit 0 --write     one case of each kind, into the case files

  gateway recording cases --at 'legacy.customer.raw[1]@3900' --write    from the raw topic itself

  gateway recording cases --key 42 --since 3d                           of the last three days in the raw topics

Exit status: 0 cases were made, 1 no record is what is wanted, 2 an argument, a file or a mapping is wrong."""

_MOST = 1_000_000
"""Records of a time span, at the most."""


def cases(
    file: Annotated[Path | None, typer.Argument(help="The recording; without it, the raw topics are read.")] = None,
    at: Annotated[list[str] | None, typer.Option("--at", help="The record at topic[partition]@offset.")] = None,
    key: Annotated[str, typer.Option("--key", help="Only change sets of this aggregate.")] = "",
    event: Annotated[str, typer.Option("--event", help="Only change sets that give this event.")] = "",
    mapping: Annotated[str, typer.Option("--mapping", help="Only records that this mapping reads.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many cases; 0 means all.")] = 3,
    distinct: Annotated[bool, typer.Option("--distinct", help="Only the first of each kind.")] = False,
    exactly: Annotated[bool, typer.Option("--exactly", help="Write payloads as the whole of what may come.")] = False,
    mask: Annotated[bool, typer.Option("--mask/--no-mask", help="Replace personal data (columns marked pii).")] = True,
    write: Annotated[
        bool, typer.Option("--write", help="Add to the mappings' case files instead of printing.")
    ] = False,
    since: Annotated[str, typer.Option("--since", help="Of topics: from then on; 2026-11-25, 2h, 3d.")] = "1d",
    mappings: Annotated[Path | None, typer.Option(help="Folder of the mapping files.")] = None,
    output: Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")] = "text",
) -> None:
    """Make test cases of what happened: the rows of a change set, and the events that they give."""
    with failures_told():
        settings = Settings()
        folder = mappings or settings.mappings
        loaded = load(folder)
        wanted = Wanted(frozenset(map(place, at or ())), key, event, mapping, distinct)
        _check(wanted, loaded)
        masking = mask and not (file is not None and read_header(file).masked)
        found = islice(_found(_stretches(settings, loaded, file, wanted, since), wanted), limit or None)
        books = books_of(loaded)
        made = [make_case(one, books[one.mapping.name], masked=masking) for one in found]
        if write:
            _write(folder, made, exact=exactly)
    if output == "json":
        sys.stdout.write(msgspec.json.encode([_as_object(one, exact=exactly) for one in made]).decode() + "\n")
    elif not write:
        sys.stdout.write("\n".join(case_text(one, exact=exactly) for one in made))
    if not made:
        Console(stderr=True).print("no record is what is wanted", style="yellow")
        raise typer.Exit(1)


def _check(wanted: Wanted, loaded: Sequence[CompiledMapping]) -> None:
    names = [one.name for one in loaded]
    if wanted.mapping and wanted.mapping not in names:
        raise ConfigError(f"no mapping is named {wanted.mapping}", hint=f"known: {', '.join(names)}")
    events = sorted({name for one in loaded for name in one.events})
    if wanted.event and wanted.event not in events:
        raise ConfigError(f"no mapping says {wanted.event}", hint=f"known: {', '.join(events)}")
    for topic, _, _ in wanted.at:
        if mapping_of_topic(topic, loaded) is None:
            topics = ", ".join(topic for one in loaded for topic in one.topics)
            raise ConfigError(f"no mapping reads topic {topic}", hint=f"known: {topics}")


def _as_object(made: MadeCase, *, exact: bool) -> dict[str, object]:
    text = case_text(made, exact=exact)
    return {"mapping": made.mapping.name, "case": made.case.name, "place": made.place, "text": text}


def _write(folder: Path, made: Sequence[MadeCase], *, exact: bool) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for mapping in dict.fromkeys(one.mapping.file for one in made):
        path = cases_beside(folder, mapping)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        own = [one for one in made if one.mapping.file == mapping]
        whole, count = added(text, own, str(path), exact=exact)
        path.write_text(whole, encoding="utf-8")
        left = f", {len(own) - count} stand there already" if count < len(own) else ""
        console.print(f"{path}: {count} cases added{left}", markup=False)


# -- where the records come from ----


def _stretches(
    settings: Settings, loaded: Sequence[CompiledMapping], file: Path | None, wanted: Wanted, since: str
) -> list[Stretch]:
    """The units to look through: a whole recording, what stands around the wanted records, or a time of all topics."""
    if file is not None:
        return [FileSource(file, loaded, settings).stretch]
    source = LiveSource(loaded, settings, _MOST)
    if wanted.at:
        return [source.at(*place) for place in sorted(wanted.at)]
    topics = [topic for one in loaded for topic in one.topics if wanted.mapping in ("", one.name)]
    return [source.during(topics, moment_ms(since, dt.datetime.now(dt.UTC)), FOREVER)]


def _found(stretches: Sequence[Stretch], wanted: Wanted) -> Iterator[Recorded]:
    """The change sets that are wanted, each once."""
    seen: set[str] = set()
    for stretch in stretches:
        for found in recorded(stretch.units, stretch.mappings, stretch.books, wanted):
            if found.place not in seen:
                seen.add(found.place)
                yield found
