"""A unit taken by steps, from memory or from the disk, says the same as the unit taken as a whole."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.memory_spill import MemoryDisk
from gateway.authoring.offline import assemble
from gateway.model.letter import ParkEntry
from gateway.model.unit import Duplicate, Unit
from gateway.pipeline.cursor import Steps, set_aside
from gateway.pipeline.decode import Decoder
from gateway.pipeline.limits import Limits
from gateway.pipeline.spool import Budget, Spool
from gateway.pipeline.translate import Translation, translate
from tests.property.simulated import BOOK, MAPPING
from tests.property.test_any_way_of_reading import make_world, shapes


class Said:
    """What a partition's units amount to, whatever parts they were taken in."""

    def __init__(self) -> None:
        self.events: dict[bytes, list[Any]] = defaultdict(list)
        self.outcomes: dict[int, Any] = {}
        self.letters: dict[int, Any] = {}
        self.parked: dict[str, ParkEntry] = {}

    def add(self, unit: Unit, done: Translation) -> None:
        for event in done.events:
            self.events[event.key].append((event.value, event.headers))
        for entry, outcome in zip(unit.entries, done.outcomes, strict=True):
            assert entry.record.offset not in self.outcomes
            self.outcomes[entry.record.offset] = outcome
        for letter in done.letters:
            self.letters[letter.record.offset] = (letter.value, letter.headers)
        self.parked.update((change.aggregate_id, change.entry) for change in done.parks)

    def whole(self) -> tuple[Any, ...]:
        return dict(self.events), self.outcomes, self.letters, self.parked


def spilled(unit: Unit) -> Unit:
    """The unit with its entries on the disk."""
    spool = Spool((unit.topic, unit.partition), Decoder(MAPPING.key), Budget(0), MemoryDisk(1 << 30).file)
    for entry in unit.entries:
        spool.append(entry)
    entries: Sequence[Any] = spool.sealed()
    assert isinstance(entries, Spool)
    return Unit(*(entries if name == "entries" else getattr(unit, name) for name in unit.__struct_fields__))


def by_steps(unit: Unit, said: Said, chance: random.Random) -> None:
    """Parts of random size; now and then begun anew behind what is done, as after a crash."""
    steps, done = Steps(unit), 0
    while done < len(steps):
        part = next(steps.parts(done, 1 << 30, most=chance.randint(1, 4)))
        assert not part.too_large
        said.add(part.unit, translate(part.unit, BOOK, said.parked))
        done = part.done
        if chance.random() < 0.3:
            steps = Steps(unit)


@given(st.integers(0, 1 << 32), shapes, st.booleans())
@settings(max_examples=60, deadline=None)
def test_units_by_steps_say_what_they_say_as_a_whole(seed: int, shape: Any, on_disk: bool) -> None:
    world, _ = make_world(seed, shape)
    chance = random.Random(seed)
    records = sorted(world.records, key=lambda record: (record.partition, record.offset))
    by_partition: dict[int, list[Unit]] = defaultdict(list)
    for unit in assemble(records, [MAPPING]):
        by_partition[unit.partition].append(unit)
    for units in by_partition.values():
        as_wholes, as_steps = Said(), Said()
        for unit in units:
            as_wholes.add(unit, translate(unit, BOOK, as_wholes.parked))
            by_steps(spilled(unit) if on_disk else unit, as_steps, chance)
        assert as_steps.whole() == as_wholes.whole()


@given(st.integers(0, 1 << 32), shapes)
@settings(max_examples=30, deadline=None)
def test_steps_that_are_set_aside_unread_are_one_letter_each_and_every_record_has_its_outcome(
    seed: int, shape: Any
) -> None:
    """All of them but duplicates and marks, which need no looking at."""
    world, _ = make_world(seed, shape)
    book = replace(BOOK, limits=Limits(set_bytes=0, letter_records=0))
    records = sorted(world.records, key=lambda record: (record.partition, record.offset))
    for unit in map(spilled, assemble(records, [MAPPING])):
        said = Said()
        for part in Steps(unit).parts(0, 0):
            done = set_aside(part, book, said.parked) if part.too_large else translate(part.unit, book, said.parked)
            assert not part.too_large or len(done.letters) == 1
            said.add(part.unit, done)
        assert len(said.outcomes) == len(unit.entries)
        assert all(
            said.outcomes[entry.record.offset].reason == "duplicate"
            for entry in unit.entries
            if type(entry) is Duplicate
        )
