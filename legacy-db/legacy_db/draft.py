"""Writing a transaction down: each change goes into its SQL and into the world at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from legacy_db.facts import EVENTS
from legacy_db.tables import ROOTS, TABLES, Row, Table, pk_of
from legacy_db.work import Copy, Fact, Pause, Sql, Transaction, Writer
from legacy_db.world import World

__all__ = ["Draft"]

_BOOKKEEPING = frozenset({"upd_usr", "upd_pgm", "ver_no", "usr"})


class Draft:
    """One transaction in the making. Changes take effect in the world at once; `discard` takes them back."""

    def __init__(self, world: World, transaction: Transaction) -> None:
        self.world = world
        self.transaction = transaction
        self._undo: list[Callable[[], object]] = []

    @property
    def writer(self) -> Writer:
        """Who stamps the rows of this transaction."""
        return self.transaction.writer

    def insert(self, table: str, /, **values: Any) -> Row:
        """Inserts a row; every column but the stamp must be given. Raises ValueError otherwise."""
        target = TABLES[table]
        row = self._stamped_row(target, values)
        self._enter(target, row)
        columns = list(row)
        marks = ", ".join(["%s"] * len(columns))
        self._sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(row.values()))
        return row

    def copy(self, table: str, rows: Iterable[Row]) -> None:
        """Loads rows with COPY."""
        target = TABLES[table]
        stamped = [self._stamped_row(target, row) for row in rows]
        for row in stamped:
            self._enter(target, row)
        # copies: the world's rows go on changing while this waits to be run
        self.transaction.steps.append(Copy(target, list(stamped[0]), [dict(row) for row in stamped]))

    def update(self, table: str, row: Row, /, **values: Any) -> None:
        """Updates a row in place and stamps it as this writer does."""
        target = TABLES[table]
        if target.versioned:
            values.setdefault("ver_no", row["ver_no"] + 1)
        if target.stamped and self.writer.condition != "stale":
            values |= {"upd_usr": self.writer.user, "upd_pgm": self.writer.program}
        self._update(target, row, values, touch_time=target.stamped)

    def update_unstamped(self, table: str, row: Row, /, **values: Any) -> None:
        """Updates a row in place as someone does who types SQL by hand: no stamp, no version."""
        self._update(TABLES[table], row, values, touch_time=False)

    def update_many(self, table: str, rows: Sequence[Row], **values: Any) -> None:
        """One UPDATE over many rows, as a DBA writes it: no stamp, one value for all.

        Of a longer primary key, the columns behind the first must be the same in all rows.
        """
        target = TABLES[table]
        key, rest = target.pk[0], target.pk[1:]
        sets = ", ".join(f"{column} = %s" for column in values)
        where = "".join(f" AND {column} = %s" for column in rest)
        ids = [row[key] for row in rows]
        same = [rows[0][column] for column in rest]
        self._sql(f"UPDATE {table} SET {sets} WHERE {key} = ANY(%s){where}", [*values.values(), ids, *same])
        for row in rows:
            self._change(target, row, values)

    def delete(self, table: str, row: Row) -> None:
        """Deletes a row."""
        target = TABLES[table]
        where = " AND ".join(f"{column} = %s" for column in target.pk)
        self._note(target, row)
        self._sql(f"DELETE FROM {table} WHERE {where}", list(pk_of(target, row)))
        self.world.drop(target, pk_of(target, row))
        self._undo.append(lambda: self.world.put(target, row))

    def sql(self, text: str, *values: Any) -> None:
        """A statement that leaves the world as it is (a savepoint, DDL, an update whose effect is undone)."""
        self._sql(text, list(values))

    def pause(self, seconds: float) -> None:
        """The user thinks."""
        self.transaction.steps.append(Pause(seconds))

    def fact(self, event: str, owner: int, intent: str = "fact", twin: str | None = None, **values: Any) -> None:
        """States one business fact. Raises KeyError for an event, ValueError for an intent the catalogue lacks."""
        spec = EVENTS[event]
        if intent not in spec.intents or set(values) != set(spec.fields):
            raise ValueError(f"{event} ({intent}) does not fit the catalogue: {sorted(values)}")
        self.transaction.facts.append(Fact(event, intent, (spec.aggregate, owner), values, twin))

    def retell(self, twin: str) -> None:
        """Says what the last fact was really meant to be; legacy writes it no differently."""
        facts = self.transaction.facts
        facts[-1] = replace(facts[-1], twin=twin)

    def nothing(self, why: str) -> None:
        """States that this transaction means no business fact."""
        self.transaction.why_none = why

    def untranslatable(self, aggregate: str, owner: int) -> None:
        """States that what is written to this aggregate cannot be translated."""
        self.transaction.untranslatable.append((aggregate, owner))

    def unexplained(self, aggregate: str, owner: int, units: int) -> None:
        """States a planted change that no rule may claim, in units of the accounting."""
        known = self.transaction.unexplained
        known[aggregate, owner] = known.get((aggregate, owner), 0) + units

    def touch(self, aggregate: str, owner: int) -> None:
        """Names an aggregate whose root row is to be locked, and counts as touched."""
        self.transaction.touched[aggregate, owner] = None

    def discard(self) -> None:
        """Takes every change back out of the world, latest first."""
        while self._undo:
            self._undo.pop()()

    def _sql(self, text: str, values: Sequence[Any]) -> None:
        self.transaction.steps.append(Sql(text, values))

    def _note(self, table: Table, row: Row) -> None:
        self.transaction.tables.add(table.name)
        self.touch(table.aggregate, row[table.owner])

    def _enter(self, table: Table, row: Row) -> None:
        self._note(table, row)
        if table.name == ROOTS[table.aggregate].name:
            self.transaction.created.add((table.aggregate, row[table.owner]))
        self.world.put(table, row)
        self._undo.append(lambda: self.world.drop(table, pk_of(table, row)))

    def _stamped_row(self, table: Table, values: Row) -> Row:
        row = dict(values)
        if table.versioned:
            row.setdefault("ver_no", 1)
        if table.stamped:
            stale = self.writer.condition == "stale"
            row["upd_usr"] = self.writer.user
            row["upd_pgm"] = self._template_program(table, row) if stale else self.writer.program
        if set(row) != set(table.columns):
            raise ValueError(f"{table.name}: columns {sorted(set(row) ^ set(table.columns))}")
        return {column: row[column] for column in table.columns}

    def _template_program(self, table: Table, row: Row) -> str:
        """A program that never sets the column copies it with the rest of the row it starts from."""
        root = self.world.rows[ROOTS[table.aggregate].name].get((row[table.owner],))
        return "TEMPLATE" if root is None else str(root["upd_pgm"])

    def _update(self, table: Table, row: Row, values: Row, *, touch_time: bool) -> None:
        where = " AND ".join(f"{column} = %s" for column in table.pk)
        key = list(pk_of(table, row))
        sets = ", ".join([f"{column} = %s" for column in values] + (["upd_ts = now()"] if touch_time else []))
        self._sql(f"UPDATE {table.name} SET {sets} WHERE {where}", [*values.values(), *key])
        self._change(table, row, values)

    def _change(self, table: Table, row: Row, values: Row) -> None:
        changed = {column for column, value in values.items() if row[column] != value} - _BOOKKEEPING
        if changed & table.derived and changed - table.derived:
            self.transaction.mixed += 1
        self._note(table, row)
        before = dict(row)
        self._replace(table, row, before | values)
        self._undo.append(lambda: self._replace(table, row, before))
        if row[table.owner] != before[table.owner]:
            self._note(table, row)
            self.transaction.created.add((table.aggregate, row[table.owner]))

    def _replace(self, table: Table, row: Row, values: Row) -> None:
        """Gives the row other values, under its new key if that changed; the row object stays the same."""
        indexed = {*table.pk, table.owner, "cust_id"}
        if all(row[column] == value for column, value in values.items() if column in indexed):
            row.update(values)
            return
        self.world.drop(table, pk_of(table, row))
        row.update(values)
        self.world.put(table, row)
