"""Domain event → the same event in every version that is published (language.md 5, ``also``)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from gateway.mapping.compiled import EventType, OlderVersion
from gateway.model.errors import RecordError
from gateway.model.event import DomainEvent

__all__ = ["versions"]


def versions(event: DomainEvent, kinds: Mapping[str, EventType]) -> tuple[DomainEvent, ...]:
    """The event and its older versions, newest first: same place, so same sequence; ids differ by the version.

    ``kinds``: the mapping's events. RecordError naming the rule, where an older payload cannot be made.
    """
    older = kinds[event.name].also
    return (event, *(_derived(event, one) for one in older)) if older else (event,)


def _derived(event: DomainEvent, older: OlderVersion) -> DomainEvent:
    try:
        payload = older.derive(event.data)
    except RecordError as error:
        error.rule = error.rule or event.rule
        error.where = f"version {older.type.version} of {event.name}, {error.where}"
        raise
    return replace(event, version=older.type.version, data=payload)
