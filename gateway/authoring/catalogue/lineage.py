"""Where a contract field comes from and where a legacy column goes, told from the lineage of the mappings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.authoring.catalogue.nouns import FieldEntry, Origin
from gateway.mapping.uses import Fill, Uses

__all__ = ["events_of", "noise_of", "origins_of"]

_ROOTS = re.compile(r"\{\{\s*((?:key|other|transaction)\.\w+)")


def origins_of(
    uses: Uses, event: str, fields: tuple[FieldEntry, ...], sources: Mapping[str, str]
) -> Mapping[str, tuple[Origin, ...]]:
    """What fills each field of an event, by path, over all its rules. ``sources``: text of each mapping file."""
    found: dict[str, dict[Origin, None]] = {}
    for fill in uses.fills:
        if fill.event == event:
            found.setdefault(_plain(fill.path), {}).update(dict.fromkeys(_of_fill(fill, sources)))
    for field in fields:
        holds_others = any(other.path.startswith((f"{field.path}.", f"{field.path}[")) for other in fields)
        if field.path not in found and not holds_others and field.default:
            found[field.path] = {Origin("", "", "the contract's default"): None}
    return {path: tuple(origins) for path, origins in found.items()}


def _plain(path: str) -> str:
    """A path as contract fields have it: an array of single values is its field."""
    return re.sub(r"(\[\]|\{\})+$", "", path)


def _of_fill(fill: Fill, sources: Mapping[str, str]) -> Iterator[Origin]:
    yield from (Origin(source.table, source.raw) for source in fill.columns)
    if fill.constant is not None:
        yield Origin("", "", f"“{fill.constant}”" if fill.constant != "null" else "null")
    elif not fill.columns:
        lines = sources.get(fill.file, "").splitlines()
        line = lines[fill.place.line - 1] if 0 < fill.place.line <= len(lines) else ""
        root = _ROOTS.search(line, max(fill.place.column - 1, 0)) or _ROOTS.search(line)
        yield Origin("", "", root[1] if root else "computed")


def events_of(uses: Uses, table: str, raw: str) -> tuple[str, ...]:
    """The events that carry a column, or that hang on it."""
    return tuple(dict.fromkeys(use.event for use in uses.of(table, raw) if use.event))


def noise_of(uses: Uses, table: str, raw: str) -> tuple[str, ...]:
    """The noise rules that look at a column."""
    return tuple(dict.fromkeys(use.rule for use in uses.of(table, raw) if use.noise))
