"""Names and dotted names: which row, image or column an expression speaks of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import nodes

from gateway.mapping.compiled import Expression, RowView, Scope
from gateway.mapping.expressions.names import HAS_AFTER, HAS_BEFORE, TRANSACTION, Companion, Names, RowShape
from gateway.mapping.expressions.payload import PayloadPart
from gateway.mapping.expressions.syntax import ExpressionFault, Parsed
from gateway.mapping.kinds import Kind, Type
from gateway.mapping.nodes import did_you_mean
from gateway.model.values import MISSING, Unavailable, Value

__all__ = ["Field", "Image", "Row", "Rows", "is_changed", "resolve", "rows_of"]

Found = RowView | Sequence[RowView] | Unavailable | None
_SIDES = ("before", "after", "row")
_PLAIN = ("key", "other", "transaction")


@dataclass(frozen=True, slots=True)
class Field:
    """A single value: its type and how to get it. ``row``/``column`` are set where ``is changed`` may be asked."""

    type: Type
    run: Expression
    row: Callable[[Scope], Found] | None = None
    column: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a row: the columns of ``before``, ``after`` or ``row`` (after, on delete before)."""

    name: str
    shape: RowShape
    side: str
    find: Callable[[Scope], Found]
    words = "an image of a row"

    @property
    def example(self) -> str:
        """How a column of it is named."""
        return f"{self.name}.{next(iter(self.shape.columns), 'column')}"

    def column(self, name: str) -> Field:
        """One column of the image; of an absent row it is null."""
        find, side = self.find, self.side
        if find is _anchor and side == "after":
            return Field(self.shape.columns[name], lambda scope: _after_anchor(scope, name), None, name)

        def run(scope: Scope) -> Value:
            row = find(scope)
            if row is None or isinstance(row, Unavailable):
                return row
            image = _image(row, side)
            return MISSING if image is None else image.get(name, MISSING)

        return Field(self.shape.columns[name], run, find if side == "row" else None, name)


@dataclass(frozen=True, slots=True)
class _Named:
    """What stands under a name: its columns and how it is found."""

    name: str
    shape: RowShape
    find: Callable[[Scope], Found]


@dataclass(frozen=True, slots=True)
class Row(_Named):
    """A companion of at most one row, or an item of a list."""

    words = "a row"

    @property
    def example(self) -> str:
        """How a column of it is named."""
        return f"{self.name}.row.{next(iter(self.shape.columns), 'column')}"


@dataclass(frozen=True, slots=True)
class Rows(_Named):
    """A companion that is a list of rows."""

    words = "a list of rows"

    @property
    def example(self) -> str:
        """What can be asked of it."""
        return f"{self.name} | length, or $each: {self.name} in data"


def _image(row: object, side: str) -> Mapping[str, Value] | None:
    if side == "after":
        return row.after  # type: ignore[attr-defined, no-any-return]
    if side == "before":
        return row.before  # type: ignore[attr-defined, no-any-return]
    after = row.after  # type: ignore[attr-defined]
    return after if after is not None else row.before  # type: ignore[attr-defined, no-any-return]


def _after_anchor(scope: Scope, name: str) -> Value:
    """A column of the anchor's ``after``, the commonest of all names."""
    row = scope.anchor
    image = None if row is None else row.after
    return (None if row is None else MISSING) if image is None else image.get(name, MISSING)


def _anchor(scope: Scope) -> Found:
    return scope.anchor


def _item(scope: Scope) -> Found:
    return scope.item


def _companion(name: str) -> Callable[[Scope], Found]:
    return lambda scope: scope.companions[name]


Thing = Field | Image | Row | Rows | PayloadPart


def resolve(parsed: Parsed, node: nodes.Node, names: Names) -> Thing:
    """What a name or dotted name stands for. Raises ExpressionFault for unknown ones."""
    if isinstance(node, nodes.Name):
        return _root(parsed, node, names)
    if not isinstance(node, nodes.Getattr):
        raise ExpressionFault(parsed.offset(node), "a name is wanted here", "write a root and a column: after.name")
    if names.payload is None and isinstance(node.node, nodes.Name) and node.node.name in _PLAIN:
        return _plain(parsed, node, node.node.name, names)
    return _attribute(parsed, node, resolve(parsed, node.node, names))


def _root(parsed: Parsed, node: nodes.Name, names: Names) -> Thing:
    offset = parsed.offset(node)
    name = node.name
    if names.payload is not None:
        if name == "data":
            return PayloadPart("data", names.payload, lambda scope: scope.payload)
        raise ExpressionFault(offset, f"unknown name `{name}`", "an older version sees `data` only: data.field")
    if names.image is not None:
        return _root_of_part(offset, name, names)
    if name in names.companions:
        companion: Companion = names.companions[name]
        kind = Rows if companion.is_list else Row
        return kind(name, companion.shape, _companion(name))
    if name == "item":
        if names.item is None:
            raise ExpressionFault(offset, "`item` is known inside $each only", "name a companion: NAME.row.column")
        return Row("item", names.item, _item)
    if name in (*_SIDES, "op"):
        if names.anchor is None:
            raise ExpressionFault(offset, f"a `once` rule has no `{name}`", "name a pattern: NAME.row.column")
        row = Row("", names.anchor, _anchor)
        return _op(_anchor) if name == "op" else _side(offset, row, name)
    if name in _PLAIN:
        raise ExpressionFault(offset, f"`{name}` is not a value", f"name a part of it: {name}.…")
    raise _unknown(offset, name, names)


