"""`gateway recording cases`: test cases made of records, from a recording or from the raw topics."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console

from gateway.adapters.files import read_header, read_recording
from gateway.authoring.case_files import cases_beside
from gateway.authoring.case_making import MadeCase, Wanted, make_case, recorded
from gateway.authoring.case_writing import added, case_text
from gateway.authoring.lookups import Recorded
from gateway.authoring.offline import assemble, books_of, mapping_of_topic
from gateway.cli.failing import failures_told
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.model.unit import Unit
from gateway.pipeline.reference import columns_of
from gateway.ports import Partition
from gateway.services.recording import raw_records, spans
from gateway.settings import Settings
from gateway.wiring import wire_cluster, wire_log, wire_raw_schemas

__all__ = ["EXAMPLES", "cases"]

EXAMPLES = """Examples:

  gateway recording cases day.jsonl.gz --event CustomerAddressChanged --limit 2

  gateway recording cases day.jsonl.gz --distinct --limit 0 --write     one case of each kind, into the case files

  gateway recording cases --at 'legacy.customer.raw[1]@3900' --write    from the raw topic itself

  gateway recording cases --key 42 --last 50000                         the newest records of each partition

Exit status: 0 cases were made, 1 no record is what is wanted, 2 an argument, a file or a mapping is wrong."""

_PLACE = re.compile(r"(?P<topic>[^\s\[\]@]+)\[(?P<partition>[0-9]{1,9})\]@(?P<offset>[0-9]{1,18})")
_AROUND = 2_000
"""Records read before and behind one that is asked for, at first."""


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
    last: Annotated[int, typer.Option("--last", min=1, help="Of topics: so many records a partition.")] = 10_000,
    mappings: Annotated[Path | None, typer.Option(help="Folder of the mapping files.")] = None,
    output: Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")] = "text",
) -> None:
    """Make test cases of what happened: the rows of a change set, and the events that they give."""
    with failures_told():
        settings = Settings()
        folder = mappings or settings.mappings
        loaded = load(folder)
        wanted = Wanted(frozenset(map(_place, at or ())), key, event, mapping, distinct)
        _check(wanted, loaded)
        masking = mask and not (file is not None and read_header(file).masked)
        reference = Recorded(loaded)
        units = _units(settings, reference, file, wanted, last)
        books = books_of(loaded, lookups=reference.tables())
        found = recorded(units, loaded, books, wanted)
        made = [make_case(one, books[one.mapping.name], masked=masking) for one in islice(found, limit or None)]
        if write:
            _write(folder, made, exact=exactly)
    if output == "json":
        sys.stdout.write(msgspec.json.encode([_as_object(one, exact=exactly) for one in made]).decode() + "\n")
    elif not write:
        sys.stdout.write("\n".join(case_text(one, exact=exactly) for one in made))
    if not made:
        Console(stderr=True).print("no record is what is wanted", style="yellow")
        raise typer.Exit(1)


def _place(text: str) -> tuple[str, int, int]:
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ConfigError(f"`{text}` is no place", hint="write --at 'topic[partition]@offset', in quotes")
    return match["topic"], int(match["partition"]), int(match["offset"])


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


def _units(settings: Settings, reference: Recorded, file: Path | None, wanted: Wanted, last: int) -> list[Unit]:
    """The units to look through; reference data is noted beside them."""
    loaded = reference.mappings
    incarnations = tuple((one.name, one.since_ms) for one in settings.incarnations)
    avro = wire_raw_schemas(settings)
    if file is not None:
        return assemble(reference.passing(read_recording(file)), loaded, incarnations=incarnations, avro=avro)
    reference.take(_read(settings, _reference_topics(settings, loaded)))
    around = _AROUND
    while True:
        within, whole = _within(settings, loaded, wanted, last, around)
        units = assemble(_read(settings, within), loaded, incarnations=incarnations, avro=avro)
        if whole or not _cut(units, within, wanted):
            return units
        around *= 10


def _within(
    settings: Settings, loaded: Sequence[CompiledMapping], wanted: Wanted, last: int, around: int
) -> tuple[dict[Partition, tuple[int, int]], bool]:
    """What to read of each partition, and whether that is all there is of it."""
    cluster = wire_cluster(settings)
    with closing(cluster):
        if not wanted.at:
            topics = [settings.topic(topic) for one in loaded for topic in one.topics]
            found = spans(cluster, topics)
            return {place: (max(low, high - last), high) for place, (low, high) in found.items()}, True
        found = spans(cluster, sorted({topic for topic, _, _ in wanted.at}))
        within: dict[Partition, tuple[int, int]] = {}
        for topic, number, offset in wanted.at:
            low, high = found.get(Partition(topic, number), (0, 0))
            if not low <= offset < high:
                raise ConfigError(f"{topic}[{number}] has no offset {offset}", hint=f"it holds {low} to {high - 1}")
            start, end = within.get(Partition(topic, number), (offset, offset + 1))
            within[Partition(topic, number)] = (
                max(low, min(start, offset - around)),
                min(high, max(end, offset + around)),
            )
        return within, all(within[place] == found[place] for place in within)


def _reference_topics(settings: Settings, loaded: Sequence[CompiledMapping]) -> dict[Partition, tuple[int, int]]:
    """All of the topics that the mappings look values up in."""
    topics = [settings.topic(name) for name in sorted(columns_of(loaded))]
    if not topics:
        return {}
    cluster = wire_cluster(settings)
    with closing(cluster):
        return spans(cluster, topics)


def _read(settings: Settings, within: dict[Partition, tuple[int, int]]) -> list[RawRecord]:
    if not within:
        return []
    with closing(wire_log(settings, f"cases-{secrets.token_hex(4)}")) as reader:
        return list(raw_records(reader, within))


def _cut(units: Sequence[Unit], within: dict[Partition, tuple[int, int]], wanted: Wanted) -> bool:
    """Whether a wanted record's unit may go on beyond what was read of its partition."""
    for unit in units:
        asked = any(
            (topic, number) == (unit.topic, unit.partition) and unit.first_offset <= offset < unit.next_offset
            for topic, number, offset in wanted.at
        )
        start, end = within[Partition(unit.topic, unit.partition)]
        if asked and (unit.first_offset <= start or unit.next_offset >= end):
            return True
    return False
