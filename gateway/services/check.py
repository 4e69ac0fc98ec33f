"""Use case: the gate before a merge, from legacy tables over mappings and contracts to what consumers read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from gateway.mapping.consumers import Consumer, Consumers, read_consumers
from gateway.mapping.loader import LoadedFile, inspect
from gateway.mapping.nodes import Mark
from gateway.mapping.uses import Uses, uses_of
from gateway.model.errors import Fault

__all__ = ["Break", "Checked", "House", "Layer", "RuleAt", "Verdict", "broken_mappings", "house_of"]


class Layer(StrEnum):
    """Between which two layers something does not fit."""

    TABLES = "legacy tables → mappings"
    MAPPINGS = "mappings → contracts"
    CONTRACTS = "contracts → known versions"
    CONSUMERS = "contracts → consumers"


@dataclass(frozen=True, slots=True)
class RuleAt:
    """A rule and where it stands: ``file:line:column``, the file as people find it from where they are."""

    name: str
    place: str


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that does not fit: its place, what is concerned (column, field), why, the remedy, and whom it reaches.

    ``fields``: event fields as ``Event.path``; ``consumers``: who is known to read them. ``warning``: only some values,
    or nobody that is known, would suffer.
    """

    layer: Layer
    file: str
    line: int
    column: int
    concerned: str
    what: str
    remedy: str = ""
    rules: tuple[RuleAt, ...] = ()
    fields: tuple[str, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """A layer that was looked at, and how much of it."""

    layer: Layer
    told: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that was looked at; ``unseen``: layers that were not, with what to give so that they are."""

    breaks: tuple[Break, ...]
    checked: tuple[Checked, ...]
    unseen: tuple[Checked, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether a merge should wait."""
        return any(not one.warning for one in self.breaks)


@dataclass(frozen=True, slots=True)
class House:
    """A folder of mappings, read as far as it can be; its lineage, and who consumes what."""

    folder: Path
    files: tuple[LoadedFile, ...]
    faults: tuple[Fault, ...]
    consumers: Consumers
    consumer_faults: tuple[Fault, ...]
    uses: Uses = field(compare=False)

    def shown(self, file: str) -> str:
        """A file of the folder, as it is found from the working directory."""
        return str(self.folder / file) if not Path(file).is_absolute() else file

    def at(self, file: str, mark: Mark) -> str:
        """A place as it is shown to people."""
        return f"{self.shown(file)}:{mark.line}:{mark.column}"

    def readers(self, fields: Iterable[str]) -> tuple[Consumer, ...]:
        """Consumers of any of these fields (``Event.path``, or ``Event`` for any of it)."""
        pairs = [one.partition(".")[::2] for one in fields]
        found = (reader for event, path in pairs for reader in self.consumers.of(event, path))
        return tuple(dict.fromkeys(found))

    def rules_filling(self, event: str, path: str = "") -> tuple[RuleAt, ...]:
        """Rules that fill an event's field, those inside it included; '' for any field."""
        found = (
            RuleAt(fill.rule, self.at(fill.file, fill.place))
            for fill in self.uses.fills
            if fill.event == event and (not path or fill.path == path or fill.path.startswith(f"{path}."))
        )
        return tuple({one.name: one for one in found}.values())


def house_of(folder: Path) -> House:
    """Read a folder. Never raises for what stands in its files."""
    files, shared = inspect(folder)
    consumers, faults = read_consumers(folder, files)
    found = [*shared.found(), *(fault for each in files for fault in each.sorted())]
    if not files:
        found = [Fault(".", 1, 1, "there is no mapping in this folder", "add <capability>/<name>.yaml")]
    return House(folder, tuple(files), tuple(dict.fromkeys(found)), consumers, tuple(faults.sorted()), uses_of(files))


def broken_mappings(house: House) -> tuple[Break, ...]:
    """Faults of mappings and contracts, each with its rule and whom its event reaches; then those of consumers."""
    faults = [_fault(house, fault) for fault in house.faults]
    return (*faults, *(_lost_reader(house, fault) for fault in house.consumer_faults))


def _fault(house: House, fault: Fault) -> Break:
    rule = _rule_around(house.files, fault)
    event = "" if rule is None else rule[1]
    return Break(
        Layer.MAPPINGS,
        house.shown(fault.file),
        fault.line,
        fault.column,
        event,
        fault.what,
        fault.hint,
        () if rule is None else (RuleAt(rule[0], house.at(fault.file, rule[2])),),
        (event,) if event else (),
        house.readers([event]) if event else (),
    )


def _rule_around(files: Sequence[LoadedFile], fault: Fault) -> tuple[str, str, Mark] | None:
    """Name, event and place of the rule that a fault's line belongs to."""
    found = None
    for file in files:
        if file.faults.file != fault.file or file.section is None:
            continue
        for section in file.section.sections("rules"):
            if section.mark.line <= fault.line and (found is None or section.mark.line > found[2].line):
                found = (section.word("rule") or section.word("noise"), section.word("event"), section.mark)
    return found


def _lost_reader(house: House, fault: Fault) -> Break:
    file, event, reader = house.shown(fault.file), "", None
    for consumer in house.consumers.all:
        for reading in consumer.readings:
            if reading.place.line <= fault.line:
                event, reader = reading.event, consumer
    concerned = () if reader is None else (reader,)
    return Break(Layer.CONSUMERS, file, fault.line, fault.column, event, fault.what, fault.hint, consumers=concerned)
