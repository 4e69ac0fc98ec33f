"""Test cases made of recorded units: the rows as they came, declared columns only, and the events that they give."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.authoring.case_nouns import Case, GivenRow, Image, Step, Then
from gateway.authoring.cases import StepResult, run_case
from gateway.authoring.offline import mapping_of_topic, translations
from gateway.mapping.compiled import CompiledMapping, Table
from gateway.model.change import ChangeEvent, Operation
from gateway.model.event import OutcomeKind
from gateway.model.unit import Unit
from gateway.model.values import UNSENT
from gateway.pipeline.redact import Redactor
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.split import Group, groups
from gateway.pipeline.translate import Translation

__all__ = ["MadeCase", "Recorded", "Wanted", "make_case", "recorded"]

_UNSENT = "__debezium_unavailable_value"
_OPS = {Operation.CREATE: "insert", Operation.UPDATE: "update", Operation.DELETE: "delete"}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which change sets are looked for; an empty part does not matter.

    ``at``: (topic, partition, offset) of a record in it, topics with the installation's prefix or without; ``key``: the
    aggregate's id; ``event``: one it gives.
    Snapshot rows that say nothing are found by ``at`` only.
    ``distinct``: only the first of each kind (rules that fire, what becomes of its records).
    """

    at: frozenset[tuple[str, int, int]] = frozenset()
    key: str = ""
    event: str = ""
    mapping: str = ""
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """One aggregate's change set of a recorded unit."""

    mapping: CompiledMapping
    unit: Unit
    group: Group
    parked: bool = False
    """Behind an earlier dead letter of its aggregate, which the case does not know of."""
    lookups: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Entries of reference data that its events took: lookup → key → columns."""

    @property
    def place(self) -> str:
        """``topic[partition]@first``, or ``@first-last``."""
        offsets = [self.unit.entries[place].record.offset for place in self.group.places]
        last = f"-{offsets[-1]}" if len(offsets) > 1 else ""
        return f"{self.unit.topic}[{self.unit.partition}]@{offsets[0]}{last}"

    @property
    def offsets(self) -> frozenset[int]:
        """The offsets of its records."""
        return frozenset(self.unit.entries[place].record.offset for place in self.group.places)


@dataclass(frozen=True, slots=True)
class MadeCase:
    """A case and what it gives. ``taken``: where it comes from, in words."""

    mapping: CompiledMapping
    case: Case
    result: StepResult
    taken: str
    place: str


def recorded(
    units: Iterable[Unit], mappings: Sequence[CompiledMapping], books: Mapping[str, Rulebook], wanted: Wanted
) -> Iterator[Recorded]:
    """The change sets that are wanted, in the order of the units; those with records that do not decode are none."""
    seen: set[object] = set()
    for unit, translation in translations(units, mappings, books):
        mapping = mapping_of_topic(unit.topic, mappings)
        if mapping is None or wanted.mapping not in ("", mapping.name):
            continue
        for group in groups(unit):
            parked = any(translation.outcomes[place].kind is OutcomeKind.PARKED for place in group.places)
            found = Recorded(mapping, unit, group, parked)
            found = replace(found, lookups=_looked_up(found, translation))
            if not group.rows or group.broken or not _is_wanted(found, translation, wanted):
                continue
            kind = _kind(found, translation)
            if not (wanted.distinct and kind in seen):
                seen.add(kind)
                yield found


def _is_wanted(found: Recorded, translation: Translation, wanted: Wanted) -> bool:
    if wanted.key and found.group.aggregate_id != wanted.key:
        return False
    if wanted.at:
        unit = found.unit
        here = (
            offset for topic, number, offset in wanted.at if number == unit.partition and unit.topic.endswith(topic)
        )
        if found.offsets.isdisjoint(here):
            return False
    elif found.group.snapshot and not _said(found, translation):
        return False
    return not wanted.event or wanted.event in {name for name, _ in _said(found, translation)}


def _said(found: Recorded, translation: Translation) -> list[tuple[str, str]]:
    """Event and rule of what the change set said."""
    events = (each for each in translation.events if each.source.offset in found.offsets)
    return [(each.event.name, each.event.rule) for each in events]


def _looked_up(found: Recorded, translation: Translation) -> dict[str, dict[str, dict[str, object]]]:
    entries: dict[str, dict[str, dict[str, object]]] = {}
    for event in (each.event for each in translation.events if each.source.offset in found.offsets):
        for use in event.lookups:
            entries.setdefault(use.lookup, {}).setdefault(use.key, {})[use.column] = use.value
    return entries


def _kind(found: Recorded, translation: Translation) -> object:
    outcomes = (translation.outcomes[place] for place in found.group.places)
    became = frozenset(outcome.reason or str(outcome.kind) for outcome in outcomes)
    rows = frozenset((row.table, str(row.operation), row.other_key is None) for row in found.group.rows)
    return found.mapping.name, tuple(_said(found, translation)), became, rows if not translation.events else None


def make_case(found: Recorded, book: Rulebook, *, masked: bool) -> MadeCase:
    """The case of a change set; it passes. ``masked``: personal data is replaced, the same in rows and events.

    The masks depend on the records alone, so the same records always make the same case.
    """
    rows = found.group.rows
    redactor = Redactor([found.mapping], _salt(rows)) if masked else None
    given = tuple(_given(row, found.mapping, redactor) for row in rows)
    time = rows[0].source.ts_ms
    case = Case("", (Step("", given, Then(), time),), lookups=found.lookups)
    result = run_case(case, found.mapping, book).steps[0]
    untimed = replace(case, steps=(replace(case.steps[0], at_ms=None),))
    same = run_case(untimed, found.mapping, book).steps[0]
    if [each.event.data for each in same.events] == [each.event.data for each in result.events]:
        case, result = untimed, same
    named = replace(case, name=f"{_words(result)}, as at {found.place}")
    return MadeCase(found.mapping, named, result, _taken(found, time, masked=masked), found.place)


def _taken(found: Recorded, time: int, *, masked: bool) -> str:
    """Where the case comes from, as a comment."""
    tx_id = found.group.rows[0].source.tx_id
    committed = (_EPOCH + dt.timedelta(milliseconds=time)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    of = f"transaction {tx_id}, " if tx_id is not None else ""
    parked = "; there it was parked behind a dead letter" if found.parked else ""
    mask = "; personal data is masked" if masked else ""
    return f"Taken from {found.place}, {of}committed {committed}{parked}{mask}."


def _salt(rows: Sequence[ChangeEvent]) -> bytes:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(row.record.value or b"")
    return digest.digest()


def _words(result: StepResult) -> str:
    """What the case is about, in a few words."""
    if result.classes:
        return f"dead letter {' and '.join(result.classes)}"
    names = dict.fromkeys(each.event.name for each in result.events)
    if names:
        return " and ".join(names)
    return " and ".join(dict.fromkeys(result.outcomes)) or "nothing"


def _given(row: ChangeEvent, mapping: CompiledMapping, redactor: Redactor | None) -> GivenRow:
    table = mapping.tables.get(row.table)
    before, after = (_image(image, row, table, redactor) for image in (row.before, row.after))
    other = None if row.other_key is None else _domain(row.other_key, table)
    op = _OPS.get(row.operation, "insert")
    if row.source.snapshot:
        op, before = "snapshot", None
    elif other is not None:
        op = "leaves" if row.operation is Operation.DELETE else "arrives"
    return GivenRow(row.table, op, before, None if op in ("delete", "leaves") else after, other)


def _image(
    image: Image | None, row: ChangeEvent, table: Table | None, redactor: Redactor | None
) -> dict[str, object] | None:
    """The declared columns as legacy wrote them; of a table that the mapping does not know only the key."""
    if image is None:
        return None
    if table is None:
        return dict(row.key)
    declared = {raw: value for raw, value in image.items() if raw in table.raw_columns}
    masked = declared if redactor is None else redactor.image(row.table, declared)
    return {raw: _UNSENT if value is UNSENT else value for raw, value in masked.items()}


def _domain(key: Mapping[str, object], table: Table | None) -> dict[str, object]:
    names = {column.raw: name for name, column in table.columns.items()} if table else {}
    return {names.get(raw, raw): value for raw, value in key.items()}
