"""`gateway scaffold`: a mapping to begin with, made from tables as they are."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import typer
from rich.console import Console

from gateway.adapters.ddl import read_ddl
from gateway.adapters.files import read_recording
from gateway.adapters.sql import LegacyDatabase
from gateway.adapters.sql_shapes import table_names, table_shapes
from gateway.authoring.scaffold_context import context_table
from gateway.authoring.scaffold_draft import draft
from gateway.authoring.scaffold_files import files_of
from gateway.authoring.scaffold_records import shapes_of
from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.model.shape import TableShape
from gateway.pipeline.messages import MESSAGE_TABLE
from gateway.services.recording import raw_records, spans
from gateway.settings import Settings
from gateway.wiring import wire_cluster, wire_log

__all__ = ["app"]

app = typer.Typer(
    help="A beginning made from what is there: mappings, and a table in which legacy code says why.",
    no_args_is_help=True,
    add_completion=False,
)
_NAME = r"[a-z][a-z0-9-]*"


@app.command(
    epilog=examples(
        "gateway scaffold mapping orders --url postgresql://me@host/erp --table sales.ord --table sales.ord_pos",
        "gateway scaffold mapping orders --recording week.jsonl.gz --table sales.ord",
        "gateway scaffold mapping orders --topic legacy.orders.raw --last 5000",
        "gateway scaffold mapping --url postgresql://me@host/erp        lists the tables that there are",
    )
)
def mapping(
    name: Annotated[str, typer.Argument(help="The mapping's name: lower case, hyphens.")] = "",
    url: Annotated[str, typer.Option("--url", help="The legacy database; else legacy_dsn of the settings.")] = "",
    table: Annotated[
        list[str] | None, typer.Option("--table", help="schema.table; all tables of one aggregate.")
    ] = None,
    recording: Annotated[Path | None, typer.Option("--recording", help="Take the tables from a recording.")] = None,
    topic: Annotated[str, typer.Option("--topic", help="Take them from a raw topic (with its prefix).")] = "",
    last: Annotated[int, typer.Option("--last", help="Of a topic, so many last records of each partition.")] = 10_000,
    key: Annotated[
        list[str] | None, typer.Option("--key", help="Legacy column of the aggregate's key; guessed.")
    ] = None,
    aggregate: Annotated[
        str, typer.Option("--aggregate", help="The aggregate's type, as Customer; else the name.")
    ] = "",
    out: Annotated[Path | None, typer.Option("--out", help="The mappings folder; else that of the settings.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
) -> None:
    """Write a commented mapping, event contracts and first test cases; guesses are marked as such.

    Values are looked at (codes, flags, dates written as digits), and none of them is written but codes.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with failures_told():
        settings = Settings()
        _check_name(name, aggregate, listing=not (table or recording or topic))
        shapes, source, raw = _shapes(settings, url, table or [], recording, topic, last)
        made = draft(name, shapes, raw or f"{settings.topic_prefix}.{name}.raw", key or (), aggregate)
        folder = out or settings.mappings
        written = _write(folder, files_of(made, source), force=force)
    for path in written:
        console.print(f"  {path}", markup=False)
    guessed = sum(bool(column.guess.why) for one in made.tables for column in one.columns)
    console.print(f"{len(made.tables)} tables, {guessed} columns with guesses. Next:", markup=False)
    console.print(f"  edit {written[0]}\n  gateway lint\n  gateway test --watch", markup=False)


@app.command(
    name="context-table",
    epilog=examples(
        "gateway scaffold context-table customer                        prints SQL, and YAML for the mapping",
        "gateway scaffold context-table customer --url postgresql://me@host/erp > context.sql",
        "gateway scaffold context-table customer --ddl legacy.sql -o json",
    ),
)
def context(
    name: Annotated[str, typer.Argument(metavar="MAPPING", help="The mapping whose aggregate it is about.")],
    url: Annotated[str, typer.Option("--url", help="The legacy database, for the key's types; else legacy_dsn.")] = "",
    ddl: Annotated[list[Path] | None, typer.Option("--ddl", help="Or SQL scripts that create the tables.")] = None,
    table: Annotated[
        str, typer.Option("--table", help="Its name, schema.table; else the root table's with _context.")
    ] = "",
    output: Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")] = "text",
) -> None:
    """Print a table in which legacy code can say why it changes something, and what the mapping says of it."""
    with failures_told():
        settings = Settings()
        mappings = {one.name: one for one in load(settings.mappings)}
        if name not in mappings:
            hint = f"there are: {', '.join(sorted(mappings))}"
            raise ConfigError(f"no mapping is called {name!r}", where=str(settings.mappings), hint=hint)
        made = context_table(mappings[name], _types(settings, mappings[name], url, ddl or []), table)
    print(json.dumps(asdict(made)) if output == "json" else made.whole, end="\n" if output == "json" else "")


