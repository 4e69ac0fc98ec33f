"""One unit → everything that is written for it: events, letters, parking; and one outcome for each of its records."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from gateway.model.errors import LetterClass, LookupAwaited, LookupMissed, PartitionHalted, RecordError
from gateway.model.event import EncodedEvent, Interpretation, Outcome, OutcomeKind
from gateway.model.finding import Finding, FindingKind
from gateway.model.letter import DeadLetter, ParkChange, ParkEntry
from gateway.model.lookup import ReferenceTables
from gateway.model.unit import Broken, Duplicate, Mark, MarkKind, Unit
from gateway.pipeline.account import ignored
from gateway.pipeline.derive import versions
from gateway.pipeline.interpret import failed, interpret
from gateway.pipeline.letters import LETTER_SUFFIX, dead_letter, hash_of, pointer_letter
from gateway.pipeline.progress import Counters
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.split import Group, change_set, groups
from gateway.pipeline.spool import record_at, size_at

__all__ = ["Translation", "translate", "translate_as_one"]


class Translation(Struct, frozen=True):
    """What a unit becomes. ``outcomes``: one for each of ``unit.entries``; ``counters`` add up to their number.

    ``interpretations`` are those of the change sets that were not parked behind another (for metrics and reports).
    """

    events: tuple[EncodedEvent, ...]
    letters: tuple[DeadLetter, ...]
    parks: tuple[ParkChange, ...]
    outcomes: tuple[Outcome, ...]
    counters: Counters
    interpretations: tuple[Interpretation, ...]
    findings: tuple[Finding, ...]


def translate(
    unit: Unit, book: Rulebook, parked: Mapping[str, ParkEntry], lookups: ReferenceTables | None = None
) -> Translation:
    """Translate a unit. ``parked``: the partition's parked aggregates by id; ``lookups``: as in ``interpret``.

    PartitionHalted where a change set fails under ``on_error: halt``, LookupAwaited where ``lookups`` still wait for an
    entry; nothing of the unit may then be written.
    """
    desk = _Desk(unit, book, parked, lookups)
    desk.settle_marks()
    for group in groups(unit):
        if desk.is_parked(group):
            desk.block(group)
        else:
            desk.publish(group)
    return desk.translation()


def translate_as_one(unit: Unit, group: Group, book: Rulebook, parked: Mapping[str, ParkEntry]) -> Translation:
    """Translate a unit that is one group, too large to be looked at: it is dead whatever it says. PartitionHalted."""
    desk = _Desk(unit, book, parked, None)
    if desk.is_parked(group):
        desk.block(group)
    else:
        desk.publish(group)
    return desk.translation()


_PARKED = Outcome(OutcomeKind.PARKED)
_BLOCKED = RecordError(
    LetterClass.ORDER_BLOCKED, "its aggregate is parked behind an earlier dead letter", stage="order"
)


class _Desk:
    """The unit on the desk: what has been written so far."""

    def __init__(
        self, unit: Unit, book: Rulebook, parked: Mapping[str, ParkEntry], lookups: ReferenceTables | None
    ) -> None:
        self._unit, self._book, self._parked, self._lookups = unit, book, parked, lookups
        self._outcomes: list[Outcome | None] = [None] * len(unit.entries)
        self._events: list[EncodedEvent] = []
        self._letters: list[tuple[int, DeadLetter]] = []
        self._parks: dict[str, ParkEntry] = {}
        self._read: list[Interpretation] = []
        self._dead_sets = self._parked_sets = 0
        self._findings: list[Finding] = []

    def settle_marks(self) -> None:
        """Records that change no row, and rows that were taken before."""
        for place, entry in enumerate(self._unit.entries):
            if type(entry) is Duplicate:
                self._outcomes[place] = ignored("duplicate")
            elif type(entry) is Mark:
                self._settle_mark(place, entry)
        if self._unit.restarted:
            self._findings.append(Finding(FindingKind.CAPTURE_RESTARTED, str(self._unit.tx_id)))

    def _settle_mark(self, place: int, mark: Mark) -> None:
        table = self._book.mapping.tables.get(mark.table)
        if mark.kind is not MarkKind.TRUNCATE or (table is not None and table.truncate == "ignore"):
            self._outcomes[place] = ignored(str(mark.kind))
            return
        error = RecordError(
            LetterClass.DRIFT,
            f"{mark.table} was truncated: its rows are gone and no aggregate was told",
            where=mark.record.place,
            hint="reconcile, or say `truncate: ignore` for the table",
            stage="interpret",
        )
        self._fail(Group("", [place]), error)

    def is_parked(self, group: Group) -> bool:
        """Whether an earlier failure holds the group's aggregate back. Snapshot rows that say nothing are not held."""
        if not group.aggregate_id or not (self._parked or self._parks):
            return False
        if group.snapshot and group.rows[0].table not in self._book.plan.snapshot_tables:
            return False
        return group.aggregate_id in self._parks or group.aggregate_id in self._parked

    def block(self, group: Group) -> None:
        """Send the group behind the dead letter that parks its aggregate."""
        letters = self._letter_each(group, _BLOCKED)
        entry = self._parks.get(group.aggregate_id) or self._parked[group.aggregate_id]
        self._parks[group.aggregate_id] = entry.behind(self._offset(group, -1), letters)
        self._parked_sets += 1
        for place in group.places:
            self._outcomes[place] = _PARKED

    def publish(self, group: Group) -> None:
        """Interpret and encode the group; where that fails, the whole of it becomes dead letters."""
        events: list[EncodedEvent] = []
        oversized = self._oversized(group)
        if oversized is not None:
            read = failed(len(group.places), oversized)
        elif group.broken:
            read = failed(len(group.places), group.broken[0].error)
        else:
            read, events = self._interpret(group)
        self._read.append(read)
        self._findings.extend(read.findings)
        if read.failure is not None:
            self._await(read.failure)
            self._fail(group, read.failure)
            return
        self._events.extend(events)
        for place, outcome in zip(group.places, read.outcomes, strict=True):
            self._outcomes[place] = outcome

    def _interpret(self, group: Group) -> tuple[Interpretation, list[EncodedEvent]]:
        changes = change_set(group, self._unit, self._book.mapping.name, self._book.incarnations)
        read = interpret(changes, self._book.plan, lookups=self._lookups)
        try:
            encoders, said = self._book.encoders, read.events
            if self._book.plan.derives:
                said = tuple(one for event in said for one in versions(event, self._book.mapping.events))
            events = [encoders[event.name, event.version](event, changes, group.before) for event in said]
            self._book.limits.check_events(events)
            return read, events
        except RecordError as error:
            return failed(len(group.places), error, read.findings), []

    def _oversized(self, group: Group) -> RecordError | None:
        """Why the group is too large to be looked at, if it is."""
        limits = self._book.limits
        if self._unit.size_bytes <= limits.set_bytes:
            return None
        try:
            limits.check_records(len(group.places), self._size_of(group))
        except RecordError as error:
            return error
        return None

    def _size_of(self, group: Group) -> int:
        return sum(size_at(self._unit.entries, place) for place in group.places)

    def _await(self, error: RecordError) -> None:
        """LookupAwaited if all that failed is an entry of reference data that may still come."""
        lookups = self._lookups
        if isinstance(error, LookupMissed) and lookups is not None and lookups.awaits(error.lookup, error.key):
            raise LookupAwaited(error.lookup, error.key)

    def _fail(self, group: Group, error: RecordError) -> None:
        policy = self._book.on_error(error)
        if policy == "halt":
            raise PartitionHalted(
                f"a change set failed and its policy is halt: {error}",
                where=self._unit.entries[group.places[0]].record.place,
                hint="mend the mapping, or set on_error: park, then restart",
            )
        letters = self._dead_letter(group, error)
        if policy == "park" and group.aggregate_id and not group.snapshot:
            head, last = self._offset(group, 0), self._offset(group, -1)
            entry = ParkEntry(head, last, letters, 1, error.letter_class)
            self._parks[group.aggregate_id] = entry

    def _dead_letter(self, group: Group, error: RecordError) -> int:
        letters = self._letter_each(group, error)
        self._dead_sets += 1
        outcome = Outcome(OutcomeKind.DEAD_LETTERED, str(error.letter_class))
        for place in group.places:
            self._outcomes[place] = outcome
        return letters

    def _letter_each(self, group: Group, error: RecordError) -> int:
        """Write the group's letters; how many."""
        unit = str(self._unit.tx_id) if group.rows and not group.snapshot else f"@{self._offset(group, 0)}"
        total, limits = len(group.places), self._book.limits
        if total > 1 and limits.is_huge(
            total, self._size_of(group) if self._unit.size_bytes > limits.letter_bytes else 0
        ):
            self._letters.append((group.places[0], self._pointer(group, error, unit)))
            return 1
        for index, place in enumerate(group.places, 1):
            entry = self._unit.entries[place]
            own = entry.error if isinstance(entry, Broken) and error is not _BLOCKED else error
            letter = dead_letter(
                entry.record,
                own,
                digest=self._book.mapping.digest,
                aggregate_id=group.aggregate_id,
                unit=f"{unit}:{index}/{total}",
                largest=limits.largest(self._unit.topic + LETTER_SUFFIX),
            )
            self._letters.append((place, letter))
        return total

    def _pointer(self, group: Group, error: RecordError, unit: str) -> DeadLetter:
        entries, places = self._unit.entries, group.places
        return pointer_letter(
            [record_at(entries, places[0]), record_at(entries, places[-1])],
            hash_of(record_at(entries, place).value for place in places),
            error,
            digest=self._book.mapping.digest,
            aggregate_id=group.aggregate_id,
            unit=f"{unit}:1/1",
        )

    def _offset(self, group: Group, index: int) -> int:
        return record_at(self._unit.entries, group.places[index]).offset

    def translation(self) -> Translation:
        """What was written; every record has its outcome by now."""
        outcomes = tuple(outcome for outcome in self._outcomes if outcome is not None)
        if len(outcomes) != len(self._unit.entries):
            raise AssertionError(f"a record of {self._unit.topic} at {self._unit.first_offset} has no outcome")
        self._letters.sort(key=lambda placed: placed[0])
        unexplained = sum(read.accounting.unexplained for read in self._read)
        counters = Counters.of(outcomes, len(self._events), self._dead_sets, self._parked_sets, unexplained)
        return Translation(
            tuple(self._events),
            tuple(letter for _, letter in self._letters),
            tuple(ParkChange(aggregate, entry) for aggregate, entry in self._parks.items()),
            outcomes,
            counters,
            tuple(self._read),
            tuple(self._findings),
        )
