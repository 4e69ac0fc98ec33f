"""A legacy database of its own that has been worked on, with every row change beside the truth.

The changes are written down by triggers, in this test's database only: so these tests need nothing but PostgreSQL.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from legacy_db import create_schema, run, seed
from legacy_db.executor import RunReport
from legacy_db.oracle.legacy_view import Rows, legacy_rows
from legacy_db.tables import ROOTS, TABLES
from legacy_db.truth import TruthTransaction, read_truth
from legacy_db.work import Aggregate
from legacy_db.world import World

_AUDIT = """
CREATE SCHEMA audit;
CREATE TABLE audit.change (
  seq bigserial, xid xid8 DEFAULT pg_current_xact_id(), tab text, op text, old jsonb, new jsonb
);
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit.change (tab, op, old, new) VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, lower(TG_OP),
    CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
  RETURN NULL;
END $$;
"""


@dataclass(frozen=True)
class Change:
    """One row change of one transaction; `op` is insert, update, delete, leaves or arrives."""

    xid: str
    aggregate: Aggregate
    table: str
    op: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None

    @property
    def row(self) -> dict[str, Any]:
        row = self.new or self.old
        assert row is not None
        return row


@dataclass(frozen=True)
class Worked:
    """What one run left behind."""

    dsn: str
    report: RunReport
    truth: list[TruthTransaction]
    seeded: World
    changes: dict[tuple[str, Aggregate], list[Change]]
    legacy: Rows


def new_database(admin: str) -> str:
    """Creates an empty database beside the one given and returns its DSN."""
    name = f"legacy_{secrets.token_hex(4)}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return make_conninfo(**{**conninfo_to_dict(admin), "dbname": name})


def work(admin: str, folder: Path, number: int, transactions: int, customers: int = 400, **more: Any) -> Worked:
    """Creates, seeds and works on a database under one seed."""
    dsn = new_database(admin)
    create_schema(dsn)
    seed(dsn, number, customers)
    with psycopg.connect(dsn) as connection:
        seeded = World.read(connection)
        connection.execute(_AUDIT.encode())
        for table in TABLES:
            watch = f"CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
            connection.execute(f"{watch} EXECUTE FUNCTION audit.note()".encode())
    report = run(dsn, number, transactions, folder / f"truth-{number}.jsonl", **more)
    truth = read_truth(folder / f"truth-{number}.jsonl")
    return Worked(dsn, report, truth, seeded, _changes(dsn), legacy_rows(dsn))


def _changes(dsn: str) -> dict[tuple[str, Aggregate], list[Change]]:
    found: dict[tuple[str, Aggregate], list[Change]] = defaultdict(list)
    with psycopg.connect(dsn) as connection:
        for xid, table, op, old, new in connection.execute(
            "SELECT xid::text, tab, op, old, new FROM audit.change ORDER BY seq"
        ):
            for change in _split(xid, table, op, old, new):
                found[xid, change.aggregate].append(change)
    return found


def _split(xid: str, table: str, op: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[Change]:
    spec = TABLES[table]
    if old and new and old[spec.owner] != new[spec.owner]:
        return [
            Change(xid, (spec.aggregate, old[spec.owner]), table, "leaves", old, None),
            Change(xid, (spec.aggregate, new[spec.owner]), table, "arrives", None, new),
        ]
    return [Change(xid, (spec.aggregate, ((new or old) or {})[spec.owner]), table, op, old, new)]


def root_of(aggregate: str) -> str:
    """The root table of an aggregate type."""
    return ROOTS[aggregate].name


def net(changes: list[Change]) -> list[Change]:
    """One net change for each row that differs in the end, in the order of each row's first change."""
    paths: list[list[Change]] = []
    current: dict[tuple[Any, ...], list[Change]] = {}
    for change in changes:
        pk = TABLES[change.table].pk
        key = (change.table, *((change.old or change.row)[column] for column in pk))
        path = current.pop(key, None)
        if path is None:
            path = []
            paths.append(path)
        path.append(change)
        if change.new is not None:
            current[(change.table, *(change.new[column] for column in pk))] = path
        else:
            current[key] = path
    return [each for each in map(_net_of, paths) if each is not None]


def _net_of(path: list[Change]) -> Change | None:
    first, last = path[0], path[-1]
    if first.old is None and last.new is None:
        return None
    if first.old is not None and last.new is not None:
        if first.old == last.new:
            return None
        return Change(first.xid, first.aggregate, first.table, "update", first.old, last.new)
    op = first.op if first.old is None else last.op
    return Change(first.xid, first.aggregate, first.table, op, first.old, last.new)