def _types(settings: Settings, mapping: CompiledMapping, url: str, ddl: Sequence[Path]) -> Mapping[str, str]:
    """Database types of the root table's columns; none where nobody knows."""
    root = next(name for name in mapping.tables if name != MESSAGE_TABLE)
    if ddl:
        found = read_ddl(ddl)
        return {name: one.type for name, one in found[root].columns.items()} if root in found else {}
    dsn = url or settings.legacy_dsn
    facts = LegacyDatabase(dsn).tables([root]) if dsn else {}
    return facts[root].columns if root in facts else {}


def _check_name(name: str, aggregate: str, *, listing: bool) -> None:

    if listing and not name:
        return
    if not re.fullmatch(_NAME, name):
        raise ConfigError(
            f"no mapping's name: {name!r}", where="NAME", hint="lower case with hyphens, as in sales-orders"
        )
    if aggregate and not re.fullmatch(r"[A-Z][A-Za-z0-9]*", aggregate):
        raise ConfigError(f"no type's name: {aggregate!r}", where="--aggregate", hint="as in SalesOrder")


def _shapes(
    settings: Settings, url: str, tables: Sequence[str], recording: Path | None, topic: str, last: int
) -> tuple[list[TableShape], str, str]:
    """The tables, where they come from in words, and the raw topic if that is known."""
    if recording is not None:
        records = [one for one in read_recording(recording) if not topic or one.topic == topic]
        topics = {one.topic for one in records if one.value and not one.topic.endswith(".transaction")}
        shapes = shapes_of(records, tables)
        return shapes, f"records of {recording.name}", topics.pop() if len(topics) == 1 else topic
    if topic:
        return shapes_of(_records(settings, topic, last), tables), f"records of {topic}", _unprefixed(settings, topic)
    return _live(settings, url, tables), f"the live table{'s' if len(tables) > 1 else ''}", ""


def _unprefixed(settings: Settings, topic: str) -> str:
    return topic.removeprefix(settings.prefix)


def _records(settings: Settings, topic: str, last: int) -> list[RawRecord]:
    cluster = wire_cluster(settings)
    with closing(cluster), closing(wire_log(settings, f"scaffold-{secrets.token_hex(4)}")) as reader:
        found = spans(cluster, [topic])
        within = {place: (max(low, high - last), high) for place, (low, high) in found.items()}
        return list(raw_records(reader, within))


def _live(settings: Settings, url: str, tables: Sequence[str]) -> list[TableShape]:
    dsn = url or settings.legacy_dsn
    if not dsn:
        hint = "say --url postgresql://…, --recording FILE or --topic TOPIC"
        raise ConfigError("nothing says where the tables are", where="--url", hint=hint)
    database = LegacyDatabase(dsn)
    if not tables:
        there = table_names(database)
        told = "\n".join(f"    --table {one}" for one in there) or "    (none)"
        raise ConfigError(
            f"say which tables belong to the aggregate; there are:\n{told}", where=f"database {database.name}"
        )
    shapes = table_shapes(database, list(tables))
    lacking = [one for one in tables if one not in shapes]
    if lacking:
        hint = f"there are: {', '.join(table_names(database)[:40])}"
        raise ConfigError(f"no such table: {', '.join(lacking)}", where=f"database {database.name}", hint=hint)
    return [shapes[one] for one in dict.fromkeys(tables)]


def _write(folder: Path, files: Mapping[PurePosixPath, str], *, force: bool) -> list[Path]:
    there = [str(folder / name) for name in files if (folder / name).exists()]
    if there and not force:
        hint = "choose another name, or say --force to write over them"
        raise ConfigError(
            f"{len(there)} of its files are there already: {', '.join(there[:3])}", where=str(folder), hint=hint
        )
    written = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
