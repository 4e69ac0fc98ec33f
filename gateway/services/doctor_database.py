"""The legacy database: would every change of every captured table reach the replication slot whole? Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.model.capture import RoleFacts
from gateway.model.preflight import PublicationDetails, RightsFacts, ServerFacts, SlotDetails, TableDetails
from gateway.services.capture_database import DatabaseFacts, superfluous
from gateway.services.capture_plan import CapturePlan
from gateway.services.capture_render import ident
from gateway.services.doctor_report import Area, AreaReport, Finding, Severity, size

__all__ = ["DatabaseSide", "examine_database"]

_APPLY = "gateway connect apply"
_OPERATIONS = ("insert", "update", "delete", "truncate")
_MUCH = 1_000_000_000
_OLDEST = 130_000


@dataclass(frozen=True, slots=True)
class DatabaseSide:
    """What the database says of all that the plan names. ``heartbeat``: the connector's ``heartbeat.action.query``."""

    name: str
    server: ServerFacts
    tables: Mapping[str, TableDetails]
    publication: PublicationDetails | None
    slot: SlotDetails | None
    role: RoleFacts | None
    rights: RightsFacts
    heartbeat: str = ""


def examine_database(plan: CapturePlan, side: DatabaseSide) -> AreaReport:
    """Every finding about server, tables, publication, slot and role."""
    findings = (
        *_server(plan, side),
        *(finding for table in plan.tables for finding in _table(table.name, side.tables.get(table.name), plan.role)),
        *_publication(plan, side),
        *_slot(plan, side),
        *_role(plan, side),
    )
    return AreaReport(Area.DATABASE, findings, tuple(_fine(plan, side, {one.object for one in findings})))


def _server(plan: CapturePlan, side: DatabaseSide) -> Iterator[Finding]:
    server, where = side.server, f"server of database {side.name}"
    if server.version < _OLDEST:
        told = f"PostgreSQL {server.version // 10_000} is older than 13, which pgoutput and the slot's limits need"
        yield Finding(Severity.ERROR, where, told, "upgrade the server")
    if server.wal_level != "logical":
        told = f"wal_level is {server.wal_level}: changes are not written so that they could be decoded"
        yield Finding(
            Severity.ERROR, where, told, "ALTER SYSTEM SET wal_level = 'logical';  -- then restart the server"
        )
    if side.slot is None and server.slots >= server.max_slots:
        told = f"all {server.max_slots} replication slots are taken: capture cannot make its own"
        remedy = f"ALTER SYSTEM SET max_replication_slots = {server.max_slots + 4};  -- then restart the server"
        yield Finding(Severity.ERROR, where, told, remedy)
    if server.max_senders == 0:
        told = "max_wal_senders is 0: nobody can stream"
        yield Finding(Severity.ERROR, where, told, "ALTER SYSTEM SET max_wal_senders = 10;  -- then restart the server")


def _table(name: str, table: TableDetails | None, role: str) -> Iterator[Finding]:
    if table is None:
        return  # the mappings' area says it, with the mapping's place
    if table.identity != "full":
        reason = (
            f"REPLICA IDENTITY is {table.identity.upper()}: updates arrive without their before image, and a changed "
            "key leaves the old aggregate without a word"
        )
        yield Finding(Severity.ERROR, name, reason, f"ALTER TABLE {ident(name)} REPLICA IDENTITY FULL;")
    if not table.logged:
        reason = "the table is UNLOGGED: its changes never stand in the WAL, so none is captured"
        yield Finding(Severity.ERROR, name, reason, f"ALTER TABLE {ident(name)} SET LOGGED;")
    if table.row_security:
        reason = "row level security is on: a snapshot reads only the rows that a policy shows the capture role"
        remedy = f"CREATE POLICY gateway_capture ON {ident(name)} FOR SELECT TO {ident(role)} USING (true);"
        yield Finding(Severity.WARNING, name, reason, remedy)
    if not table.primary_key:
        reason = (
            "the table has no primary key: two rows alike in every column cannot be told apart, and a repeated "
            "change is known by its place in the log alone"
        )
        yield Finding(Severity.WARNING, name, reason, f"ALTER TABLE {ident(name)} ADD PRIMARY KEY (…);")


