"""Two payloads field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.authoring.diff_findings import Difference
from gateway.authoring.shown import plain
from gateway.model.event import EncodedEvent

__all__ = ["differences", "of_payloads"]


def differences(old: EncodedEvent, new: EncodedEvent) -> tuple[Difference, ...]:
    """What differs between two events of one row: name, version, intent and topic in angle brackets, then fields."""
    heads = (
        ("<event>", old.event.name, new.event.name),
        ("<version>", old.event.version, new.event.version),
        ("<intent>", str(old.event.intent), str(new.event.intent)),
        ("<topic>", old.topic, new.topic),
    )
    head = tuple(Difference(name, "changed", before, after) for name, before, after in heads if before != after)
    return head + of_payloads(plain(old.event.data), plain(new.event.data))


def of_payloads(old: object, new: object) -> tuple[Difference, ...]:
    """The fields that differ, by dotted path (``address.street``, ``consents[1].purpose``), in the payload's order."""
    return tuple(_differing(old, new, ""))


def _differing(old: object, new: object, path: str) -> Iterator[Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            inner = f"{path}.{name}" if path else str(name)
            if name not in new:
                yield Difference(inner, "gone", old=old[name])
            elif name not in old:
                yield Difference(inner, "added", new=new[name])
            else:
                yield from _differing(old[name], new[name], inner)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            inner = f"{path}[{index}]"
            if index >= len(new):
                yield Difference(inner, "gone", old=old[index])
            elif index >= len(old):
                yield Difference(inner, "added", new=new[index])
            else:
                yield from _differing(old[index], new[index], inner)
    elif old != new or type(old) is not type(new):
        yield Difference(path, "changed", old, new)
