"""A copy of the shipped mappings with a planted edit, and the figures that the edit must have, counted without diff."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gateway.adapters.files import read_recording
from gateway.authoring.offline import Replayed, assemble, replay
from gateway.authoring.shown import plain
from gateway.mapping.loader import load
from gateway.model.record import RawRecord

__all__ = ["MAPPINGS", "RECORDING", "old_events", "old_replay", "plant", "raw_records"]

ROOT = Path(__file__).parents[3]
MAPPINGS = ROOT / "mappings"
RECORDING = ROOT / "tests" / "e2e" / "recording.jsonl.gz"


def plant(folder: Path, file: str, old: str, new: str) -> Path:
    """A copy of the mappings below ``folder`` in which ``old`` stands no more, once, and ``new`` does."""
    copy = folder / "edited"
    if not copy.exists():
        shutil.copytree(MAPPINGS, copy)
    text = (copy / file).read_text()
    assert text.count(old) == 1, f"{text.count(old)} places of {file} say: {old}"
    (copy / file).write_text(text.replace(old, new))
    return copy


@cache
def raw_records() -> tuple[RawRecord, ...]:
    """The committed recording."""
    return tuple(read_recording(RECORDING))


@cache
def old_replay() -> Replayed:
    """What the shipped mappings make of it."""
    mappings = load(MAPPINGS)
    return replay(assemble(raw_records(), mappings), mappings)


def old_events(rule: str) -> Iterator[dict[str, object]]:
    """Payloads of one rule's events, as JSON."""
    for encoded in old_replay().events:
        if encoded.event.rule == rule:
            found = plain(encoded.event.data)
            assert isinstance(found, dict)
            yield found
