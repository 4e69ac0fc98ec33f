"""What the applications know of the database: its rows, kept in step with what each planned transaction does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from legacy_db.tables import ROOTS, TABLES, Row, RowKey, Table, pk_of

__all__ = ["World"]

_ROOT_NAMES = {table.name for table in ROOTS.values()}


class World:
    """An image of all legacy tables. Planning reads and writes it, so values and ids are decided by the seed alone.

    Chars are held without their padding, numerics as Decimal, dates as the integers they are.
    """

    def __init__(self) -> None:
        self.rows: dict[str, dict[RowKey, Row]] = {name: {} for name in TABLES}
        self._owned: dict[str, dict[int, dict[RowKey, None]]] = {name: defaultdict(dict) for name in TABLES}
        self._ids: dict[str, list[int]] = {name: [] for name in _ROOT_NAMES}
        self._next: dict[str, int] = {}
        self._roles: dict[int, dict[RowKey, None]] = defaultdict(dict)
        self.has_mkt_opt = False

    @classmethod
    def read(cls, connection: psycopg.Connection) -> World:
        """The world as the database has it now, in primary-key order. Raises psycopg.Error if a table is missing."""
        world = cls()
        for table in TABLES.values():
            query = f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {', '.join(table.pk)}"
            for values in connection.execute(query.encode()):
                world.put(table, dict(zip(table.columns, map(_unpadded, values), strict=True)))
        return world

    def get(self, table: str, *key: Any) -> Row:
        """The row with that primary key. Raises KeyError if there is none."""
        return self.rows[table][key]

    def put(self, table: Table, row: Row) -> None:
        """Enters a new row. Raises KeyError if its primary key is taken."""
        key = pk_of(table, row)
        if key in self.rows[table.name]:
            raise KeyError(f"{table.name} has a row {key} already")
        self.rows[table.name][key] = row
        self._owned[table.name][row[table.owner]][key] = None
        if table.name == "pol.pol_role":
            self._roles[row["cust_id"]][key] = None
        if table.name in _ROOT_NAMES:
            self._ids[table.name].append(key[0])
        if len(key) == 1:
            self._next[table.name] = max(self._next.get(table.name, 0), key[0] + 1)

    def drop(self, table: Table, key: RowKey) -> Row:
        """Takes a row out and returns it. Raises KeyError if there is none."""
        row = self.rows[table.name].pop(key)
        self._owned[table.name][row[table.owner]].pop(key)
        if table.name == "pol.pol_role":
            self._roles[row["cust_id"]].pop(key)
        if table.name in _ROOT_NAMES:
            self._ids[table.name].remove(key[0])
        return row

    def new_id(self, table: str) -> int:
        """The next id of a table; never given twice, not even when its transaction is rolled back."""
        number = self._next.get(table, 1)
        self._next[table] = number + 1
        return number

    def of(self, table: str, owner: int, fits: Callable[[Row], bool] = lambda row: True) -> list[Row]:
        """The rows of one aggregate in a table that fit, in primary-key order."""
        rows = self.rows[table]
        return [rows[key] for key in sorted(self._owned[table].get(owner, {})) if fits(rows[key])]

    def roles_of(self, customer: int) -> list[Row]:
        """Every role the customer has on any policy, by role id."""
        rows = self.rows["pol.pol_role"]
        return [rows[key] for key in sorted(self._roles.get(customer, {}))]

    def ids(self, table: str) -> Sequence[int]:
        """The ids of a root table's rows, in the order they came."""
        return self._ids[table]


def _unpadded(value: Any) -> Any:
    return value.rstrip(" ") if isinstance(value, str) else value
