"""The rows that stand while a case runs: what a step leaves out is taken from them, and from the file's defaults."""

from __future__ import annotations

from typing import NamedTuple

from gateway.authoring.case_grammar import OPERATIONS
from gateway.authoring.case_nouns import Case, GivenRow, Image
from gateway.mapping.columns import raw_text
from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import ConfigError

__all__ = ["Standing", "Whole"]


class Whole(NamedTuple):
    """Both images of a change, whole."""

    before: Image | None
    after: Image | None


class Standing:
    """Rows by table and key (the raw ``row:`` columns as text). Changed by every row that is given."""

    def __init__(self, case: Case, mapping: CompiledMapping) -> None:
        self._defaults = case.defaults
        self._keys = {
            table.physical: tuple(dict.fromkeys(table.columns[name].raw for name in table.row))
            for table in mapping.tables.values()
        }
        self._rows: dict[tuple[str, tuple[object, ...]], Image] = {}
        for table, rows in case.rows.items():
            for row in rows:
                self._put(table, {**self._base(table, row), **row})

    def whole(self, row: GivenRow) -> Whole:
        """The change with both images whole; it stands from now on. ConfigError: nothing tells how the row was."""
        letter = OPERATIONS[row.op]
        if letter in ("c", "r"):
            after = {**self._defaults.get(row.table, {}), **(row.after or {})}
            self._put(row.table, after)
            return Whole(None, after)
        known = {**(row.after or {}), **(row.before or {})}
        key = self._key(row.table, known)
        if row.before is None and key not in self._rows:
            raise self._unknown(row)
        before = {**self._base(row.table, known), **(row.before or {})}
        if key is not None:
            self._rows.pop(key, None)
        if letter == "d":
            return Whole(before, None)
        after = {**before, **(row.after or {})}
        self._put(row.table, after)
        return Whole(before, after)

    def _base(self, table: str, row: Image) -> Image:
        """What stands under the row's key, else the table's defaults."""
        key = self._key(table, row)
        standing = None if key is None else self._rows.get(key)
        return self._defaults.get(table, {}) if standing is None else standing

    def _put(self, table: str, row: Image) -> None:
        key = self._key(table, row)
        if key is not None:
            self._rows[key] = row

    def _key(self, table: str, row: Image) -> tuple[str, tuple[object, ...]] | None:
        names = self._keys.get(table, ())
        if not names or any(name not in row for name in names):
            return None
        return table, tuple(raw_text(row[name]) for name in names)

    def _unknown(self, row: GivenRow) -> ConfigError:
        names = ", ".join(self._keys.get(row.table, ())) or "its key"
        fault = row.place.fault(
            f"no row of {row.table} with this key stands here", f"give `before`, or the row under `rows`; key: {names}"
        )
        return ConfigError("a case cannot be run", where=row.place.file, faults=(fault,))
