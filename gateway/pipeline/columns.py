"""Row images in the domain's words: decoded column by column, when somebody asks, at most once."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import overload

from gateway.mapping.compiled import Column, Scope, Table
from gateway.model.change import Image
from gateway.model.values import MISSING, UNSENT, Unavailable, Value

__all__ = ["Columns", "TablePlan", "spelled"]

_REMEMBERED = 4096
_SHORT = 64
_FEW_VALUES = ("date", "decimal", "bool")


def spelled(column: Column) -> str:
    """What a value of the column must decode as, in words."""
    return column.type if column.symbols is None else "one of its codes"


class _Memory(dict[object, Value]):
    """What a column's reader made of raw texts and integers: readers are pure; codes, dates and amounts come again."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[object], Value]) -> None:
        self._read = read

    def __missing__(self, raw: object) -> Value:
        value = self._read(raw)
        if len(self) < _REMEMBERED and (not isinstance(raw, str) or len(raw) <= _SHORT):
            self[raw] = value
        return value


def _reader(column: Column) -> Callable[[object], Value]:
    """The column's reader, through a memory where the same few raw values come again and again."""
    if column.symbols is None and not column.type.startswith(_FEW_VALUES):
        return column.read
    memory, read = _Memory(column.read), column.read
    # true equals 1 and 1.0 as a key, so only texts and integers are remembered
    return lambda raw: memory[raw] if raw.__class__ is str or raw.__class__ is int else read(raw)


class TablePlan:
    """What the interpreter asks of a table again and again, worked out once."""

    __slots__ = (
        "by_raw",
        "columns",
        "must_read",
        "packed",
        "parts",
        "plain",
        "raw_set",
        "raws",
        "readers",
        "row_raws",
        "table",
    )

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = dict(table.columns)
        self.parts = tuple(column for column in table.columns.values() if column.part is not None)
        self.plain = tuple((c.name, c.raw, _reader(c)) for c in table.columns.values() if c.part is None)
        self.readers = {name: (raw, read) for name, raw, read in self.plain}
        self.packed = frozenset(column.raw for column in self.parts)
        self.raws = tuple(dict.fromkeys(column.raw for column in table.columns.values()))
        self.raw_set = frozenset(self.raws)
        self.by_raw: dict[str, tuple[Column, ...]] = {
            raw: tuple(c for c in table.columns.values() if c.raw == raw and c.part is None) for raw in self.raws
        }
        self.must_read = tuple(column.name for column in table.columns.values() if not column.bookkeeping)
        self.row_raws = tuple(table.columns[name].raw for name in table.row)

    def read_whole(self, image: Image) -> Mapping[str, Value]:
        """All columns of an image at once, for a row of which every column must decode anyway."""
        values: dict[str, Value] = Columns(self, image) if self.parts else {}
        for name, raw, read in self.plain:
            cell = image.get(raw, MISSING)
            values[name] = cell if cell is MISSING or cell is UNSENT else read(cell)
        return values

    def asked(self, part: Column, image: Image, columns: Mapping[str, Value]) -> set[str]:
        """The plain columns that a part of this image was computed from."""
        raw = image.get(part.raw, MISSING)
        value = raw if isinstance(raw, Unavailable) or part.value is None else part.value(raw)
        seen = _Asked(columns)
        if part.part is not None:
            part.part(Scope(None, {}, {}, {}, image=seen, value=value))  # type: ignore[arg-type]
        return seen.names

    def read(self, name: str, image: Image, columns: Columns) -> Value:
        """One column of an image. KeyError for a name the table does not declare.

        A part is computed even of a packed value that is not known: it may be decided by the columns beside it alone.
        """
        column = self.columns[name]
        raw = image.get(column.raw, MISSING)
        if column.part is None:
            return raw if isinstance(raw, Unavailable) else column.read(raw)
        value = raw if isinstance(raw, Unavailable) or column.value is None else column.value(raw)
        part = column.part(Scope(None, {}, {}, {}, image=columns, value=value))  # type: ignore[arg-type]
        return part if isinstance(part, Unavailable) else column.read(part)


class _Asked:
    """Columns beside a packed one, and which of them an expression read."""

    def __init__(self, columns: Mapping[str, Value]) -> None:
        self._columns = columns
        self.names: set[str] = set()

    def get(self, name: str, default: Value = None) -> Value:
        """The column, noted."""
        self.names.add(name)
        return self._columns.get(name, default)


class Columns(dict[str, Value]):
    """A lazy row image: a mapping of all declared columns that decodes a value when it is first asked for."""

    __slots__ = ("_image", "_plan")

    def __init__(self, plan: TablePlan, image: Image) -> None:
        self._plan = plan
        self._image = image

    def __missing__(self, name: str) -> Value:
        reader = self._plan.readers.get(name)
        if reader is None:
            value = self._plan.read(name, self._image, self)
        else:
            cell = self._image.get(reader[0], MISSING)
            value = cell if cell is MISSING or cell is UNSENT else reader[1](cell)
        self[name] = value
        return value

    @overload  # type: ignore[override]
    def get(self, name: str) -> Value: ...
    @overload
    def get(self, name: str, default: Value) -> Value: ...
    def get(self, name: str, default: Value = None) -> Value:
        """The column, or ``default`` if the table does not declare it."""
        return self[name] if name in self._plan.columns else default

    def __contains__(self, name: object) -> bool:
        return name in self._plan.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._plan.columns)

    def __len__(self) -> int:
        return len(self._plan.columns)

    def _whole(self) -> dict[str, Value]:
        return {name: self[name] for name in self._plan.columns}

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """Names of all declared columns."""
        return self._plan.columns.keys()

    def items(self) -> ItemsView[str, Value]:  # type: ignore[override]
        """All declared columns with their values."""
        return self._whole().items()

    def values(self) -> ValuesView[Value]:  # type: ignore[override]
        """Values of all declared columns."""
        return self._whole().values()