def _publication(plan: CapturePlan, side: DatabaseSide) -> Iterator[Finding]:
    found, name = side.publication, plan.publication
    where = f"publication {name}"
    if found is None:
        yield Finding(Severity.ERROR, where, "it does not exist: nothing is captured", _APPLY)
        return
    captured = {table.name for table in plan.tables}
    for table in sorted(captured & side.tables.keys()):
        yield from _published(where, name, table, side.tables[table], found)
    for table in sorted(found.tables.keys() - captured):
        if _root_of_a_partition(table, side):
            continue
        reason = f"it publishes {table}, which no mapping knows: its changes are decoded and thrown away"
        yield Finding(Severity.WARNING, where, reason, f"ALTER PUBLICATION {ident(name)} DROP TABLE {ident(table)};")
    if lacking := [one for one in _OPERATIONS if one not in found.operations]:
        reason = f"it does not pass on {', '.join(lacking)}: these changes vanish"
        remedy = f"ALTER PUBLICATION {ident(name)} SET (publish = '{', '.join(_OPERATIONS)}');"
        yield Finding(Severity.ERROR, where, reason, remedy)


def _published(
    where: str, name: str, table: str, details: TableDetails, found: PublicationDetails
) -> Iterator[Finding]:
    if details.partitioned and not found.via_root:
        reason = f"{table} is partitioned: its changes come under the names of its partitions, which nobody captures"
        remedy = f"ALTER PUBLICATION {ident(name)} SET (publish_via_partition_root = true);"
        yield Finding(Severity.ERROR, where, reason, remedy)
        return
    published = found.tables.get(table)
    if published is None:
        reason = f"it does not cover {table}: its changes are not captured"
        yield Finding(Severity.ERROR, where, reason, f"ALTER PUBLICATION {ident(name)} ADD TABLE {ident(table)};")
        return
    if published.row_filter:
        reason = f"it passes on only rows of {table} where {published.row_filter}: the others vanish"
        yield Finding(Severity.ERROR, where, reason, _again(name, table))
    sent = {column for column, facts in details.columns.items() if not facts.generated}
    if published.columns and (lacking := sorted(sent - published.columns)):
        reason = f"it leaves out columns of {table}: {', '.join(lacking)}"
        yield Finding(Severity.ERROR, where, reason, _again(name, table))


def _again(name: str, table: str) -> str:
    drop = f"ALTER PUBLICATION {ident(name)} DROP TABLE {ident(table)};"
    return f"BEGIN; {drop} ALTER PUBLICATION {ident(name)} ADD TABLE {ident(table)}; COMMIT;"


def _root_of_a_partition(table: str, side: DatabaseSide) -> bool:
    """Without ``publish_via_partition_root`` partitions stand there under their own names: that is said once."""
    return any(one.partitioned for one in side.tables.values()) and table not in side.tables


def _slot(plan: CapturePlan, side: DatabaseSide) -> Iterator[Finding]:
    slot, where = side.slot, f"replication slot {plan.slot}"
    if slot is None:
        reason = "it does not exist: the server keeps no changes for the capture"
        remedy = f"{_APPLY}  # or, if it ran before: gateway connect delete --forget, then apply, then reconcile"
        yield Finding(Severity.ERROR, where, reason, remedy)
        return
    if slot.plugin != "pgoutput" or (slot.database and slot.database != side.name):
        reason = f"it decodes database {slot.database} with {slot.plugin}; wanted is {side.name} with pgoutput"
        remedy = f"SELECT pg_drop_replication_slot('{plan.slot}');  -- then: gateway connect delete --forget, apply"
        yield Finding(Severity.ERROR, where, reason, remedy)
    yield from _slot_wal(where, slot, side)


