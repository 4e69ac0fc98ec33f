"""Where `gateway diff` takes its two versions and its records from."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.files import read_header, read_recording
from gateway.adapters.git import is_revision, write_revision
from gateway.authoring.offline import TRANSACTION_SUFFIX
from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.pipeline.reference import columns_of
from gateway.ports import Partition
from gateway.services.recording import raw_records, spans
from gateway.settings import Settings
from gateway.wiring import wire_cluster, wire_log

__all__ = ["Records", "Version", "recorded", "streamed", "version_of"]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the mappings: its name as given, and the folder it stands in now."""

    name: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Records:
    """The records, where they come from, whether they are masked."""

    records: Sequence[RawRecord]
    name: str
    masked: bool = False


def version_of(given: str, default: Path, scratch: Path) -> Version:
    """A folder, ``REVISION:FOLDER``, or a revision (then of the folder ``default``), written below ``scratch``.

    ConfigError: neither a folder nor a revision, or the revision lacks the folder.
    """
    if Path(given).is_dir():
        return Version(given, Path(given))
    revision, colon, folder = given.partition(":")
    if not is_revision(revision):
        hint = "give a folder of mappings, a git revision, or REVISION:FOLDER"
        raise ConfigError("neither a folder nor a git revision", where=given, hint=hint)
    path = Path(folder) if colon else default
    return Version(given, write_revision(revision, path, scratch))


def recorded(file: Path) -> Records:
    """The records of a recording. ConfigError: no recording."""
    header = read_header(file)
    return Records(list(read_recording(file)), str(file), header.masked)


def streamed(settings: Settings, topics: Sequence[str], last: int, mappings: Sequence[CompiledMapping]) -> Records:
    """The records of raw topics as they stand now (where none is named, those of the mappings), markers and lookups.

    ``last``: only so many of the last records of each partition; 0 means all. DependencyError: no broker.
    """
    cluster = wire_cluster(settings)
    with closing(cluster), closing(wire_log(settings, f"diff-{secrets.token_hex(4)}")) as reader:
        raw = list(topics) or sorted({settings.topic(name) for one in mappings for name in one.topics})
        within = _last(spans(cluster, raw), last)
        within |= _markers(settings, cluster) | spans(cluster, [settings.topic(name) for name in columns_of(mappings)])
        records = list(raw_records(reader, within))
    return Records(records, ", ".join(raw))


def _last(within: dict[Partition, tuple[int, int]], last: int) -> dict[Partition, tuple[int, int]]:
    return {place: (max(low, high - last) if last else low, high) for place, (low, high) in within.items()}


def _markers(settings: Settings, cluster: object) -> dict[Partition, tuple[int, int]]:
    try:
        return spans(cluster, [settings.topic(settings.topic_prefix) + TRANSACTION_SUFFIX])  # type: ignore[arg-type]
    except ConfigError:
        return {}
