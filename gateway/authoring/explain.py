"""Why a record became what it became: its change set, each rule with what it saw, the events and their bytes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from gateway.authoring.explain_parts import event_told, failure_told, parked_told, rules_told, untried
from gateway.authoring.explain_rows import rows_told
from gateway.authoring.packed import pack, shown
from gateway.authoring.settled import Settled, Stretch
from gateway.authoring.told import (
    FORMAT,
    VERSION,
    ChangeSetTold,
    Explanation,
    FailureTold,
    RecordTold,
    RuleTold,
    UnitTold,
)
from gateway.mapping.compiled import CompiledMapping
from gateway.model.change import ChangeEvent, ChangeSet
from gateway.model.errors import RecordError
from gateway.model.event import Interpretation, Outcome, OutcomeKind
from gateway.model.record import RawRecord
from gateway.model.unit import Broken, Duplicate, Entry, Mark, Unit
from gateway.pipeline.interpret import failed, interpret
from gateway.pipeline.split import change_set

__all__ = ["explain", "explain_other", "explain_settled", "traced"]

_REASONS = {
    "noise": "a noise rule took all that changed",
    "bookkeeping": "only bookkeeping columns changed",
    "no-change": "no declared column has another value than before",
    "format-only": "the raw value is written differently and means the same",
    "undone": "what changed on the way was undone in the same transaction",
    "unexplained": "no rule took what changed",
    "undeclared": "only what no mapping declares changed",
    "snapshot": "a snapshot row says what is, not what happened",
    "tombstone": "a tombstone says nothing",
    "heartbeat": "a heartbeat says nothing",
    "duplicate": "a row at this position was taken before",
    "transaction": "a transaction marker is evidence, no change",
    "message": "a message outside any transaction belongs to no aggregate's order",
    "truncate": "a truncate that the mapping ignores",
}


def explain(stretch: Stretch, unit: Unit, place: int) -> Explanation:
    """Explain the record at ``place`` of ``unit``."""
    return explain_settled(stretch.of_record(unit, place), unit.entries[place].record, stretch.registered)


def explain_other(record: RawRecord, said: str) -> Explanation:
    """A record that no mapping reads. ``said``: what it is."""
    told = RecordTold(record.place, record.offset, "other", "", "", "not read", "", pack(record))
    return Explanation(FORMAT, VERSION, record.place, "not read", "", said, [told], None, None)


def explain_settled(settled: Settled, record: RawRecord, registered: bool = False) -> Explanation:
    """Explain one record of a settled group. ``registered``: schema ids are the registry's."""
    entries = settled.unit.entries
    outcomes = settled.translation.outcomes
    mine = next(i for i, entry in enumerate(entries) if entry.record.offset == record.offset)
    outcome = outcomes[mine]
    told = settled.told
    if told is None and isinstance(entries[mine], ChangeEvent | Broken):
        told = settled.told = _change_set(settled, registered)
    return Explanation(
        FORMAT,
        VERSION,
        record.place,
        str(outcome.kind),
        outcome.reason,
        _said(outcome, told, settled, entries[mine]),
        [_record(entry, each) for entry, each in zip(entries, outcomes, strict=True)],
        _unit(settled),
        told,
    )


def traced(settled: Settled) -> tuple[ChangeSet | None, Interpretation]:
    """The group's change set, interpreted once more with a trace; none where a record of it is broken."""
    group, book = settled.group, settled.book
    if group.broken:
        return None, failed(len(group.places), group.broken[0].error)
    changes = change_set(group, settled.unit, book.mapping.name, book.incarnations)
    return changes, interpret(changes, book.plan, trace=True)


