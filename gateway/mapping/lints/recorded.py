"""A recorded schema: the tables and columns that were seen in a recording, a live database or a SQL script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "MAX_VALUES",
    "RecordedColumn",
    "RecordedTable",
    "Schema",
    "from_images",
    "schema_from_json",
    "schema_to_json",
]

MAX_VALUES = 50
"""Distinct values kept of a column; one that has more is no code column."""


@dataclass(slots=True)
class RecordedColumn:
    """What is known of a column: its SQL type ('' where only values were seen), the values seen as raw text.

    ``values`` is None where nothing was recorded or too many differ. ``kinds``: JSON kinds seen (null, text, int, …).
    ``nulls``: null (or a blank text) was seen. ``not_null``: the database forbids null.
    """

    type: str = ""
    values: set[str] | None = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    nulls: bool = False
    not_null: bool = False

    def see(self, raw: object) -> None:
        """Take one raw value into account."""
        self.kinds.add(_kind(raw))
        text = raw.rstrip(" ") if isinstance(raw, str) else None if raw is None else str(raw)
        self.nulls |= not text
        if self.values is not None and text is not None:
            self.values.add(text[:80])
            if len(self.values) > MAX_VALUES:
                self.values = None


@dataclass(slots=True)
class RecordedTable:
    """A table by its columns. ``rows``: how many images were seen (0 where it was read from a database or script)."""

    columns: dict[str, RecordedColumn] = field(default_factory=dict)
    rows: int = 0


Schema = Mapping[str, RecordedTable]
"""By physical name (``schema.table``)."""


def from_images(images: Iterable[tuple[str, Mapping[str, object]]]) -> dict[str, RecordedTable]:
    """The schema that row images show: pairs of ``schema.table`` and an image in legacy names and raw values.

    A value that is no JSON scalar (such as the placeholder of an unsent column) says only that the column is there.
    """
    tables: dict[str, RecordedTable] = {}
    for name, image in images:
        table = tables.setdefault(name, RecordedTable())
        table.rows += 1
        for column, raw in image.items():
            known = table.columns.get(column)
            if known is None:
                known = table.columns[column] = RecordedColumn()
            if raw is None or isinstance(raw, (str, int, float, bool)):
                known.see(raw)
    return tables


def _kind(raw: object) -> str:
    names: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "text"}
    return "null" if raw is None else names[type(raw)]


def schema_to_json(schema: Schema) -> dict[str, object]:
    """A schema as a JSON object with a format version, to be kept in a file."""
    tables = {name: {"rows": table.rows, "columns": _columns(table)} for name, table in sorted(schema.items())}
    return {"format": "gateway-schema", "version": 1, "tables": tables}


def _columns(table: RecordedTable) -> dict[str, object]:
    return {
        name: {
            "type": column.type,
            "kinds": sorted(column.kinds),
            "nulls": column.nulls,
            "not_null": column.not_null,
            "values": None if column.values is None else sorted(column.values),
        }
        for name, column in table.columns.items()
    }


def schema_from_json(written: Any) -> dict[str, RecordedTable]:
    """The schema of ``schema_to_json``. Raises ValueError, saying what is wrong, for anything else."""
    if not isinstance(written, dict) or written.get("format") != "gateway-schema" or written.get("version") != 1:
        raise ValueError('no recorded schema: it must say "format": "gateway-schema", "version": 1')
    try:
        return {str(name): _table(table) for name, table in written["tables"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no recorded schema: {error!r}") from error


def _table(table: Any) -> RecordedTable:
    columns = {}
    for name, column in table["columns"].items():
        values = column["values"]
        columns[str(name)] = RecordedColumn(
            str(column["type"]),
            None if values is None else {str(value) for value in values},
            {str(kind) for kind in column["kinds"]},
            bool(column["nulls"]),
            bool(column["not_null"]),
        )
    return RecordedTable(columns, int(table["rows"]))
