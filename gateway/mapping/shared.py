"""Shared files with codes and conditions, and what conditions have in common wherever they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from jinja2 import nodes

from gateway.mapping.expressions.names import CodeTable
from gateway.mapping.expressions.syntax import ExpressionFault, Parsed, parse
from gateway.mapping.grammar import RESERVED, SHARED
from gateway.mapping.nodes import Faults, Map, Scalar
from gateway.mapping.reader import read_file
from gateway.mapping.records import Section
from gateway.mapping.tables import code_table
from gateway.model.errors import Fault

__all__ = ["Shared", "SharedFile", "circle_of", "conditions_of", "shown"]


def shown(path: Path, folder: Path) -> str:
    """The name of a file in faults: relative to the mappings folder where it stands inside."""
    inside = path.resolve().is_relative_to(folder.resolve())
    return path.resolve().relative_to(folder.resolve()).as_posix() if inside else str(path)


@dataclass(slots=True)
class SharedFile:
    """Codes and conditions of one shared file; ``root`` is its canonical source for digests."""

    root: Map | None
    faults: Faults = field(default_factory=lambda: Faults(""))
    section: Section | None = None
    codes: dict[str, CodeTable] = field(default_factory=dict)
    conditions: dict[str, Parsed | None] = field(default_factory=dict)
    broken: bool = False


class Shared:
    """The shared files, each read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[Path, SharedFile] = {}

    def file(self, path: Path) -> SharedFile:
        """The file, read at its first use."""
        key = path.resolve()
        if key not in self.files:
            self.files[key] = self._read(path)
        return self.files[key]

    def _read(self, path: Path) -> SharedFile:
        root, faults = read_file(path, shown(path, self.folder))
        section = None if root is None else SHARED.read(root, faults)
        found = SharedFile(root, faults, section)
        if section is not None:
            for name, entries in section.entries("codes"):
                table = code_table(cast("tuple[tuple[Scalar, object], ...]", entries), faults)
                if table is not None:
                    found.codes[name.text] = table
            found.conditions = conditions_of(section, faults)
        found.broken = bool(faults.found)
        return found

    def found(self) -> list[Fault]:
        """The faults of all files read so far."""
        return [fault for file in self.files.values() for fault in file.faults.sorted()]


def conditions_of(section: Section, faults: Faults) -> dict[str, Parsed | None]:
    """The conditions of a file, parsed; None where one has faults."""
    found: dict[str, Parsed | None] = {}
    for name, expression in section.entries("conditions"):
        assert isinstance(expression, Scalar)
        found[name.text] = None
        if name.text in RESERVED:
            faults.add(name.mark, f"`{name.text}` is reserved", "choose another name for the condition")
            continue
        if "{{" in expression.text:
            faults.add(expression.mark, "a condition is a bare expression", "leave {{ and }} out")
            continue
        try:
            found[name.text] = parse(expression.text)
        except ExpressionFault as fault:
            faults.add(expression.at(fault.offset), fault.what, fault.hint)
    return found


def circle_of(name: str, conditions: Mapping[str, Parsed | None]) -> tuple[str, ...]:
    """The conditions from a name back to itself, or none; each condition is looked into once."""
    paths: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    while paths:
        path = paths.pop()
        parsed = conditions.get(path[-1])
        if parsed is None or path[-1] in seen:
            continue
        seen.add(path[-1])
        used = {each.name for each in (parsed.tree, *parsed.tree.find_all(nodes.Name)) if isinstance(each, nodes.Name)}
        if name in used:
            return (*path, name)
        paths += [(*path, each) for each in sorted(used)]
    return ()
