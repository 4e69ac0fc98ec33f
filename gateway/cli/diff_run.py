"""A comparison put together: versions loaded, records read, the work shared out, progress shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.adapters.files import read_recording
from gateway.adapters.forks import forked
from gateway.authoring.diff import Lookups, Pair, by_partition, diff, pairs
from gateway.authoring.diff_budget import Allowance
from gateway.authoring.diff_edits import edits
from gateway.authoring.diff_findings import Diff
from gateway.authoring.diff_report import Report, report_of
from gateway.authoring.lookups import Recorded
from gateway.cli.diff_sources import Records, Version, recorded, streamed, version_of
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.settings import Settings
from gateway.wiring import wire_raw_schemas

__all__ = ["Wanted", "compare"]

_WORTH_A_FORK = 20_000
"""Records; below, starting a process takes longer than it saves."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for. ``last``: of topics only so many records of each partition, 0 is all.

    ``lookups``: a recording of reference topics, for records without any.
    """

    recording: Path | None
    live: bool
    topics: tuple[str, ...]
    last: int
    examples: int
    jobs: int
    budget: tuple[Allowance, ...]
    lookups: Path | None = None


def compare(settings: Settings, old: str, new: str, scratch: Path, wanted: Wanted) -> Report:
    """The report; revisions are written below ``scratch``. ConfigError, DependencyError: it cannot be made."""
    was = version_of(old, settings.mappings, scratch / "old")
    now = version_of(new, settings.mappings, scratch / "new") if new else Version("working tree", settings.mappings)
    mappings = _load(was), _load(now)
    with _progress() as progress:
        progress("reading", None)
        records = _records(settings, wanted, mappings)
        found = _compared(settings, records.records, mappings, wanted, progress)
    return report_of(
        found,
        old=was.name,
        new=now.name,
        records_of=records.name,
        masked=records.masked,
        edits=edits(was.folder, now.folder),
        budget=wanted.budget,
    )


def _load(version: Version) -> tuple[CompiledMapping, ...]:
    try:
        return load(version.folder)
    except ConfigError as error:
        raise ConfigError(f"{version.name}: {error.what}", faults=error.faults, where=error.where) from error


def _records(settings: Settings, wanted: Wanted, mappings: Sequence[tuple[CompiledMapping, ...]]) -> Records:
    old, new = mappings
    if wanted.recording is not None and (wanted.live or wanted.topics):
        raise ConfigError("both a recording and topics", where="--recording", hint="choose one of them")
    if wanted.recording is not None:
        found = recorded(wanted.recording)
    elif wanted.live or wanted.topics:
        found = streamed(settings, wanted.topics, wanted.last, (*old, *new))
    else:
        raise ConfigError(
            "no records to compare over", where="gateway diff", hint="--recording FILE, --live or --topic"
        )
    return found


def _compared(
    settings: Settings,
    records: Sequence[RawRecord],
    mappings: Sequence[tuple[CompiledMapping, ...]],
    wanted: Wanted,
    progress: Callable[[str, int | None], Callable[[int], None]],
) -> Diff:
    old, new = mappings
    incarnations = tuple((one.name, one.since_ms) for one in settings.incarnations)
    lookups = _looked_up(records, old, wanted.lookups), _looked_up(records, new, wanted.lookups)
    units = pairs(records, old, new, incarnations=incarnations, avro=wire_raw_schemas(settings))
    shares = by_partition(units, _jobs(wanted.jobs, len(records)))
    step = progress("comparing", sum(len(unit.entries) for pair in units if (unit := pair[0] or pair[1])))

    def task(share: Sequence[Pair]) -> Callable[[Callable[[int], None]], Diff]:
        def work(told: Callable[[int], None]) -> Diff:
            return diff(
                share,
                old,
                new,
                examples=wanted.examples,
                incarnations=incarnations,
                lookups=lookups,
                progress=told,
            )

        return work

    found = Diff(wanted.examples)
    for part in forked([task(share) for share in shares], step):
        found.add(part)
    return found


def _looked_up(records: Sequence[RawRecord], mappings: Sequence[CompiledMapping], beside: Path | None) -> Lookups:
    """Reference data as the records tell it; where none does, as the recording ``beside`` them does."""
    if not any(one.lookups for one in mappings):
        return {}
    found = Recorded(mappings).take(records)
    if not found.records and beside is not None:
        found.take(read_recording(beside))
    return found.tables()


def _jobs(asked: int, records: int) -> int:
    if asked:
        return asked
    return min(len(os.sched_getaffinity(0)), 4) if records >= _WORTH_A_FORK else 1


@contextmanager
def _progress() -> Iterator[Callable[[str, int | None], Callable[[int], None]]]:
    """A bar on a terminal, nothing elsewhere. Drawn by this thread alone: processes are forked meanwhile."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, auto_refresh=False, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=None)

        def stage(name: str, total: int | None) -> Callable[[int], None]:
            bar.update(task, description=name, total=total, completed=0, refresh=True)
            return lambda done: bar.update(task, advance=done, refresh=True)

        yield stage
