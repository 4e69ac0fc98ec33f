"""Recordings: files of raw records, JSON Lines with the format's version in the first line; ``.gz`` packs them."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from gateway.model.errors import ConfigError
from gateway.model.octets import pack, unpack
from gateway.model.record import RawRecord

__all__ = ["RecordingHeader", "read_header", "read_recording", "write_recording"]

FORMAT = "gateway-recording"
VERSION = 1


@dataclass(frozen=True, slots=True)
class RecordingHeader:
    """The first line of a recording. ``masked``: personal data was replaced. ``note``: where it comes from."""

    masked: bool = False
    note: str = ""


class _Head(msgspec.Struct):
    format: str
    version: int
    masked: bool = False
    note: str = ""


class _Line(msgspec.Struct, array_like=True):
    """``[topic, partition, offset, timestamp ms, key, value, headers]``; bytes as text or ``{"b64": …}``, or null."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: Any
    value: Any
    headers: list[tuple[str, Any]] = []


_head = msgspec.json.Decoder(_Head)
_line = msgspec.json.Decoder(_Line)
_encoder = msgspec.json.Encoder()


def write_recording(path: Path, records: Iterable[RawRecord], header: RecordingHeader | None = None) -> int:
    """Write records as they come; the number written. The file appears under its name only once it is whole."""
    head = header or RecordingHeader()
    partial = path.with_name(path.name + ".part")
    count = 0
    with _open(partial, "wb", packed=path.suffix == ".gz") as file:
        file.write(_encoder.encode(_Head(FORMAT, VERSION, head.masked, head.note)) + b"\n")
        for count, record in enumerate(records, 1):  # noqa: B007 - the count is the answer
            file.write(_encoder.encode(_to_line(record)) + b"\n")
    partial.replace(path)
    return count


def read_header(path: Path) -> RecordingHeader:
    """What the first line says. ConfigError: no recording, or of a format this release does not read."""
    with _open(path, "rb", packed=path.suffix == ".gz") as file:
        return _header(path, file.readline())


def read_recording(path: Path) -> Iterator[RawRecord]:
    """The records in file order. ConfigError names the line that cannot be read."""
    with _open(path, "rb", packed=path.suffix == ".gz") as file:
        _header(path, file.readline())
        for number, line in enumerate(file, 2):
            try:
                yield _from_line(_line.decode(line))
            except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
                raise ConfigError(
                    f"not a record: {error}", where=f"{path}:{number}", hint="is the file cut?"
                ) from error


def _open(path: Path, mode: str, *, packed: bool) -> BinaryIO:
    try:
        if packed:
            return cast(BinaryIO, gzip.open(path, mode, compresslevel=5))
        return cast(BinaryIO, path.open(mode, buffering=1 << 20))
    except OSError as error:
        raise ConfigError(f"cannot open the recording: {error.strerror}", where=str(path)) from error


def _header(path: Path, line: bytes) -> RecordingHeader:
    try:
        head = _head.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        hint = "its first line must name the format; `gateway recording capture` writes such files"
        raise ConfigError(f"not a recording: {error}", where=f"{path}:1", hint=hint) from error
    if head.format != FORMAT or head.version != VERSION:
        found = f"{head.format} version {head.version}"
        raise ConfigError(f"{found} is not read, {FORMAT} version {VERSION} is", where=f"{path}:1")
    return RecordingHeader(head.masked, head.note)


def _to_line(record: RawRecord) -> _Line:
    headers = [(name, pack(value)) for name, value in record.headers]
    return _Line(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp_ms,
        pack(record.key),
        pack(record.value),
        headers,
    )


def _from_line(line: _Line) -> RawRecord:
    headers = tuple((name, unpack(value)) for name, value in line.headers)
    return RawRecord(
        line.topic, line.partition, line.offset, line.timestamp_ms, unpack(line.key), unpack(line.value), headers
    )
