"""Arrays and maps made of rows (`$each`), and what an unavailable one raises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gateway.mapping.compiled import RowView, Scope
from gateway.mapping.fitting import class_of
from gateway.model.errors import LetterClass, RecordError
from gateway.model.values import Unavailable

__all__ = ["array_of", "map_of", "unavailable"]

Build = Callable[[Scope], object]


def unavailable(reason: Unavailable, what: str, rule: str, path: str) -> RecordError:
    """The error of a payload that read an unavailable value."""
    return RecordError(
        class_of(reason), f"{what} is unavailable ({reason.value})", rule=rule, where=path, stage="interpret"
    )


def _rows(name: str, scope: Scope, rule: str, path: str) -> Sequence[RowView]:
    found = scope.companions[name]
    if isinstance(found, Unavailable):
        raise unavailable(found, f"the list `{name}`", rule, path)
    assert isinstance(found, Sequence)
    return found


def array_of(name: str, build: Build, rule: str, path: str) -> Build:
    """An array with one item for each row of the list ``name``."""
    return lambda scope: [build(replace(scope, item=row)) for row in _rows(name, scope, rule, path)]


def map_of(name: str, key: Build, build: Build, rule: str, path: str) -> Build:
    """A map with one entry for each row of the list ``name``; RecordError (contract) where two have one key."""

    def run(scope: Scope) -> object:
        found: dict[str, object] = {}
        for row in _rows(name, scope, rule, path):
            inner = replace(scope, item=row)
            word = str(key(inner))
            if word in found:
                what = f"the key `{word[:60]}` twice in `{path}`"
                raise RecordError(LetterClass.CONTRACT, what, rule=rule, where=path, stage="interpret")
            found[word] = build(inner)
        return found

    return run
