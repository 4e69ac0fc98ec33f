"""One unit under two versions of the mappings: counts, and what differs with its cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from gateway.authoring.diff_examples import example
from gateway.authoring.diff_findings import (
    Diff,
    Difference,
    EventCause,
    Example,
    Finding,
    LetterCause,
    Said,
    Touched,
    TypeCounts,
    UnexplainedCause,
)
from gateway.authoring.diff_order import Turn, named, reordered
from gateway.authoring.diff_payloads import differences
from gateway.authoring.diff_seen import NOT_READ, Seen
from gateway.model.event import EncodedEvent, Outcome
from gateway.model.letter import DeadLetter
from gateway.pipeline.translate import Translation

__all__ = ["compare"]

_Cause = TypeVar("_Cause")
_Place = tuple[int, str, str, str]
"""Offset of a change set's first record, table, operation, aggregate id."""


def compare(found: Diff, was: Seen | None, now: Seen | None) -> None:
    """Add to ``found`` what the old and the new version say of the same unit; None: it does not read it."""
    unit = was or now
    if unit is None:
        return
    found.units += 1
    found.records += len(unit.unit.entries)
    for side, seen in enumerate((was, now)):
        if seen is not None:
            _tally(found, side, seen)
    if was is now or (was is not None and now is not None and _equal(was.translation, now.translation)):
        return
    _Comparison(found, was, now).whole()


def _tally(found: Diff, side: int, seen: Seen) -> None:
    aggregate = seen.book.mapping.aggregate
    for encoded in seen.translation.events:
        counts = found.types.setdefault((aggregate, encoded.event.name), TypeCounts())
        if side:
            counts.new += 1
        else:
            counts.old += 1
    for outcome in seen.translation.outcomes:
        found.outcomes.setdefault(_told(outcome), [0, 0])[side] += 1


def _told(outcome: Outcome) -> str:
    return f"{outcome.kind.value}: {outcome.reason}" if outcome.reason else outcome.kind.value


def _equal(was: Translation, now: Translation) -> bool:
    if len(was.events) != len(now.events) or len(was.letters) != len(now.letters):
        return False
    return (
        all(map(_same_event, was.events, now.events))
        and all(_letter(one) == _letter(other) for one, other in zip(was.letters, now.letters, strict=True))
        and [one.unexplained for one in was.interpretations] == [one.unexplained for one in now.interpretations]
    )


def _same_event(one: EncodedEvent, other: EncodedEvent) -> bool:
    return one.event == other.event and one.topic == other.topic


def _letter(letter: DeadLetter) -> tuple[int, str, str]:
    return letter.record.offset, letter.letter_class, letter.rule


