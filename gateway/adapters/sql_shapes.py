"""What a live database tells of its tables: the catalogue, and a bounded sample of rows as the connector sends them."""

from __future__ import annotations

import datetime as dt
import json
import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from psycopg import sql

from gateway.model.shape import ColumnShape, Reference, TableShape

__all__ = ["Queries", "table_names", "table_shapes"]

_NAMES = """
SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1"""
_TABLES = """
SELECT n.nspname || '.' || c.relname AS name, n.nspname AS schema, c.relname AS table, c.reltuples AS rows,
       coalesce(obj_description(c.oid, 'pg_class'), '') AS comment
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname || '.' || c.relname = ANY({names}) AND c.relkind IN ('r', 'p')"""
_COLUMNS = """
SELECT n.nspname || '.' || c.relname AS name, a.attname::text AS column, format_type(a.atttypid, a.atttypmod) AS type,
       NOT a.attnotnull AS nullable, coalesce(col_description(c.oid, a.attnum), '') AS comment
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname || '.' || c.relname = ANY({names}) AND c.relkind IN ('r', 'p') ORDER BY c.oid, a.attnum"""
_COLUMN_NAMES = """ARRAY(SELECT a.attname::text FROM unnest({keys}) WITH ORDINALITY u(number, place)
             JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = u.number ORDER BY u.place)"""
_CONSTRAINTS = f"""
SELECT n.nspname || '.' || c.relname AS name, k.contype::text AS kind, pg_get_constraintdef(k.oid) AS definition,
       {_COLUMN_NAMES.format(keys="k.conkey", table="k.conrelid")} AS columns,
       {_COLUMN_NAMES.format(keys="k.confkey", table="k.confrelid")} AS targets,
       coalesce(fn.nspname || '.' || f.relname, '') AS target
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
WHERE (n.nspname || '.' || c.relname = ANY({{names}}) OR fn.nspname || '.' || f.relname = ANY({{names}}))
  AND k.contype IN ('p', 'f', 'c') ORDER BY k.conname"""  # noqa: S608 - nothing in it comes from outside
_UNIQUE = f"""
SELECT n.nspname || '.' || c.relname AS name,
       {_COLUMN_NAMES.format(keys="i.indkey::int2[]", table="i.indrelid")} AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname || '.' || c.relname = ANY({{names}}) AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY i.indnatts"""  # noqa: S608
_SAMPLE = "SELECT * FROM {table} {sampling} LIMIT {limit}"
_LITERAL = re.compile(r"'((?:[^']|'')*)'(?:::[a-z ]+)?")
_LISTED = re.compile(r"= ANY|\bIN\b|=", re.IGNORECASE)


class Queries(Protocol):
    """Runs read-only queries in one snapshot: rows as maps, by the query's name."""

    def select(self, queries: Mapping[str, str]) -> Mapping[str, list[dict[str, Any]]]:
        """The rows of each query. DependencyError: the database is away; ConfigError: it refuses."""
        ...


def table_names(database: Queries) -> list[str]:
    """All tables of the database but its own (``schema.table``)."""
    return [row["name"] for row in database.select({"names": _NAMES})["names"]]


def table_shapes(database: Queries, names: Sequence[str], sample: int = 2_000) -> Mapping[str, TableShape]:
    """Those of the tables that exist, with at most ``sample`` rows each; big tables are sampled by blocks."""
    asked = {"tables": _TABLES, "columns": _COLUMNS, "constraints": _CONSTRAINTS, "unique": _UNIQUE}
    found = database.select({name: _about(query, names) for name, query in asked.items()})
    tables = {row["name"]: row for row in found["tables"]}
    rows = database.select({name: _sampling(row, sample) for name, row in tables.items()}) if tables else {}
    return {name: _shape(row, found, rows[name]) for name, row in tables.items()}


def _about(query: str, names: Sequence[str]) -> str:
    return sql.SQL(query).format(names=sql.Literal(list(names))).as_string(None)


def _sampling(table: Mapping[str, Any], sample: int) -> str:
    """Every so many-th block where the table is much bigger than the sample, else its first rows."""
    share = 100 * sample / max(table["rows"], 1)
    sampling = sql.SQL("TABLESAMPLE SYSTEM ({})").format(sql.Literal(share * 2)) if share < 20 else sql.SQL("")
    named = sql.Identifier(table["schema"], table["table"])
    query = sql.SQL(_SAMPLE).format(table=named, sampling=sampling, limit=sql.Literal(sample))
    return query.as_string(None)


def _shape(
    table: Mapping[str, Any], found: Mapping[str, list[dict[str, Any]]], rows: Sequence[Mapping[str, Any]]
) -> TableShape:
    name = table["name"]
    ours = [row for row in found["constraints"] if row["name"] == name]
    primary = next((tuple(row["columns"]) for row in ours if row["kind"] == "p"), ())
    columns = [row for row in found["columns"] if row["name"] == name]
    allowed = _allowed([row["definition"] for row in ours if row["kind"] == "c" and len(row["columns"]) == 1], ours)
    required = {row["column"] for row in columns if not row["nullable"]}
    unique = (tuple(row["columns"]) for row in found["unique"] if row["name"] == name)
    instead = next((key for key in unique if required.issuperset(key)), ())
    referrers = {row["name"] for row in found["constraints"] if row["target"] == name and row["name"] != name}
    return TableShape(
        name,
        tuple(
            ColumnShape(row["column"], row["type"], row["nullable"], row["comment"], allowed.get(row["column"], ()))
            for row in columns
        ),
        primary or instead,
        tuple(
            Reference(tuple(row["columns"]), row["target"], tuple(row["targets"]))
            for row in ours
            if row["kind"] == "f" and row["target"] != name
        ),
        table["comment"],
        tuple({column: _as_sent(value) for column, value in row.items()} for row in rows),
        referrers=tuple(sorted(referrers)),
        guessed_key="" if primary or not instead else "it has no primary key, but a unique index over them",
    )


def _allowed(definitions: Sequence[str], constraints: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Codes that a check constraint of one column lists."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in constraints:
        if row["kind"] == "c" and row["definition"] in definitions and _LISTED.search(row["definition"]):
            found[row["columns"][0]] += [text.replace("''", "'") for text in _LITERAL.findall(row["definition"])]
    return {column: tuple(dict.fromkeys(codes)) for column, codes in found.items()}


_SENT: tuple[tuple[type | tuple[type, ...], Callable[[Any], object]], ...] = (
    ((bool, int, float, str), lambda value: value),
    (Decimal, lambda value: format(value, "f")),
    (dt.datetime, lambda value: value.isoformat().replace("+00:00", "").removesuffix("Z") + "Z"),
    (dt.date, lambda value: value.isoformat() + "Z"),
    ((bytes, memoryview), lambda value: b64encode(bytes(value)).decode()),
    (UUID, str),
    ((dict, list), lambda value: json.dumps(value, default=str)),
)


def _as_sent(value: object) -> object:
    """A value as the connector's records hold it (connect/connector.yaml: decimals and times as text)."""
    if value is None:
        return None
    return next((turn(value) for kinds, turn in _SENT if isinstance(value, kinds)), str(value))