def _slot_wal(where: str, slot: SlotDetails, side: DatabaseSide) -> Iterator[Finding]:
    held, keep = size(slot.retained_bytes), side.server.wal_keep
    if slot.wal_status == "lost":
        reason = (
            f"its WAL is lost (max_slot_wal_keep_size is {size(keep)}): changes since then can no longer be captured"
        )
        remedy = "gateway connect delete --forget; gateway connect apply; then reconcile every aggregate"
        yield Finding(Severity.ERROR, where, reason, remedy)
        return
    if slot.wal_status == "unreserved":
        reason = f"it holds {held} and is beyond max_slot_wal_keep_size: the next checkpoint removes its WAL"
        remedy = (
            "ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf();  -- then: gateway connect restart"
        )
        yield Finding(Severity.ERROR, where, reason, remedy)
        return
    if not slot.active:
        reason = f"nobody streams from it: {held} of WAL are held back, and grow"
        yield Finding(Severity.WARNING, where, reason, "gateway connect status, then gateway connect restart")
    elif slot.retained_bytes > (min(_MUCH, keep // 2) if keep >= 0 else _MUCH):
        yield _far_behind(where, held, keep, side.heartbeat)


def _far_behind(where: str, held: str, keep: int, heartbeat: str) -> Finding:
    limit = f"; beyond {size(keep)} it is lost" if keep >= 0 else "; the server's disk is the only limit"
    reason = f"it holds back {held} of WAL though somebody streams{limit}"
    if heartbeat:
        remedy = (
            "gateway connect status; look for a long transaction: SELECT * FROM pg_stat_activity ORDER BY xact_start;"
        )
        return Finding(Severity.WARNING, where, reason, remedy)
    reason += ". A heartbeat does not move a slot while only tables change that are not captured"
    remedy = (
        "write to a captured table now and then: options: {heartbeat.action.query: "
        '"UPDATE … SET … WHERE …"} in connect/settings.yaml, with a grant for it, then gateway connect apply'
    )
    return Finding(Severity.WARNING, where, reason, remedy)


def _role(plan: CapturePlan, side: DatabaseSide) -> Iterator[Finding]:
    role, where = side.role, f"role {plan.role}"
    if role is None:
        yield Finding(Severity.ERROR, where, "it does not exist: the connector cannot log in", _APPLY)
        return
    if not (role.login and role.replication):
        reason = f"it may not {'log in' if not role.login else 'replicate'}"
        yield Finding(Severity.ERROR, where, reason, f"ALTER ROLE {ident(plan.role)} WITH LOGIN REPLICATION;")
    for table in sorted(one.name for one in plan.tables if one.name in side.tables):
        schema = table.partition(".")[0]
        if schema not in side.rights.schemas or table not in side.rights.tables:
            reason = f"it may not read {table}: a snapshot fails there"
            remedy = f"GRANT USAGE ON SCHEMA {ident(schema)} TO {ident(plan.role)}; GRANT SELECT ON {ident(table)} TO "
            yield Finding(Severity.ERROR, where, reason, f"{remedy}{ident(plan.role)};")
    if role.superuser:
        reason = "it is a superuser: it should read the captured tables and nothing else"
        yield Finding(Severity.WARNING, where, reason, f"ALTER ROLE {ident(plan.role)} NOSUPERUSER;")
    more = superfluous(plan, DatabaseFacts({}, role, None))
    if more.tables or more.schemas:
        reason = f"it has more rights than capture needs: {', '.join((*more.tables, *more.schemas))}"
        yield Finding(Severity.WARNING, where, reason, _APPLY)


def _fine(plan: CapturePlan, side: DatabaseSide, bad: set[str]) -> Iterator[str]:
    server, slot = side.server, side.slot
    if f"server of database {side.name}" not in bad:
        yield f"PostgreSQL {server.version // 10_000}.{server.version % 10_000}, wal_level logical"
    if well := [one.name for one in plan.tables if one.name in side.tables and one.name not in bad]:
        yield f"{len(well)} of {len(plan.tables)} tables send whole rows (REPLICA IDENTITY FULL)"
    if f"publication {plan.publication}" not in bad:
        yield f"publication {plan.publication} covers exactly these tables"
    if slot is not None and f"replication slot {plan.slot}" not in bad:
        limit = "no limit: watch the disk" if server.wal_keep < 0 else f"limit {size(server.wal_keep)}"
        yield f"slot {plan.slot} is streamed from; it holds {size(slot.retained_bytes)} of WAL ({limit})"
    if f"role {plan.role}" not in bad:
        yield f"role {plan.role} may replicate and read these tables, nothing else"