class _Comparison:
    """A unit that two versions do not tell alike."""

    def __init__(self, found: Diff, was: Seen | None, now: Seen | None) -> None:
        self.found, self.was, self.now = found, was, now
        self.aggregate = (was or now).book.mapping.aggregate  # type: ignore[union-attr]  # one of them is there

    def whole(self) -> None:
        """Events, then letters, then unexplained changes."""
        old, new = _events(self.was), _events(self.now)
        for identity in old.keys() & new.keys():
            self._both(old[identity], new[identity])
        for turn in reordered(old, new):
            self._order(turn)
        gone = [event for identity, event in old.items() if identity not in new]
        added = [event for identity, event in new.items() if identity not in old]
        for before, after in _paired(gone, added):
            self._event("changed", before, after)
        for event in gone:
            self._event("gone", event, None)
        for event in added:
            self._event("added", None, event)
        self._letters()
        self._unexplained()

    # -- events ----

    def _both(self, old: EncodedEvent, new: EncodedEvent) -> None:
        if old.event.intent is not new.event.intent or old.event.data != new.event.data or old.topic != new.topic:
            self._event("changed", old, new)
        elif self._rule(self.was, old.event.rule) != self._rule(self.now, new.event.rule):
            self._event("rule", old, new)

    def _event(self, kind: str, old: EncodedEvent | None, new: EncodedEvent | None) -> None:
        one = old or new
        assert one is not None
        offset, table = one.source.offset, one.event.row.table
        cause = EventCause(
            kind,
            self.aggregate,
            _said(old),
            _said(new),
            self._rule(self.was, old.event.rule) if old else _instead(self.was, self.now, offset, table),
            self._rule(self.now, new.event.rule) if new else _instead(self.now, self.was, offset, table),
        )
        differs = differences(old, new) if old and new and kind == "changed" else ()
        finding = self._finding(self.found.events, cause, one.key.decode())
        for difference in differs:
            finding.fields[difference.path] = finding.fields.get(difference.path, 0) + 1
        self._example(finding, lambda: example(self.was or self.now, offset, old=old, new=new, differences=differs))
        if kind != "rule":
            counts = self.found.types[self.aggregate, (old or one).event.name]
            setattr(counts, kind, getattr(counts, kind) + 1)
            touched = self._touched(one.key.decode())
            setattr(touched, kind, getattr(touched, kind) + 1)

    def _order(self, turn: Turn) -> None:
        old, new = turn.old[turn.place], turn.new[turn.place]
        rules = self._rule(self.was, old.event.rule), self._rule(self.now, new.event.rule)
        cause = EventCause("order", self.aggregate, _said(old), _said(new), *rules)
        finding = self._finding(self.found.events, cause, old.key.decode())
        differs = (Difference("<order>", "changed", named(turn.old), named(turn.new)),)
        self._example(finding, lambda: example(self.was or self.now, new.source.offset, differences=differs))
        self._touched(old.key.decode()).order += 1

    def _rule(self, seen: Seen | None, rule: str) -> str:
        return seen.named(rule) if seen is not None else NOT_READ

    # -- letters and unexplained changes ----

    def _letters(self) -> None:
        old, new = _by_offset(self.was), _by_offset(self.now)
        for offset in sorted(old.keys() | new.keys()):
            before, after = old.get(offset), new.get(offset)
            if before is not None and after is not None:
                if before.letter_class == after.letter_class and before.rule == after.rule:
                    continue
                self._one_letter("changed", before, after)
            else:
                self._one_letter("gone" if before else "added", before, after)

    def _one_letter(self, kind: str, old: DeadLetter | None, new: DeadLetter | None) -> None:
        one = new or old
        assert one is not None
        offset = one.record.offset
        cause = LetterCause(
            kind,
            self.aggregate,
            str(old.letter_class) if old else "",
            str(new.letter_class) if new else "",
            self._rule(self.was, old.rule) if old else _instead(self.was, self.now, offset, ""),
            self._rule(self.now, new.rule) if new else _instead(self.now, self.was, offset, ""),
        )
        finding = self._finding(self.found.letters, cause, one.aggregate_id)
        why = (dict(one.headers).get("__connect.errors.exception.message") or b"").decode(errors="replace")
        self._example(finding, lambda: example(self.was or self.now, offset, why=why))
        self._touched(one.aggregate_id).letters += 1

    def _unexplained(self) -> None:
        old, new = _unexplained(self.was), _unexplained(self.now)
        for place in sorted(old.keys() | new.keys()):
            before, after = old.get(place, Counter()), new.get(place, Counter())
            for kind, columns in (("gone", before - after), ("added", after - before)):
                if columns:
                    self._one_unexplained(kind, place, columns)

    def _one_unexplained(self, kind: str, place: _Place, columns: Counter[str]) -> None:
        offset, table, op, aggregate = place
        column = next(iter(columns)) or None
        was = "unexplained" if kind == "gone" else _instead(self.was, self.now, offset, table, column)
        now = "unexplained" if kind == "added" else _instead(self.now, self.was, offset, table, column)
        cause = UnexplainedCause(kind, self.aggregate, table, op, was, now)
        finding = self._finding(self.found.unexplained, cause, aggregate)
        for name, count in columns.items():
            told = name or "(the row)"
            finding.fields[told] = finding.fields.get(told, 0) + count
        self._example(finding, lambda: example(self.was or self.now, offset))
        self._touched(aggregate).unexplained += 1

    # -- what is kept ----

    def _finding(self, findings: dict[_Cause, Finding], cause: _Cause, aggregate: str) -> Finding:
        finding = findings.setdefault(cause, Finding())
        finding.count += 1
        finding.aggregates.add(aggregate)
        return finding

    def _example(self, finding: Finding, make: Callable[[], Example]) -> None:
        if len(finding.examples) < self.found.examples:
            finding.examples.append(make())

    def _touched(self, aggregate: str) -> Touched:
        return self.found.touched.setdefault((self.aggregate, aggregate), Touched())


def _said(encoded: EncodedEvent | None) -> Said | None:
    return Said(encoded.event.name, encoded.event.version, str(encoded.event.intent)) if encoded else None


def _instead(seen: Seen | None, other: Seen | None, offset: int, table: str, column: str | None = None) -> str:
    return NOT_READ if seen is None else seen.instead(offset, other, table, column)


def _events(seen: Seen | None) -> dict[object, EncodedEvent]:
    """Events by what their ids are made of; all else of an id is the same for both versions."""
    events = seen.translation.events if seen else ()
    return {(one.event.name, one.event.version, one.event.slot, one.event.row, one.key): one for one in events}


def _by_offset(seen: Seen | None) -> dict[int, DeadLetter]:
    return {letter.record.offset: letter for letter in seen.translation.letters} if seen else {}


def _unexplained(seen: Seen | None) -> dict[_Place, Counter[str]]:
    """What nobody took, column by column ('' for a row), by change set (its first record), table and operation."""
    found: dict[_Place, Counter[str]] = {}
    if seen is None:
        return found
    for offset, each in seen.sets.items():
        group = each.group
        if seen.unit.entries[group.places[0]].record.offset == offset:
            for unit in each.read.unexplained if each.read else ():
                place = (offset, unit.table, unit.op, group.aggregate_id)
                found.setdefault(place, Counter())[unit.column or ""] += 1
    return found


def _paired(gone: list[EncodedEvent], added: list[EncodedEvent]) -> list[tuple[EncodedEvent, EncodedEvent]]:
    """Events of one row that have other ids now: same place in the change set first, then in their order.

    What is paired is taken out of both lists.
    """
    found = []
    for exact in (True, False):
        for before in list(gone):
            after = next((one for one in added if _of_one_row(before, one, exact)), None)
            if after is not None:
                gone.remove(before)
                added.remove(after)
                found.append((before, after))
    return found


def _of_one_row(one: EncodedEvent, other: EncodedEvent, exact: bool) -> bool:
    alike = one.key == other.key and one.event.row == other.event.row
    return alike and (not exact or one.event.place == other.event.place)
