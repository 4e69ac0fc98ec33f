"""How large an event, a letter and a change set may be: what is larger is a dead letter, never tried for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.model.errors import LetterClass, RecordError
from gateway.model.event import EncodedEvent
from gateway.model.record import Headers

__all__ = ["BARE", "RECORD_BYTES", "Limits", "record_size"]

_MEGABYTE = 1024 * 1024
RECORD_BYTES = 32 * _MEGABYTE
"""What ``gateway connect apply`` gives topics, and the client takes."""
BARE = 120
"""Bytes of a record batch that holds one record, beside key, value and headers: 61 of the batch, lengths and deltas."""
_HEADER = 10
_EASY = 16 * 1024
_HEADERS = 500
_SET_HINT = "make the legacy transaction smaller, or raise set_max_events and set_max_bytes and the worker's memory"


def record_size(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """Bytes that the broker counts for one record by itself, uncompressed; never less than it really takes."""
    size = BARE + len(key or b"") + len(value or b"")
    for name, content in headers:
        size += _HEADER + len(name) + len(content or b"")
    return size


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and counts. ``records``: the largest record by topic (``max.message.bytes``), where it is known.

    A change set with more than ``set_events`` events, or ``set_bytes`` of records read or of events written, is
    dead-lettered as oversized. Above ``letter_records`` or ``letter_bytes`` a dead change set is one letter, a pointer.
    """

    record_bytes: int = RECORD_BYTES
    records: Mapping[str, int] = field(default_factory=dict)
    set_events: int = 200_000
    set_bytes: int = 32 * _MEGABYTE
    letter_records: int = 5_000
    letter_bytes: int = 8 * _MEGABYTE

    def largest(self, topic: str) -> int:
        """The largest record that ``topic`` takes."""
        return min(self.record_bytes, self.records.get(topic, self.record_bytes))

    def check_events(self, events: Sequence[EncodedEvent]) -> None:
        """RecordError (oversized) for what no topic, or no transaction, would take."""
        if len(events) > self.set_events:
            told = f"the change set gives {len(events)} events, {self.set_events} are allowed"
            raise _oversized(told, hint=_SET_HINT)
        whole = 0
        for event in events:
            whole += len(event.value)
            # Headers are ours and short, save for what the raw record brought along.
            easy = len(event.value) + 2 * len(event.key) + _EASY <= self.largest(event.topic)
            if not easy or event.headers[-1][0] == "traceparent":
                self._check_event(event)
        if whole + _HEADERS * len(events) > self.set_bytes:
            told = f"the change set gives {len(events)} events of {whole / _MEGABYTE:.1f} MB"
            raise _oversized(f"{told}, {self.set_bytes / _MEGABYTE:.0f} MB with headers are allowed", hint=_SET_HINT)

    def _check_event(self, event: EncodedEvent) -> None:
        size, largest = record_size(event.key, event.value, event.headers), self.largest(event.topic)
        if size > largest:
            raise _oversized(
                f"{event.event.name} has {size} bytes with its headers, {event.topic} takes {largest}",
                rule=event.event.rule,
                hint="raise the topic's max.message.bytes and record_max_bytes, restart, then redrive",
            )

    def check_records(self, records: int, size_bytes: int) -> None:
        """RecordError (oversized) for a change set that is too large to be looked at."""
        if size_bytes > self.set_bytes:
            raise _oversized(
                f"the change set's {records} records have {size_bytes / _MEGABYTE:.1f} MB, "
                f"{self.set_bytes / _MEGABYTE:.0f} MB are allowed",
                hint=_SET_HINT,
            )

    def is_huge(self, records: int, size_bytes: int) -> bool:
        """Whether a dead change set is a pointer to its raw records instead of a copy of each."""
        return records > self.letter_records or size_bytes > self.letter_bytes


def _oversized(what: str, *, hint: str, rule: str = "") -> RecordError:
    return RecordError(LetterClass.OVERSIZED, what, rule=rule, hint=hint, stage="encode")
