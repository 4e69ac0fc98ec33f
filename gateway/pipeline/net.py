"""Net change: what a transaction did to each row in the end (language.md 3, row path)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.model.change import ChangeEvent, Image, Operation
from gateway.model.errors import LetterClass, RecordError
from gateway.model.event import RowRef
from gateway.model.values import MISSING, UNSENT, Unavailable
from gateway.pipeline.columns import TablePlan
from gateway.pipeline.identity import as_text
from gateway.pipeline.messages import MESSAGE_TABLE, sparse

__all__ = ["Path", "paths"]

_INSERTS = frozenset({Operation.CREATE, Operation.MESSAGE, Operation.SNAPSHOT})


class Path:
    """The changes of one row in one change set: ``before`` of its first, ``after`` of its last, raw images.

    ``places`` are indices into the change set. ``touched`` are raw columns that changed on the way (None where the path
    has one step and the question does not arise); ``revived``: it was deleted on the way and inserted again.
    """

    __slots__ = ("after", "before", "first", "last", "places", "plan", "revived", "touched")

    def __init__(self, plan: TablePlan, change: ChangeEvent, place: int) -> None:
        self.plan = plan
        self.before: Image | None = None
        self.after: Image | None = None
        self.first = self.last = change
        self.places = [place]
        self.touched: set[str] | None = None
        self.revived = False
        _check_images(change)
        if change.operation not in _INSERTS:
            self.before = change.before
        if change.table == MESSAGE_TABLE:
            self.after = sparse(change.after or {}, plan.raws)
        elif change.operation is not Operation.DELETE:
            self.after = _filled(change.after or {}, self.before)

    def step(self, change: ChangeEvent, place: int) -> None:
        """The next change of the same row; unsent values take those of the image before it."""
        _check_images(change)
        touched = self.touched = self.touched or self._first_touched()
        previous = self.after
        self.revived |= previous is None and self.before is not None
        if change.operation is Operation.DELETE:
            self.after = None
        else:
            own = _filled(change.before, previous) if change.before is not None else previous
            self.after = _filled(change.after or {}, own)
        touched |= _differing(previous, self.after)
        self.last = change
        self.places.append(place)

    def _first_touched(self) -> set[str]:
        return _differing(self.before, self.after)

    @property
    def reference(self) -> RowRef:
        """Row reference by the row's first change in the set (protocol.md 7); a snapshot row's has no transaction."""
        first = self.first
        image = first.before if first.operation is Operation.DELETE else first.after
        key = tuple(as_text((image or {}).get(raw)) for raw in self.plan.row_raws)
        tx_id = None if first.operation is Operation.SNAPSHOT else first.source.tx_id
        return RowRef(tx_id, first.source.lsn, self.plan.table.physical, key)

    @property
    def ended(self) -> bool:
        """Whether its last change deleted the row."""
        return self.after is None


def paths(changes: Sequence[ChangeEvent], plans: Mapping[str, TablePlan]) -> tuple[list[Path], list[int]]:
    """The row paths of a change set in order of their first record, and the places of rows of undeclared tables.

    RecordError (drift): an image or a row key column is missing, or ``row:`` does not identify rows (two living rows
    have one key, be it only until a deferred constraint is checked).
    """
    if len(changes) == 1:
        plan = plans.get(changes[0].table)
        return ([], [0]) if plan is None else ([Path(plan, changes[0], 0)], [])
    found: list[Path] = []
    undeclared: list[int] = []
    current: dict[tuple[Any, ...], Path] = {}
    for place, change in enumerate(changes):
        plan = plans.get(change.table)
        if plan is None:
            undeclared.append(place)
        elif change.table == MESSAGE_TABLE:  # nothing ever changes it: each is a row of its own
            found.append(Path(plan, change, place))
        else:
            _walk(plan, change, place, found, current)
    return found, undeclared


def _walk(
    plan: TablePlan, change: ChangeEvent, place: int, found: list[Path], current: dict[tuple[Any, ...], Path]
) -> None:
    _check_images(change)
    inserts = change.operation in _INSERTS
    key = _row_key(plan, change, change.after if inserts else change.before)
    path = current.get(key)
    if path is not None and inserts and not path.ended:
        raise _ambiguous(change)
    if path is None or (path.ended and not inserts):
        path = Path(plan, change, place)
        found.append(path)
    else:
        path.step(change, place)
    if change.operation is Operation.UPDATE:
        current.pop(key, None)
        key = _row_key(plan, change, path.after)
        other = current.get(key)
        if other is not None and not other.ended:
            raise _ambiguous(change)
    current[key] = path


def _row_key(plan: TablePlan, change: ChangeEvent, image: Image | None) -> tuple[Any, ...]:
    values = [(image or {}).get(raw, MISSING) for raw in plan.row_raws]
    if any(isinstance(value, Unavailable) for value in values):
        raise _drift(change, f"the row key of {change.table} is not in the record")
    return (plan.table.physical, *map(repr, values))


def _check_images(change: ChangeEvent) -> None:
    if change.before is None and change.operation in (Operation.UPDATE, Operation.DELETE):
        raise _drift(change, f"no `before` image: {change.table} lacks REPLICA IDENTITY FULL")


def _ambiguous(change: ChangeEvent) -> RecordError:
    """Two living rows with one key: whose the next change would be is a guess."""
    return _drift(change, f"`row:` of {change.table} does not identify a row: two have one key in one transaction")


def _drift(change: ChangeEvent, what: str) -> RecordError:
    return RecordError(LetterClass.DRIFT, what, where=change.record.place, stage="assemble")


def _filled(image: Image, previous: Image | None) -> Image:
    """The image with unsent values taken from the one before it, where that knows them."""
    if previous is None or UNSENT not in image.values():
        return image
    return {raw: previous.get(raw, UNSENT) if value is UNSENT else value for raw, value in image.items()}


def _differing(before: Image | None, after: Image | None) -> set[str]:
    if before is None or after is None:
        return set()
    return {raw for raw, value in after.items() if before.get(raw, MISSING) != value}
