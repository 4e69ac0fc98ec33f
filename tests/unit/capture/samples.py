"""Small compiled mappings for tests of capture: two aggregates over a schema of the test's own."""

from __future__ import annotations

from gateway.mapping.compiled import Column, CompiledMapping, EventType, Table

__all__ = ["CREATE", "aggregate", "insurer"]

CREATE = """
CREATE SCHEMA {schema};
CREATE TABLE {schema}.cust (cust_id int PRIMARY KEY, nm text, note text DEFAULT 'none');
CREATE TABLE {schema}.cust_addr (addr_id int PRIMARY KEY, cust_id bigint NOT NULL, city char(10));
CREATE TABLE {schema}.cust_cons (typ char(3), cust_id smallint NOT NULL, flg char(1), PRIMARY KEY (typ, cust_id));
CREATE TABLE {schema}.pol (pol_id int PRIMARY KEY, prem numeric(11,2));
CREATE TABLE {schema}.secret (id int PRIMARY KEY, txt text);
"""


def _column(raw: str, name: str) -> Column:
    return Column(name, raw, "text", lambda value: value)  # type: ignore[arg-type,return-value]


def _table(physical: str, name: str, columns: dict[str, str]) -> Table:
    return Table(physical, name, (next(iter(columns)),), {as_: _column(raw, as_) for as_, raw in columns.items()})


def aggregate(
    name: str, topic: str, key: tuple[str, ...], tables: dict[str, dict[str, str]], events: tuple[EventType, ...] = ()
) -> CompiledMapping:
    """A mapping with no rules; ``tables``: physical name → domain name → legacy column."""
    return CompiledMapping(
        name=name.lower(),
        file=f"mappings/{name.lower()}.yaml",
        topics=(topic,),
        aggregate=name,
        key=key,
        capability=name.lower(),
        tables={table: _table(table, table.partition(".")[2], columns) for table, columns in tables.items()},
        rules=(),
        events={event.name: event for event in events},
        digest="0" * 16,
    )


def insurer(schema: str = "crm") -> tuple[CompiledMapping, CompiledMapping]:
    """Customer over three tables, Policy over one."""
    moved = {"type": "record", "name": "Moved", "namespace": "insurer.customer.v1", "fields": []}
    event = EventType("Moved", 1, "insurer.customer.v1.Moved", "customer.events", "customer", moved)
    customer = {
        f"{schema}.cust": {"customerId": "cust_id", "name": "nm"},
        f"{schema}.cust_addr": {"addressId": "addr_id", "customerId": "cust_id", "city": "city"},
        f"{schema}.cust_cons": {"purpose": "typ", "customerId": "cust_id", "decision": "flg"},
    }
    policy = {f"{schema}.pol": {"policyId": "pol_id", "premium": "prem"}}
    return (
        aggregate("Customer", "legacy.customer.raw", ("customerId",), customer, (event,)),
        aggregate("Policy", "legacy.policy.raw", ("policyId",), policy),
    )
