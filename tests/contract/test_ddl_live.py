"""Scripts are read as PostgreSQL itself reads them: the same tables, columns, types and keys."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.adapters.ddl import tables_of
from gateway.adapters.sql_preflight import LegacyPreflight
from gateway.stack import Stack

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.stack

_TYPES = """
CREATE SCHEMA IF NOT EXISTS Odd;
CREATE TABLE ODD.Types (
  a int2, b int4 NOT NULL, c int8, d smallint, e integer, f bigint, g serial, h bigserial, i serial4, j smallserial,
  k numeric, l numeric(5), m decimal(9, 2), n real, o double precision, p float, q float8, r float4, s money,
  t char, u char(3), v character varying, w varchar(20), x text, "Y Z" bpchar(7), "order" character varying(5),
  ba boolean, bb bool, bc bytea, bd date, be time, bf timetz, bg timestamp, bh timestamp(3), bi timestamptz,
  bj timestamp(0) with time zone, bk time(2) without time zone, bl interval, bm uuid, bn json, bo jsonb, bp xml,
  bq inet, br cidr, bs macaddr, bt bit(3), bu bit varying(5), bv int[], bw text[], bx varchar(3)[], bz numeric(4,1)[],
  ca oid, cb name, cc "char", cd point, ce int4range, cf tsvector, cg float(20), ch float(40), ci bit,
  cj int GENERATED ALWAYS AS IDENTITY, ck int GENERATED ALWAYS AS (a * 2) STORED,
  PRIMARY KEY (b, U), UNIQUE (c), CONSTRAINT both_of UNIQUE (d, e)
);
SET search_path TO odd;
CREATE UNIQUE INDEX one ON types (f);
CREATE UNIQUE INDEX part ON types (x) WHERE x <> '';
CREATE UNIQUE INDEX lowered ON types (lower(x));
CREATE TABLE alike (LIKE types INCLUDING ALL);
CREATE TABLE child (own text NOT NULL) INHERITS (types);
CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE keyed (id int, code text, gone int);
ALTER TABLE ONLY keyed ADD CONSTRAINT keyed_pk PRIMARY KEY (id);
ALTER TABLE keyed RENAME COLUMN id TO ident;
ALTER TABLE keyed DROP COLUMN gone;
"""


@pytest.fixture
def database(stack: Stack) -> Iterator[str]:
    """A database of its own, empty."""
    name = f"ddl_{secrets.token_hex(4)}"
    at = stack.endpoints
    with psycopg.connect(at.postgres_dsn, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    yield at.dsn(at.postgres_user, at.postgres_password, name)
    with psycopg.connect(at.postgres_dsn, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def differences(database: str, script: str) -> list[str]:
    """What the script's tables are by the reader, where the database says otherwise."""
    with psycopg.connect(database) as connection:
        connection.execute(script.encode())
    read = tables_of(script)
    live = LegacyPreflight(database).details(sorted(read))
    found = [f"table {name}" for name in sorted(read.keys() ^ live.keys())]
    for name in sorted(read.keys() & live.keys()):
        one, other = read[name], live[name]
        found += [f"{name}: {list(one.columns)} is {list(other.columns)}"] * (list(one.columns) != list(other.columns))
        for column in one.columns.keys() & other.columns.keys():
            told, true = one.columns[column], other.columns[column]
            found += [f"{name}.{column}: {told} is {true}"] * (told != true)
        keys = (one.primary_key, set(one.unique)), (other.primary_key, set(other.unique))
        found += [f"{name}: keys {keys[0]} are {keys[1]}"] * (keys[0] != keys[1])
    return found


@pytest.mark.parametrize(
    "script", [(ROOT / "legacy-db/legacy_db/schema.sql").read_text(), _TYPES], ids=["legacy schema", "all types"]
)
def test_a_script_says_the_same_tables_as_the_database_that_ran_it(database: str, script: str) -> None:
    assert differences(database, script) == []
