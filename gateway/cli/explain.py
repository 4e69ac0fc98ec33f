"""`gateway explain`: what became of a record and why; or why an event was not said."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from msgspec.structs import replace
from rich.console import Console

from gateway.authoring.settled import Stretch
from gateway.authoring.told import EventTold, Explanation
from gateway.authoring.why_not import Silence
from gateway.cli.explain_select import (
    nothing_of,
    of_event,
    of_file,
    of_key,
    of_letter,
    of_place,
    place,
    silences,
    times,
)
from gateway.cli.explain_source import FileSource, LiveSource, Source, letters_of
from gateway.cli.explain_text import explanation_shown, silence_shown
from gateway.cli.failing import failures_told
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.settings import Settings

__all__ = ["app"]

app = typer.Typer(help="What became of a record, and why.", add_completion=False, rich_markup_mode=None)

Answer = Explanation | Silence | EventTold

_EXAMPLES = """
\b
Examples:
  gateway explain 'legacy.customer.raw[0]@123'
  gateway explain --recording day.gz --key 42 --at 2026-11-25T10:04
  gateway explain --event 9f86d081884c7d65…
  gateway explain --letter 'legacy.customer.raw.dlq[0]@3' -o json
  gateway explain record.json       (a record, or a printed explanation)
  gateway explain --why-not CustomerAddressChanged --key 42 --since yesterday

\b
Exit status: 0 answered, 1 nothing found, 2 cannot be asked so,
  3 the cluster is away.
"""


@app.command(epilog=_EXAMPLES)
def command(
    what: Annotated[str, typer.Argument(help="TOPIC[PARTITION]@OFFSET, or a JSON file.", show_default=False)] = "",
    recording: Annotated[Path | None, typer.Option(help="Look in this recording, not in the cluster.")] = None,
    key: Annotated[str, typer.Option(help="Change sets of this aggregate (its id).")] = "",
    at: Annotated[str, typer.Option(help="With --key: only the one nearest to this time.")] = "",
    since: Annotated[str, typer.Option(help="With --key: from then on (yesterday, 2h, 2026-11-25).")] = "",
    until: Annotated[str, typer.Option(help="With --key: until then.")] = "",
    event: Annotated[str, typer.Option(help="The event with this id.")] = "",
    letter: Annotated[str, typer.Option(help="A dead letter, TOPIC.dlq[PARTITION]@OFFSET.")] = "",
    silent: Annotated[str, typer.Option("--why-not", help="With --key: why this event was not said.")] = "",
    against: Annotated[Path | None, typer.Option(help="With --why-not: mappings under which it was said.")] = None,
    mapping: Annotated[str, typer.Option(help="With --key: its mapping, where several have such a key.")] = "",
    mappings: Annotated[Path | None, typer.Option(help="Folder of the mapping files.")] = None,
    whole: Annotated[bool, typer.Option("--all", help="Every rule, test, column and record.")] = False,
    limit: Annotated[int, typer.Option(help="Records of the cluster to read at most.")] = 500_000,
    output: Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")] = "text",
) -> None:
    """Explain records: the row's changes, each rule tried with what it saw, the events, their ids and bytes."""
    with failures_told():
        settings = Settings()
        loaded = load(mappings or settings.mappings)
        _one_question(what, key, event, letter, silent)
        if what and Path(what).is_file():
            shown: list[Answer] = [of_file(Path(what), loaded)]
        else:
            span = times(at, since, until, live=recording is None)
            source: Source = (
                FileSource(recording, loaded, settings) if recording else LiveSource(loaded, settings, limit)
            )
            if silent:
                older = load(against) if against else None
                shown = list(silences(source, silent, key, span, older))
            elif key:
                shown = [*of_key(source, key, mapping, span, nearest=bool(at))]
            elif event:
                shown = [of_event(source, event)]
            else:
                shown = [of_place(source, place(what) if what else of_letter(source, place(letter)))]
            shown = [_with_letters(source, one) for one in shown]
            nothing = "" if shown else nothing_of(source, key, mapping, silent, span)
    _print(shown, output, whole, listed=bool(key))
    if not shown:
        Console(stderr=output == "json", highlight=False, soft_wrap=True).print(nothing, style="yellow", markup=False)
        raise typer.Exit(1)


def _one_question(what: str, key: str, event: str, letter: str, silent: str) -> None:
    if sum(map(bool, (what, key, event, letter))) != 1:
        raise ConfigError("say one of: a record, --key, --event, --letter", hint="gateway explain --help")
    if silent and not key:
        raise ConfigError("--why-not asks about an aggregate", hint="add --key with its id")


def _with_letters(source: Source, one: Answer) -> Answer:
    """The explanation with what stands in the letters' topic about its records."""
    if not isinstance(one, Explanation) or one.outcome not in ("dead_lettered", "parked") or one.unit is None:
        return one
    places = [(one.unit.topic, one.unit.partition, record.offset) for record in one.records]
    stretch = Stretch((), source.mappings, {})
    return replace(one, letters=letters_of(source, stretch, places))


def _print(shown: Sequence[Answer], output: str, whole: bool, *, listed: bool) -> None:
    if output == "json":
        document = list(shown) if listed else shown[0]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(document)).decode() + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    for number, one in enumerate(sorted(shown, key=_nearness) if listed else shown):
        if number:
            console.print()
        if isinstance(one, Explanation):
            explanation_shown(console, one, whole=whole)
        elif isinstance(one, Silence):
            silence_shown(console, one, whole=whole)
        else:
            console.print(f"{one.record}  {one.event} was said, by rule {one.rule}: {one.id}", markup=False)


def _nearness(one: Answer) -> int:
    """Near misses first; what was said last. Explanations stay in their order."""
    if isinstance(one, Silence):
        return one.misses[0].distance if one.misses else 1000
    return 0 if isinstance(one, Explanation) else 2000
