"""The legacy database over psycopg: what capture must know of it, and the administrator's script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from gateway.model.capture import PublicationFacts, RoleFacts, SlotFacts, TableFacts
from gateway.model.errors import ConfigError, DependencyError

__all__ = ["LegacyDatabase"]

_TABLES = """
SELECT n.nspname || '.' || c.relname AS name, c.relreplident = 'f' AS full_identity,
       array_agg(a.attname::text ORDER BY a.attnum) AS columns,
       array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname || '.' || c.relname = ANY(%s) AND c.relkind IN ('r', 'p')
GROUP BY 1, 2"""
_ROLE = "SELECT oid, rolcanlogin, rolreplication, rolsuper FROM pg_roles WHERE rolname = %s"
_PRIVILEGES = """
SELECT n.nspname || '.' || c.relname AS name, array_agg(a.privilege_type) AS privileges
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
WHERE a.grantee = %s GROUP BY 1"""
_SCHEMAS = "SELECT nspname FROM pg_namespace, aclexplode(nspacl) a WHERE a.grantee = %s AND a.privilege_type = 'USAGE'"
_PUBLICATION = """
SELECT p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate,
       ARRAY(SELECT t.schemaname || '.' || t.tablename FROM pg_publication_tables t
             WHERE t.pubname = p.pubname) AS tables
FROM pg_publication p WHERE p.pubname = %s"""
_SLOT = """
SELECT s.active, s.wal_status, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn) AS retained,
       COALESCE(r.state = 'streaming', false) AS streaming
FROM pg_replication_slots s LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE s.slot_name = %s"""
_DROP_SLOT = """
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active"""


class LegacyDatabase:
    """A PostgreSQL server at ``dsn`` (libpq's connection string), as an administrator sees it.

    A connection is opened for each question. DependencyError: it does not answer; ConfigError: it refuses.
    """

    def __init__(self, dsn: str) -> None:
        try:
            self._parts = conninfo_to_dict(dsn)
        except psycopg.ProgrammingError as error:
            raise ConfigError(f"no connection string: {error}", where="legacy_dsn") from error
        self._dsn = dsn

    @property
    def host(self) -> str:
        """The server's host ('' where libpq's default holds)."""
        return str(self._parts.get("host", ""))

    @property
    def port(self) -> int:
        """The server's port."""
        return int(self._parts.get("port") or 5432)

    @property
    def name(self) -> str:
        """The database's name."""
        return str(self._parts.get("dbname", ""))

    def tables(self, names: Sequence[str]) -> Mapping[str, TableFacts]:
        """Those of the tables (``schema.table``) that exist."""
        rows = self._rows(_TABLES, [list(names)])
        return {
            row["name"]: TableFacts(dict(zip(row["columns"], row["types"], strict=True)), row["full_identity"])
            for row in rows
        }

    def role(self, name: str) -> RoleFacts | None:
        """The role ``name``; None if there is none."""
        found = self._rows(_ROLE, [name])
        if not found:
            return None
        row = found[0]
        privileges = self._rows(_PRIVILEGES, [row["oid"]])
        return RoleFacts(
            login=row["rolcanlogin"],
            replication=row["rolreplication"],
            superuser=row["rolsuper"],
            privileges={one["name"]: frozenset(one["privileges"]) for one in privileges},
            schemas=frozenset(one["nspname"] for one in self._rows(_SCHEMAS, [row["oid"]])),
        )

    def publication(self, name: str) -> PublicationFacts | None:
        """The publication ``name``; None if there is none."""
        found = self._rows(_PUBLICATION, [name])
        if not found:
            return None
        row = found[0]
        operations = (op for op in ("insert", "update", "delete", "truncate") if row[f"pub{op}"])
        return PublicationFacts(frozenset(row["tables"]), frozenset(operations))

    def slot(self, name: str) -> SlotFacts | None:
        """The replication slot ``name``; None if there is none."""
        found = self._rows(_SLOT, [name])
        if not found:
            return None
        row = found[0]
        return SlotFacts(row["active"], row["streaming"], int(row["retained"] or 0), row["wal_status"] or "")

    def wal_level(self) -> str:
        """The server's ``wal_level``."""
        return str(self._rows("SHOW wal_level", [])[0]["wal_level"])

    def select(self, queries: Mapping[str, str]) -> Mapping[str, list[dict[str, Any]]]:
        """The rows of several queries by name, all read in one snapshot (or they would not fit together)."""
        with self._connection() as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            cursor = connection.cursor(row_factory=dict_row)
            return {name: cursor.execute(query.encode()).fetchall() for name, query in queries.items()}

    def run(self, script: str) -> None:
        """Run a script of several statements in one transaction: all of it or nothing."""
        with self._connection() as connection:
            connection.execute(script.encode())

    def drop_slot(self, name: str) -> bool:
        """Drop a slot that nobody streams from; False if there is none such."""
        return bool(self._rows(_DROP_SLOT, [name]))

    def _rows(self, query: str, values: Sequence[object]) -> list[dict[str, Any]]:
        with self._connection() as connection:
            return connection.cursor(row_factory=dict_row).execute(query.encode(), values).fetchall()

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        where = f"database {self.name} at {self.host}:{self.port}"
        try:
            with psycopg.connect(self._dsn, connect_timeout=5) as connection:
                yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            hint = "use an administrator in legacy_dsn, or give him the output of `gateway connect sql`"
            raise ConfigError(f"not allowed: {_first(error)}", where=where, hint=hint) from error
        except psycopg.OperationalError as error:
            raise DependencyError(f"the database does not answer: {_first(error)}", where=where) from error
        except psycopg.DatabaseError as error:
            raise ConfigError(f"the database refuses: {_first(error)}", where=where) from error


def _first(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
