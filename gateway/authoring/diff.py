"""Two versions of the mappings over the same records: what each says of every transaction, compared at once.

Units are translated one after the other under both versions, with the worker's own code, and forgotten: what is kept
are counts and a few examples. A topic whose mapping is the same in both versions is translated once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from gateway.authoring.diff_findings import Diff
from gateway.authoring.diff_seen import Seen
from gateway.authoring.diff_units import compare
from gateway.authoring.offline import assemble, mapping_of_topic
from gateway.mapping.compiled import CompiledMapping
from gateway.model.letter import ParkEntry
from gateway.model.lookup import ReferenceTables
from gateway.model.record import RawRecord
from gateway.model.unit import Unit
from gateway.pipeline.admit import Incarnations
from gateway.pipeline.avro_in import SchemaById
from gateway.pipeline.encode import WireSettings
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.translate import translate

__all__ = ["Lookups", "Pair", "by_partition", "diff", "pairs"]

Pair = tuple[Unit | None, Unit | None]
"""The same stretch of a partition as the old and the new version cut it; None where one version reads no such topic."""
Lookups = Mapping[str, ReferenceTables]
"""Reference data by mapping name."""
_STEP = 200


def pairs(
    records: Sequence[RawRecord],
    old: Sequence[CompiledMapping],
    new: Sequence[CompiledMapping],
    *,
    incarnations: Incarnations = (),
    avro: SchemaById | None = None,
) -> list[Pair]:
    """Decode and assemble: once where both versions read the same topics, keys and tables, else for each.

    ConfigError, SourceRegressed as in ``assemble``.
    """
    before = assemble(records, old, incarnations=incarnations, avro=avro)
    if _reading(old) == _reading(new):
        return [(unit, unit) for unit in before]
    after = {_place(unit): unit for unit in assemble(records, new, incarnations=incarnations, avro=avro)}
    found: list[Pair] = [(unit, after.pop(_place(unit), None)) for unit in before]
    found += [(None, unit) for unit in after.values()]
    return sorted(found, key=lambda pair: _place(pair[0] or pair[1]))


def _reading(mappings: Sequence[CompiledMapping]) -> object:
    return {topic: (one.key, frozenset(one.tables)) for one in mappings for topic in one.topics}


def _place(unit: Unit | None) -> tuple[str, int, int]:
    assert unit is not None
    return unit.topic, unit.partition, unit.first_offset


def by_partition(units: Sequence[Pair], parts: int) -> list[list[Pair]]:
    """The pairs in at most ``parts`` shares of about equal work, each partition in one of them and in order."""
    partitions: dict[tuple[str, int], list[Pair]] = {}
    for pair in units:
        partitions.setdefault(_place(pair[0] or pair[1])[:2], []).append(pair)
    shares: list[list[Pair]] = [[] for _ in range(max(parts, 1))]
    for partition in sorted(partitions.values(), key=len, reverse=True):
        min(shares, key=len).extend(partition)
    return [share for share in shares if share]


def diff(
    units: Iterable[Pair],
    old: Sequence[CompiledMapping],
    new: Sequence[CompiledMapping],
    *,
    examples: int = 3,
    incarnations: Incarnations = (),
    lookups: tuple[Lookups, Lookups] = ({}, {}),
    progress: Callable[[int], None] = lambda records: None,
) -> Diff:
    """Translate every pair under both versions and compare. ``progress`` hears how many records were done since.

    ``lookups``: reference data for the old and for the new mappings, by mapping name (authoring.lookups).
    ``on_error: halt`` counts as ``park``, so that one failure does not end the comparison.
    """
    found = Diff(examples)
    sides = _Side(old, incarnations, lookups[0]), _Side(new, incarnations, lookups[1])
    done = 0
    for number, (before, after) in enumerate(units, 1):
        was = sides[0].see(before)
        same = before is after and before is not None and _alike(sides[0], sides[1], before.topic)
        now = was if same else sides[1].see(after)
        compare(found, was, now)
        unit = before or after
        done += len(unit.entries) if unit is not None else 0
        if number % _STEP == 0:
            progress(done)
            done = 0
    progress(done)
    return found


def _alike(old: _Side, new: _Side, topic: str) -> bool:
    before, after = old.book(topic), new.book(topic)
    return before is not None and after is not None and _identity(before.mapping) == _identity(after.mapping)


def _identity(mapping: CompiledMapping) -> object:
    return mapping.name, mapping.digest, mapping.unexplained, mapping.undeclared, mapping.on_error


class _Side:
    """One version of the mappings: its rulebook for each topic, and which aggregates are parked so far."""

    def __init__(self, mappings: Sequence[CompiledMapping], incarnations: Incarnations, lookups: Lookups) -> None:
        self._mappings = [_never_halting(one) for one in mappings]
        self._wire = WireSettings(headers="minimal", incarnations=incarnations)
        self._lookups = lookups
        self._books: dict[str, Rulebook | None] = {}
        self._parked: dict[tuple[str, int], dict[str, ParkEntry]] = {}

    def book(self, topic: str) -> Rulebook | None:
        """The rulebook of a raw topic; None if no mapping reads it."""
        if topic not in self._books:
            mapping = mapping_of_topic(topic, self._mappings)
            self._books[topic] = self._made(mapping) if mapping else None
        return self._books[topic]

    def _made(self, mapping: CompiledMapping) -> Rulebook:
        ids = {kind.full_name: 1 for kind in mapping.contracts}
        return Rulebook.of(mapping, ids, self._wire, self._lookups.get(mapping.name))

    def see(self, unit: Unit | None) -> Seen | None:
        """The unit with its translation; None where this version does not read it."""
        book = self.book(unit.topic) if unit is not None else None
        if unit is None or book is None:
            return None
        parked = self._parked.setdefault((unit.topic, unit.partition), {})
        translation = translate(unit, book, parked)
        parked.update((change.aggregate_id, change.entry) for change in translation.parks)
        return Seen(unit, translation, book)


def _never_halting(mapping: CompiledMapping) -> CompiledMapping:
    if mapping.on_error != "halt" and all(rule.on_error != "halt" for rule in mapping.rules):
        return mapping
    rules = tuple(replace(rule, on_error="park") if rule.on_error == "halt" else rule for rule in mapping.rules)
    policy = "park" if mapping.on_error == "halt" else mapping.on_error
    return replace(mapping, rules=rules, on_error=policy)
