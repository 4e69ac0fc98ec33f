"""A small mapping compiled by hand, for tests of the pipeline that need no YAML."""

from gateway.mapping.compiled import Column, CompiledMapping, EventType, Pattern, RowOp, Rule, Scope, Table, WhereTest
from gateway.model.event import Intent
from gateway.model.values import UNREADABLE, Value


def text(raw: object) -> Value:
    return None if raw is None else (str(raw).rstrip() or None)


def integer(raw: object) -> Value:
    if raw is None:
        return None
    try:
        return int(str(raw))
    except ValueError:
        return UNREADABLE


def coded(codes: dict[str, str]):
    return lambda raw: None if raw is None else codes.get(str(raw).rstrip(), UNREADABLE)


def column(name: str, raw: str, type_: str = "text", read=text, **more) -> Column:
    return Column(name, raw, type_, read, **more)


def table(physical: str, name: str, row: tuple[str, ...], *columns: Column) -> Table:
    return Table(physical, name, row, {each.name: each for each in columns})


CUSTOMER = table(
    "crm.cust", "customer", ("customerId",),
    column("customerId", "cust_id", "int", integer),
    column("name", "nm", pii=True),
    column("status", "sts", "text", coded({"A": "active", "M": "merged"})),
    column("changedBy", "upd_pgm", bookkeeping=True),
)  # fmt: skip
ADDRESS = table(
    "crm.cust_addr", "address", ("addressId",),
    column("addressId", "addr_id", "int", integer),
    column("customerId", "cust_id", "int", integer),
    column("street", "str"),
    column("city", "city"),
    column("latitude", "lat"),
    column("changedBy", "upd_pgm", bookkeeping=True),
)  # fmt: skip

_SCHEMA = {
    "type": "record", "name": "CustomerAddressChanged", "namespace": "insurer.customer.v1",
    "fields": [{"name": "customerId", "type": "int"}, {"name": "street", "type": ["null", "string"], "default": None}],
}  # fmt: skip


def event_type(name: str) -> EventType:
    schema = {**_SCHEMA, "name": name}
    return EventType(name, 1, f"insurer.customer.v1.{name}", "customer.events", "customer-profile", schema)


def _data(scope: Scope) -> dict[str, object]:
    row = scope.anchor
    image = (row.after or row.before) if row else {}
    return {"customerId": scope.key["customerId"], "street": image.get("street")}


def pattern(name: str, of: str, ops: set[RowOp], **more) -> Pattern:
    return Pattern(name, of, frozenset(ops), **more)


def rule(name: str, event: str | None, anchor: Pattern | None, *companions: Pattern, **more) -> Rule:
    intent = more.pop("intent", Intent.FACT)
    return Rule(name, event, intent, anchor, companions, data=_data if event else None, **more)


PLACE = frozenset({"street", "city"})
RULES = (
    rule("registered", "CustomerRegistered", pattern("each", "customer", {RowOp.INSERT})),
    rule("moved", "CustomerAddressChanged", pattern("each", "address", {RowOp.UPDATE}, changed=PLACE, takes=PLACE)),
    rule("added", "CustomerAddressChanged", pattern("each", "address", {RowOp.INSERT})),
    rule(
        "merged", "CustomerMerged",
        pattern("each", "customer", {RowOp.UPDATE}, takes=frozenset({"status"}),
                where=(WhereTest("status", transition=True, became=("merged",)),)),
        intent=Intent.MERGE,
    ),
    rule("geocoding", None, pattern("each", "address", {RowOp.UPDATE}, changed=frozenset({"latitude"}),
                                    takes=frozenset({"latitude"})), because="derived"),
    rule("gone", None, pattern("each", "address", {RowOp.DELETE, RowOp.LEAVES, RowOp.ARRIVES}), because="derived"),
)  # fmt: skip


def small_mapping(**more) -> CompiledMapping:
    names = ("CustomerRegistered", "CustomerAddressChanged", "CustomerMerged")
    fields = {
        "name": "customer", "file": "customer.yaml", "topics": ("legacy.customer.raw",), "aggregate": "Customer",
        "key": ("customerId",), "capability": "customer-profile",
        "tables": {CUSTOMER.physical: CUSTOMER, ADDRESS.physical: ADDRESS}, "rules": RULES,
        "events": {name: event_type(name) for name in names}, "digest": "3f9c2a1b00000000",
    }  # fmt: skip
    return CompiledMapping(**{**fields, **more})


def schema_ids(mapping: CompiledMapping) -> dict[str, int]:
    return {kind.full_name: number for number, kind in enumerate(mapping.events.values(), 1)}
