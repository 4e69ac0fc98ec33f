"""One case shown to people: the payloads, and the legacy rows before and after the transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import cast

from gateway.authoring.diff_findings import Difference, Example, RowShown
from gateway.authoring.diff_seen import Seen
from gateway.authoring.shown import plain
from gateway.model.change import ChangeEvent, Image, Operation
from gateway.model.errors import RecordError
from gateway.model.event import EncodedEvent
from gateway.model.values import MISSING, Unavailable
from gateway.pipeline.net import Path, paths

__all__ = ["example"]

_ROWS = 6
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_OPERATIONS = {Operation.CREATE: "insert", Operation.SNAPSHOT: "snapshot", Operation.DELETE: "delete"}


def example(
    seen: Seen | None,
    offset: int,
    *,
    old: EncodedEvent | None = None,
    new: EncodedEvent | None = None,
    differences: Sequence[Difference] = (),
    why: str = "",
) -> Example:
    """The case at ``offset``. ``differences``: of the two payloads; ``why``: the reason of a dead letter."""
    assert seen is not None
    entry = next(entry for entry in seen.unit.entries if entry.record.offset == offset)
    changed = seen.sets.get(offset)
    rows = changed.group.rows if changed is not None else []
    source = entry.source if isinstance(entry, ChangeEvent) else None
    one = new or old
    return Example(
        changed.group.aggregate_id if changed else "",
        entry.record.place,
        _time(source.ts_ms if source else entry.record.timestamp_ms),
        seen.unit.tx_id,
        tuple(differences),
        _payload(old),
        _payload(new),
        _rows(rows, offset, seen),
        why,
        (dict(one.headers).get("ce_id") or b"").decode() if one else "",
    )


def _payload(encoded: EncodedEvent | None) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", plain(encoded.event.data)) if encoded else None


def _time(ts_ms: int) -> str:
    return (_EPOCH + dt.timedelta(milliseconds=ts_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rows(changes: Sequence[ChangeEvent], offset: int, seen: Seen) -> tuple[RowShown, ...]:
    """Net rows of the change set, the one at ``offset`` first; its records as they are where there is no net."""
    try:
        found, _ = paths(changes, seen.book.plan.tables)
    except RecordError:
        found = []
    if not found:
        return tuple(_row(each.table, each.operation, each.before, each.after) for each in changes[:_ROWS])
    found.sort(key=lambda path: all(changes[place].record.offset != offset for place in path.places))
    return tuple(_net(path) for path in found[:_ROWS])


def _net(path: Path) -> RowShown:
    operation = path.last.operation if path.before is not None else path.first.operation
    if path.before is not None and path.after is not None:
        operation = Operation.UPDATE
    return _row(path.plan.table.physical, operation, path.before, path.after)


def _row(table: str, operation: Operation, before: Image | None, after: Image | None) -> RowShown:
    was, now = _shown(before), _shown(after)
    both = was is not None and now is not None
    changed = [raw for raw in now or {} if both and (was or {}).get(raw, MISSING) != (now or {})[raw]]
    return RowShown(table, _OPERATIONS.get(operation, "update"), was, now, tuple(changed))


def _shown(image: Image | None) -> dict[str, object] | None:
    if image is None:
        return None
    return {raw: f"({value.value})" if isinstance(value, Unavailable) else plain(value) for raw, value in image.items()}
