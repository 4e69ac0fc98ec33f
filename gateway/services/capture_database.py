"""The legacy database's side of capture: what it must offer, what it grants, and what differs from the plan. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.model.capture import CapturedTable, PublicationFacts, RoleFacts, TableFacts
from gateway.model.errors import ConfigError
from gateway.services.capture_plan import CapturePlan

__all__ = ["DatabaseFacts", "Superfluous", "check_tables", "granted", "key_faults", "superfluous", "wanted"]

_OPERATIONS = frozenset({"insert", "update", "delete", "truncate"})
_ALIKE = {"smallint": "integer", "bigint": "integer"}
"""Types whose values look alike in JSON: 5 is 5."""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What the database says of everything the plan names."""

    tables: Mapping[str, TableFacts]
    role: RoleFacts | None
    publication: PublicationFacts | None
    wal_level: str = "logical"


def check_tables(plan: CapturePlan, facts: DatabaseFacts) -> None:
    """Refuse, with every fault at once, what no configuration of the connector can mend.

    ConfigError: ``wal_level`` is not logical; a table or key column is missing; key columns of one aggregate whose
    types or order would give its records different key bytes.
    """
    faults = [] if facts.wal_level == "logical" else [f"wal_level is {facts.wal_level}, and must be logical"]
    for table in plan.tables:
        faults += _missing(table, facts.tables.get(table.name))
    faults += key_faults(plan, facts.tables)
    if faults:
        raise ConfigError(
            "the legacy database does not fit the mappings:\n  " + "\n  ".join(faults),
            where="legacy_dsn",
            hint="mend the mappings, or the tables",
        )


def key_faults(plan: CapturePlan, tables: Mapping[str, TableFacts]) -> Iterator[str]:
    """Key columns whose types or order would give records of one aggregate different key bytes."""
    for topic in dict.fromkeys(table.topic for table in plan.tables):
        yield from _unlike([table for table in plan.tables if table.topic == topic], tables)
    yield from _unfit_for_messages(plan, tables)


def _missing(table: CapturedTable, found: TableFacts | None) -> Iterator[str]:
    if found is None:
        yield f"table {table.name} does not exist"
        return
    for raw, name in table.key:
        if raw not in found.columns:
            yield f"table {table.name} has no column {raw}, the key {name}"


def _unlike(tables: list[CapturedTable], facts: Mapping[str, TableFacts]) -> Iterator[str]:
    """Debezium puts key columns in the table's own order, whatever the configuration says."""
    shapes = {one.name: _key_shape(one, facts[one.name]) for one in tables if one.name in facts}
    first = next(iter(shapes.items()), None)
    for name, shape in shapes.items():
        if first and shape != first[1]:
            told = [f"{table} ({', '.join(' '.join(part) for part in key)})" for table, key in (first, (name, shape))]
            yield f"keys of one aggregate would differ in their bytes: {' and '.join(told)}"


_NUMBERS = frozenset({"smallint", "integer", "bigint"})
_NO_TEXT = frozenset({"boolean", "real", "double precision", "bytea"})


def _unfit_for_messages(plan: CapturePlan, facts: Mapping[str, TableFacts]) -> Iterator[str]:
    """A message's prefix is text, or a whole number after a cast: the key of the rows must have the same bytes."""
    route = plan.messages
    for table in plan.tables if route else ():
        if route is None or table.topic != route.topic or table.name not in facts:
            continue
        kind = facts[table.name].columns.get(table.key[0][0], "")
        fits = kind in _NUMBERS if route.whole_number else kind not in _NUMBERS | _NO_TEXT
        if kind and not fits:
            wanted = "smallint, integer or bigint" if route.whole_number else "text or varchar"
            yield f"table {table.name} has the key {table.key[0][0]} as {kind}; with messages it must be {wanted}"


def _key_shape(table: CapturedTable, facts: TableFacts) -> tuple[tuple[str, str], ...]:
    names = dict(table.key)
    return tuple((names[raw], _ALIKE.get(kind, kind)) for raw, kind in facts.columns.items() if raw in names)


@dataclass(frozen=True, slots=True)
class Superfluous:
    """What the role may use and should not: tables (anything but SELECT, or not captured) and schemas."""

    tables: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()


def superfluous(plan: CapturePlan, facts: DatabaseFacts) -> Superfluous:
    """Rights of the role beyond SELECT on the captured tables and USAGE of their schemas."""
    if facts.role is None:
        return Superfluous()
    captured = {table.name for table in plan.tables}
    schemas = {name.partition(".")[0] for name in captured}
    held = facts.role.privileges.items()
    tables = sorted(name for name, has in held if name not in captured or has != {"SELECT"})
    return Superfluous(tuple(tables), tuple(sorted(facts.role.schemas - schemas)))


def granted(plan: CapturePlan, facts: DatabaseFacts) -> list[str]:
    """What the database grants today, as lines to compare with ``wanted``."""
    lines = []
    if facts.role:
        flags = {"login": facts.role.login, "replication": facts.role.replication, "superuser": facts.role.superuser}
        lines.append(f"role {plan.role}: {', '.join(flag for flag, on in flags.items() if on)}")
        lines += [f"usage on schema {name}" for name in sorted(facts.role.schemas)]
        lines += [f"{', '.join(sorted(has)).lower()} on {name}" for name, has in sorted(facts.role.privileges.items())]
    lines += [f"replica identity full on {name}" for name, one in sorted(facts.tables.items()) if one.full_identity]
    if facts.publication:
        lines += _publication(plan, facts.publication)
    return lines


def wanted(plan: CapturePlan) -> list[str]:
    """What the plan asks of the database, as lines."""
    names = sorted(table.name for table in plan.tables)
    schemas = sorted({name.partition(".")[0] for name in names})
    return [
        f"role {plan.role}: login, replication",
        *(f"usage on schema {name}" for name in schemas),
        *(f"select on {name}" for name in names),
        *(f"replica identity full on {name}" for name in names),
        *_publication(plan, PublicationFacts(frozenset(names), _OPERATIONS)),
    ]


def _publication(plan: CapturePlan, facts: PublicationFacts) -> list[str]:
    return [
        f"publication {plan.publication}: {', '.join(sorted(facts.operations))}",
        *(f"publication {plan.publication}: table {name}" for name in sorted(facts.tables)),
    ]
