"""The legacy database over psycopg, looked at closely: what the preflight asks beyond what capture needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.adapters.sql import LegacyDatabase
from gateway.model.preflight import (
    ColumnFacts,
    PublicationDetails,
    PublishedTable,
    RightsFacts,
    ServerFacts,
    SlotDetails,
    TableDetails,
)

__all__ = ["LegacyPreflight"]

_SERVER = """
SELECT current_setting('server_version_num')::int AS version, current_setting('wal_level') AS wal_level,
       (SELECT count(*) FROM pg_replication_slots) AS slots,
       current_setting('max_replication_slots')::int AS max_slots, current_setting('max_wal_senders')::int AS senders,
       (SELECT setting::bigint FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS keep_mb"""
_TABLES = """
SELECT n.nspname || '.' || c.relname AS name, c.relreplident AS identity, c.relpersistence = 'p' AS logged,
       c.relkind = 'p' AS partitioned, c.relrowsecurity AS row_security,
       array_agg(a.attname::text ORDER BY a.attnum) AS columns,
       array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types,
       array_agg(NOT a.attnotnull ORDER BY a.attnum) AS nullable,
       array_agg(a.attgenerated <> '' ORDER BY a.attnum) AS generated
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname || '.' || c.relname = ANY(%s) AND c.relkind IN ('r', 'p')
GROUP BY 1, 2, 3, 4, 5"""
_UNIQUE = """
SELECT n.nspname || '.' || c.relname AS name, i.indisprimary AS is_key,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
             WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname || '.' || c.relname = ANY(%s)
  AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"""
_PUBLICATION = "SELECT * FROM pg_publication WHERE pubname = %s"
_PUBLISHED = "SELECT t.*, schemaname || '.' || tablename AS name FROM pg_publication_tables t WHERE t.pubname = %s"
_SLOT = """
SELECT s.active, s.wal_status, s.plugin, s.database, s.safe_wal_size,
       pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn) AS retained,
       COALESCE(r.state = 'streaming', false) AS streaming
FROM pg_replication_slots s LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE s.slot_name = %s"""
_RIGHTS = """
SELECT n.nspname AS schema, n.nspname || '.' || c.relname AS name,
       has_schema_privilege(%s, n.oid, 'USAGE') AS uses, has_table_privilege(%s, c.oid, 'SELECT') AS reads
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname || '.' || c.relname = ANY(%s)"""
_IDENTITIES = {"d": "default", "n": "nothing", "f": "full", "i": "index"}
_MEGABYTE = 1024 * 1024


class LegacyPreflight(LegacyDatabase):
    """A PostgreSQL server as ``LegacyDatabase`` sees it, and what could lose or garble its changes."""

    def server(self) -> ServerFacts:
        """Version and settings of the server."""
        row = self._rows(_SERVER, [])[0]
        keep = -1 if row["keep_mb"] is None or row["keep_mb"] < 0 else int(row["keep_mb"]) * _MEGABYTE
        return ServerFacts(
            row["version"], row["wal_level"], row["slots"], row["max_slots"], max_senders=row["senders"], wal_keep=keep
        )

    def details(self, names: Sequence[str]) -> Mapping[str, TableDetails]:
        """Those of the tables (``schema.table``) that exist, with columns, keys and replica identity."""
        indexes = self._rows(_UNIQUE, [list(names)])
        keys = {one["name"]: tuple(one["columns"]) for one in indexes if one["is_key"]}
        found = {}
        for row in self._rows(_TABLES, [list(names)]):
            name = row["name"]
            facts = zip(row["types"], row["nullable"], row["generated"], strict=True)
            found[name] = TableDetails(
                columns={column: ColumnFacts(*one) for column, one in zip(row["columns"], facts, strict=True)},
                identity=_IDENTITIES[_text(row["identity"])],
                primary_key=keys.get(name, ()),
                unique=tuple(frozenset(one["columns"]) for one in indexes if one["name"] == name),
                logged=row["logged"],
                partitioned=row["partitioned"],
                row_security=row["row_security"],
            )
        return found

    def published(self, name: str) -> PublicationDetails | None:
        """The publication ``name`` with columns and row filters of its tables; None if there is none."""
        found = self._rows(_PUBLICATION, [name])
        if not found:
            return None
        tables = {
            one["name"]: PublishedTable(frozenset(one.get("attnames") or ()), one.get("rowfilter") or "")
            for one in self._rows(_PUBLISHED, [name])
        }
        operations = frozenset(op for op in ("insert", "update", "delete", "truncate") if found[0][f"pub{op}"])
        return PublicationDetails(tables, operations, bool(found[0].get("pubviaroot")))

    def slot_details(self, name: str) -> SlotDetails | None:
        """The replication slot ``name``; None if there is none."""
        found = self._rows(_SLOT, [name])
        if not found:
            return None
        row = found[0]
        safe = -1 if row["safe_wal_size"] is None else int(row["safe_wal_size"])
        return SlotDetails(
            row["active"], row["streaming"], int(row["retained"] or 0), row["wal_status"] or "", row["plugin"] or "",
            row["database"] or "", safe,
        )  # fmt: skip

    def rights(self, role: str, names: Sequence[str]) -> RightsFacts:
        """Which of the tables the role may read, and which of their schemas it may use. The role must exist."""
        rows = self._rows(_RIGHTS, [role, role, list(names)])
        return RightsFacts(
            frozenset(one["name"] for one in rows if one["reads"]),
            frozenset(one["schema"] for one in rows if one["uses"]),
        )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