def _unknown(offset: int, name: str, names: Names) -> ExpressionFault:
    roots = [*names.companions, "key", "transaction", *([*_SIDES, "op"] if names.anchor else [])]
    if name in names.conditions:
        return ExpressionFault(offset, f"`{name}` is a condition", "conditions stand in `when` only")
    known = [*roots, *names.conditions]
    return ExpressionFault(offset, f"unknown name `{name}`", did_you_mean(name, known), silent=names.doubtful)


def _root_of_part(offset: int, name: str, names: Names) -> Field | Image:
    if name == "value" and names.value is not None:
        return Field(names.value, lambda scope: scope.value)
    if name == "row" and names.image is not None:
        return _PartImage(
            "row",
            RowShape("", names.image, frozenset(), None if names.doubtful else frozenset()),
            "row",
            lambda scope: None,
        )
    raise ExpressionFault(offset, f"unknown name `{name}`", "a part sees `value` and `row` only")


@dataclass(frozen=True, slots=True)
class _PartImage(Image):
    """The plain columns beside a packed one."""

    def column(self, name: str) -> Field:
        def run(scope: Scope) -> Value:
            return MISSING if scope.image is None else scope.image.get(name, MISSING)

        return Field(self.shape.columns[name], run)


def _op(find: Callable[[Scope], Found]) -> Field:
    def run(scope: Scope) -> Value:
        row = find(scope)
        return row if row is None or isinstance(row, Unavailable) else str(row.op)  # type: ignore[union-attr]

    ops = frozenset({"insert", "update", "delete", "leaves", "arrives", "snapshot"})
    return Field(Type(Kind.TEXT, ops), run)


def _side(offset: int, row: Row, side: str) -> Image:
    name = f"{row.name}.{side}" if row.name else side
    has = {"before": HAS_BEFORE, "after": HAS_AFTER, "row": HAS_BEFORE | HAS_AFTER}[side]
    lacking = sorted(row.shape.ops - has)
    if lacking:
        whole = f"{row.name}.row" if row.name else "row"
        raise ExpressionFault(offset, f"there is no `{name}` when the operation is {lacking[0]}", f"use `{whole}`")
    return Image(name, row.shape, side, row.find)


def _attribute(parsed: Parsed, node: nodes.Getattr, base: Thing) -> Field | Image | PayloadPart:
    offset = parsed.offset(node)
    if isinstance(base, PayloadPart):
        found = base.field(node.attr, offset)
        return found if isinstance(found, PayloadPart) else Field(found.type, found.run)
    if isinstance(base, Row):
        if node.attr == "op":
            return _op(base.find)
        if node.attr in _SIDES:
            return _side(offset, base, node.attr)
        hint = f"write {base.name}.row.{node.attr}" if node.attr in base.shape.columns else "row, before, after or op"
        raise ExpressionFault(offset, f"`{base.name}` has no `{node.attr}`", hint)
    if isinstance(base, Image):
        if node.attr in base.shape.columns:
            return base.column(node.attr)
        what = (
            f"the table `{base.shape.table}` has no column `{node.attr}`"
            if base.shape.table
            else (f"there is no plain column `{node.attr}` beside this one")
        )
        hint = did_you_mean(node.attr, base.shape.columns)
        raise ExpressionFault(offset, what, hint, silent=base.shape.hides(node.attr))
    if isinstance(base, Rows):
        hint = f"use $each: {base.name} in data, or count: one"
        raise ExpressionFault(offset, f"`{base.name}` is a list of rows", hint)
    raise ExpressionFault(offset, f"a value has no `.{node.attr}`", "columns are not nested")


def _plain(parsed: Parsed, node: nodes.Getattr, root: str, names: Names) -> Field:
    """``key.x``, ``other.x`` and ``transaction.x``."""
    offset = parsed.offset(node)
    if names.image is not None:
        raise ExpressionFault(offset, f"unknown name `{root}`", "a part sees `value` and `row` only")
    known = TRANSACTION if root == "transaction" else names.key
    if node.attr not in known:
        hint = did_you_mean(node.attr, known)
        raise ExpressionFault(offset, f"`{root}` has no `{node.attr}`", hint, silent=names.doubtful)
    name, type_ = node.attr, known[node.attr]
    if root == "key":
        return Field(type_, lambda scope: scope.key.get(name, MISSING))
    if root == "transaction":
        return Field(type_, lambda scope: scope.transaction.get(name, MISSING))
    if names.anchor is None or not names.anchor.ops <= {"leaves", "arrives"}:
        raise ExpressionFault(offset, "`other` is known where the row leaves or arrives", "op: leaves or arrives")

    def other(scope: Scope) -> Value:
        far = scope.anchor.other if scope.anchor is not None else None
        return MISSING if far is None else far.get(name, MISSING)

    return Field(type_, other)


def rows_of(parsed: Parsed, node: nodes.Node, names: Names) -> Row | Rows | None:
    """The companion a bare name stands for, or None."""
    if isinstance(node, nodes.Name) and node.name in names.companions and names.image is None:
        found = resolve(parsed, node, names)
        return found if isinstance(found, (Row, Rows)) else None
    return None


def is_changed(parsed: Parsed, node: nodes.Node, names: Names) -> Expression:
    """``row.x is changed``: the net change of an update, taken or not; false otherwise. Raises ExpressionFault."""
    found = resolve(parsed, node, names) if isinstance(node, nodes.Getattr) else None
    if not isinstance(found, Field) or found.row is None:
        raise ExpressionFault(
            parsed.offset(node), "`is changed` is asked of a column of `row`", "write row.x is changed"
        )
    find, column = found.row, found.column

    def run(scope: Scope) -> Value:
        row = find(scope)
        if row is None or isinstance(row, Unavailable):
            return False
        return column in row.changed  # type: ignore[union-attr]

    return run