def _change_set(settled: Settled, registered: bool) -> ChangeSetTold:
    changes, read = traced(settled)
    plan, mapping = settled.book.plan, settled.book.mapping
    rows = [] if changes is None else rows_told(changes, plan, read.trace, failed=read.failure is not None)
    key = changes.key if changes is not None else {}
    return ChangeSetTold(
        mapping.name,
        mapping.file,
        mapping.digest,
        mapping.aggregate,
        settled.group.aggregate_id,
        {name: shown(value) for name, value in key.items()},
        settled.group.snapshot,
        rows,
        rules_told(read.trace, mapping.rules),
        untried(read.trace, mapping),
        [event_told(event, mapping, registered=registered) for event in settled.translation.events],
        {name: getattr(read.accounting, name) for name in read.accounting.__struct_fields__},
        _left(read, mapping),
        [str(finding) for finding in read.findings],
        _failure(settled, read),
        None if settled.parked is None else parked_told(settled.parked),
    )


def _left(read: Interpretation, mapping: CompiledMapping) -> list[str]:
    names = {table.physical: table.name for table in mapping.tables.values()}
    return [names[unit.table] + (f".{unit.column}" if unit.column else f" ({unit.op})") for unit in read.unexplained]


def _failure(settled: Settled, read: Interpretation) -> FailureTold | None:
    """Why the set failed: interpreted, or only when it was encoded."""
    errors: list[RecordError] = [each.failure for each in settled.translation.interpretations if each.failure]
    if not errors and read.failure is not None and settled.translation.letters:
        errors = [read.failure]
    return failure_told(errors[0]) if errors else None


def _record(entry: Entry, outcome: Outcome) -> RecordTold:
    record = entry.record
    kind, table, op = _kind(entry)
    return RecordTold(
        record.place, record.offset, kind, table, op, str(outcome.kind), outcome.reason, pack(record)
    )  # fmt: skip


def _kind(entry: Entry) -> tuple[str, str, str]:
    if isinstance(entry, ChangeEvent):
        return "snapshot" if entry.source.snapshot else "row", entry.table, str(entry.operation)
    if isinstance(entry, Mark):
        return str(entry.kind), entry.table, ""
    return "duplicate" if isinstance(entry, Duplicate) else "broken", "", ""


def _unit(settled: Settled) -> UnitTold:
    whole, unit = settled.whole, settled.unit
    stamps = [entry.source.ts_ms for entry in unit.entries if isinstance(entry, ChangeEvent)]
    time = dt.datetime.fromtimestamp((stamps or [unit.entries[0].record.timestamp_ms])[0] / 1000, dt.UTC)
    return UnitTold(
        whole.topic,
        whole.partition,
        whole.first_offset,
        whole.next_offset,
        len(whole.entries),
        whole.tx_id,
        time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        whole.incarnation,
        whole.commit,
        None if unit.before is None else list(unit.before),
        whole.restarted,
    )


def _said(outcome: Outcome, told: ChangeSetTold | None, settled: Settled, entry: Entry) -> str:
    """The outcome in a sentence."""
    if outcome.kind is OutcomeKind.PUBLISHED and told is not None:
        names = ", ".join(dict.fromkeys(event.event for event in told.events))
        return f"its change set gave {len(told.events)} event{'s' if len(told.events) > 1 else ''}: {names}"
    if outcome.kind is OutcomeKind.PARKED and told is not None and told.parked is not None:
        topic, partition = settled.whole.topic, settled.whole.partition
        return f"{told.aggregate} {told.id} is parked behind {topic}[{partition}]@{told.parked.head}"
    if outcome.kind is OutcomeKind.DEAD_LETTERED:
        if told is not None and told.failure is not None:
            return f"its change set failed: {told.failure.what}"
        if isinstance(entry, Mark):
            return "the table was truncated: its rows are gone and no aggregate was told"
    if outcome.reason == "unexplained" and told is not None:
        return f"no rule took {', '.join(told.unexplained)}"
    if outcome.reason == "noise" and told is not None:
        return f"taken as noise: {', '.join(_noise(told.rules))}"
    return _REASONS.get(outcome.reason, outcome.reason or str(outcome.kind))


def _noise(rules: Sequence[RuleTold]) -> list[str]:
    return list(dict.fromkeys(rule.rule for rule in rules if rule.fired and not rule.event))
