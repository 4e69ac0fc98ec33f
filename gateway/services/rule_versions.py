"""A version of the rules as one piece: the files of a mappings folder, packed for the control log, and back again."""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError

__all__ = ["RuleVersion", "read_version", "version_of", "version_of_folder"]

_LARGEST = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """``name``: a hash over ``digests`` (rules digest by raw topic), so that comments and layout do not count."""

    name: str
    digests: Mapping[str, str]
    files: bytes


def version_of(digests: Mapping[str, str]) -> str:
    """The name of the version that gives raw topics these rules digests: 16 hex digits."""
    return hashlib.sha256(msgspec.json.encode(sorted(digests.items()))).hexdigest()[:16]


def version_of_folder(folder: Path, mappings: Sequence[CompiledMapping], full: Callable[[str], str]) -> RuleVersion:
    """The version that a folder holds. ``full`` puts the prefix before a topic's name. ConfigError: it is too large."""
    digests = {full(topic): mapping.digest for mapping in mappings for topic in mapping.topics}
    files = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in _files(folder)}
    packed = zlib.compress(msgspec.json.encode(files), 9)
    if len(packed) > _LARGEST:
        raise ConfigError(
            f"the rules take {len(packed) >> 20} MB packed, {_LARGEST >> 20} are allowed", where=str(folder)
        )
    return RuleVersion(version_of(digests), digests, packed)


def _files(folder: Path) -> Iterator[Path]:
    """Mappings, shared files and contracts; no test cases, no older minor versions of contracts."""
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.avsc")]):
        parts = path.relative_to(folder).parts
        if path.name.endswith("_test.yaml") or "history" in parts or any(part.startswith(".") for part in parts):
            continue
        yield path


@contextmanager
def _unpacked(files: bytes) -> Iterator[Path]:
    try:
        texts = msgspec.json.decode(zlib.decompress(files), type=dict[str, str])
    except (zlib.error, msgspec.MsgspecError) as error:
        raise ConfigError(f"a stored version of the rules is damaged: {error}", where="gateway.control") from error
    with tempfile.TemporaryDirectory(prefix="gateway-rules-") as place:
        for name, text in texts.items():
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise ConfigError(f"a stored version names the file {name[:100]}", where="gateway.control")
            path = Path(place) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        yield Path(place)


def read_version(version: RuleVersion, full: Callable[[str], str]) -> tuple[CompiledMapping, ...]:
    """The mappings of a stored version. ConfigError: they do not load here, or are read as something else."""
    with _unpacked(version.files) as folder:
        mappings = load(folder)
    digests = {full(topic): mapping.digest for mapping in mappings for topic in mapping.topics}
    if digests != dict(version.digests):
        hint = "it was stored by another release, which read the files differently"
        raise ConfigError(f"the rules of version {version.name} have other digests here", hint=hint)
    return mappings
