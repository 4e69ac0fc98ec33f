"""The verdict: what came out against what had to come out, by thing and by source transaction."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import fastavro

from ..installation import Record
from .reference import Expected, Fact

__all__ = ["Event", "Verdict", "judge", "judge_accounts", "judge_letters", "read_event", "unit_of"]


@dataclass(frozen=True, slots=True)
class Event:
    """A published event, decoded by fastavro. ``transaction``: of the source, 0 for a statement."""

    place: tuple[int, int]
    thing: int
    transaction: int
    fact: Fact
    id: str
    sequence: str
    digest: str


@dataclass
class Verdict:
    """``ids``: ids doubled, or facts told under two ids; ``unstable``: what a reader saw and that stood no more."""

    events: int = 0
    aborted: int = 0
    missing: int = 0
    extra: int = 0
    reordered: int = 0
    torn: int = 0
    ids: int = 0
    unstable: int = 0
    letters: int = 0
    accounts: str = ""
    told: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing at all is wrong."""
        wrong = (self.missing, self.extra, self.reordered, self.torn, self.ids, self.unstable, self.letters)
        return not any(wrong) and not self.accounts


def unit_of(key: bytes | None, headers: Mapping[str, bytes]) -> tuple[int, int] | None:
    """Source transaction and thing of an event, from its headers; None for a statement, which stands by itself."""
    lineage = dict(part.split("=", 1) for part in headers["lineage"].decode().split(","))
    return None if lineage["intent"] == "state" else (int(lineage["tx"]), int(key or b"0"))


def read_event(record: Record, schemas: Mapping[str, Any]) -> Event:
    """An event as it stands in the public topic."""
    assert record.value is not None
    name = record.headers["ce_type"].decode()
    data: Any = fastavro.schemaless_reader(io.BytesIO(record.value[5:]), schemas[name], None)
    unit = unit_of(record.key, record.headers)
    lineage = dict(part.split("=", 1) for part in record.headers["lineage"].decode().split(","))
    fact = (name.rsplit(".", 1)[1], data.get("partId", 0), data["amount"])
    return Event(
        (record.partition, record.offset), data["thingId"], 0 if unit is None else unit[0], fact,
        record.headers["ce_id"].decode(), record.headers["ce_sequence"].decode(), lineage["mapping"],
    )  # fmt: skip


def judge(
    expected: Expected,
    committed: Iterable[Event],
    everything: Iterable[Event],
    seen: Mapping[tuple[int, int], str],
    torn: Iterable[object],
) -> Verdict:
    """Compare. ``everything``: what a read_uncommitted reader sees; ``seen``, ``torn``: what the watcher saw."""
    events, written = list(committed), list(everything)
    halves = set(torn) - _interleaved(written)
    verdict = Verdict(events=len(events), aborted=len(written) - len(events), torn=len(halves))
    _tell(verdict, "was seen in halves by a read_committed reader (transaction, thing):", halves)
    by_thing: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        by_thing[event.thing].append(event)
    for thing in sorted(expected.sets.keys() | by_thing.keys()):
        _judge_thing(verdict, thing, expected.sets.get(thing, []), by_thing[thing])
    _judge_ids(verdict, events, written)
    at = {event.place: event.id for event in events}
    gone = [place for place, identity in seen.items() if at.get(place) != identity]
    verdict.unstable = len(gone)
    _tell(verdict, "was seen by a read_committed reader and does not stand", gone)
    return verdict


def _interleaved(written: list[Event]) -> set[object]:
    """Groups between whose events stand others.

    A reader sees no further than the first record of any open transaction. Where another worker's begins amid a group,
    the group's end stays hidden until that one is decided, though the group itself was committed as a whole.
    """
    found: set[object] = set()
    ended: set[object] = set()
    last: dict[int, object] = {}
    for event in written:
        unit, partition = (event.transaction, event.thing), event.place[0]
        if last.get(partition) != unit:
            if unit in ended:
                found.add(unit)
            ended.add(last.get(partition))
        last[partition] = unit
    return found


def _judge_thing(verdict: Verdict, thing: int, sets: list[tuple[int, tuple[Fact, ...]]], got: list[Event]) -> None:
    wanted = [(transaction, fact) for transaction, facts in sets for fact in facts]
    found = [(event.transaction, event.fact) for event in got]
    missing, extra = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
    verdict.missing += missing.total()
    verdict.extra += extra.total()
    _tell(verdict, f"thing {thing} misses", missing.elements())
    _tell(verdict, f"thing {thing} has too many of", extra.elements())
    sequences = [event.sequence for event in got]
    if (not missing and not extra and wanted != found) or sequences != sorted(sequences):
        verdict.reordered += 1
        _tell(verdict, f"thing {thing} is out of order: {found[:8]} for", [wanted[:8]])
    for transaction, facts in sets:
        lost = sum((Counter((transaction, fact) for fact in facts) & missing).values())
        if 0 < lost < len(facts):
            verdict.torn += 1
            _tell(verdict, f"thing {thing} has only a part of transaction", [transaction])


def _judge_ids(verdict: Verdict, events: list[Event], written: list[Event]) -> None:
    doubled = [one for one, count in Counter(event.id for event in events).items() if count > 1]
    known: dict[object, set[str]] = defaultdict(set)
    for event in written:  # what was aborted and told again is the same event
        if event.transaction:
            known[event.transaction, event.thing, event.fact, event.sequence].add(event.id)
    changed = [fact for fact, ids in known.items() if len(ids) > 1]
    verdict.ids = len(doubled) + len(changed)
    _tell(verdict, "id twice:", doubled)
    _tell(verdict, "told under two ids:", changed)


def judge_letters(
    verdict: Verdict, expected: Expected, letters: list[Record], raw: Mapping[tuple[int, int], Any]
) -> None:
    """Each record that had to become a letter is one, once, with its very bytes."""
    found = Counter(_place(letter) for letter in letters)
    wrong = (Counter(expected.letters) - found) + (found - Counter(expected.letters))
    changed = [place for letter in letters if raw[place := _place(letter)] != (letter.key, letter.value)]
    verdict.letters = wrong.total() + len(changed)
    _tell(verdict, "letters missing or too many:", wrong.elements())
    _tell(verdict, "letters with other bytes:", changed)


def _place(letter: Record) -> tuple[int, int]:
    return int(letter.headers["__connect.errors.partition"]), int(letter.headers["__connect.errors.offset"])


def judge_accounts(verdict: Verdict, expected: Expected, totals: list[int]) -> None:
    """The counters that moved with the offsets add up to what happened."""
    consumed, published, ignored, dead, parked, events = totals[:6]
    held = {
        f"{consumed} consumed of {expected.records}": consumed == expected.records,
        f"{published=} {ignored=} {dead=} {parked=}": published + ignored + dead + parked == consumed,
        f"{events} events counted, {verdict.events} stand": events == verdict.events,
        f"{dead + parked} letters counted of {len(expected.letters)}": dead + parked == len(expected.letters),
    }
    verdict.accounts = "; ".join(told for told, right in held.items() if not right)


def _tell(verdict: Verdict, what: str, found: Iterable[object], most: int = 5) -> None:
    some = list(found)
    if some and len(verdict.told) < 40:
        verdict.told.append(f"{what} {', '.join(map(str, some[:most]))}" + (" …" if len(some) > most else ""))
