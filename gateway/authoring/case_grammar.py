"""Every key of a case file (``<mapping>_test.yaml``), declared once: parsing, faults and JSON Schema read this."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.mapping.forms import Anything, Choice, Constant, Form, MapOf, Number, OneOrMore, Shapes, Text, Word
from gateway.mapping.nodes import Faults, Node, Seq, kind_of
from gateway.mapping.records import Key, Record

__all__ = ["CASES", "OPERATIONS"]

OPERATIONS = {
    "insert": "c",
    "update": "u",
    "delete": "d",
    "leaves": "d",
    "arrives": "c",
    "snapshot": "r",
    "c": "c",
    "u": "u",
    "d": "d",
    "r": "r",
}
"""What a case may call an operation, and Debezium's letter for it."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list, which may be empty."""

    item: Form

    def read(self, node: Node, faults: Faults) -> tuple[object, ...] | None:
        """The items that could be read."""
        if node.faulty:
            return None
        if not isinstance(node, Seq):
            faults.add(node.mark, f"a list is wanted here, not {kind_of(node)}", "write [ … ], or one `- ` a line")
            return None
        return tuple(value for item in node.items if (value := self.item.read(item, faults)) is not None)

    def schema(self) -> dict[str, object]:
        """JSON Schema of the form."""
        return {"type": "array", "items": self.item.schema()}

    def words(self) -> str:
        """The form in words."""
        return f"list of {self.item.words()}"


_table = Word("a legacy table", r"message|[^\s\"'`]{1,128}\.[^\s\"'`]{1,128}")
_none = Choice("`none`", ("none",))
_image = MapOf(Text("a legacy column"), Anything("a raw value"))
_rows = MapOf(_table, Items(_image))
_letter = Choice(
    "a dead letter's class",
    ("decode", "drift", "rule", "contract", "unexplained", "lookup", "oversized", "order-blocked"),
)

_GIVEN = "[{table: crm.cust_addr, op: update, after: {addr_id: 1, str: Gata 2}}]"
_THEN = "[{event: CustomerAddressChanged, data: {address: {street: Gata 2}}}]"
_ROWS = "{crm.cust_addr: [{addr_id: 1, cust_id: 7, str: Gasse 1, city: Bern}]}"
_STEPS = f"[{{step: she moves, given: {_GIVEN}, then: {_THEN}}}]"
_CASES = f"[{{case: moved, given: {_GIVEN}, then: {_THEN}}}]"

ROW = Record(
    "a row's change",
    (
        Key("table", Text("a legacy table"), "the legacy table, `schema.table`", True, examples=("crm.cust_addr",)),
        Key("op", Choice("an operation", tuple(OPERATIONS)), "what happened to the row", True, examples=("update",)),
        Key(
            "before",
            _image,
            "the row before it, or what differs from the row that stands; legacy names, raw values",
            examples=('{addr_id: 1, cust_id: 7, str: Gasse 1, zip: "0150"}',),
        ),
        Key(
            "after",
            _image,
            "the row after it; of an update the key and what changed",
            examples=("{addr_id: 1, str: Gata 2}",),
        ),
        Key(
            "other",
            _image,
            "the aggregate's key on the far side of leaves and arrives, in domain names",
            examples=("{customerId: 8}",),
        ),
    ),
)
EVENT = Record(
    "an expected event",
    (
        Key("event", Text("an event's name"), "the event", True, examples=("CustomerAddressChanged",)),
        Key(
            "intent",
            Choice("an intent", ("fact", "correction", "merge", "pending", "undetermined", "state")),
            "its intent; not compared without it",
            examples=("correction",),
        ),
        Key(
            "key", Constant("an aggregate's id"), "the aggregate it speaks of; not compared without it", examples=("7",)
        ),
        Key("version", Number("a version", 1, 9_999), "an older version published beside it (`also`)", examples=("1",)),
        Key(
            "data",
            Anything("fields"),
            "fields its payload must contain; others are not compared",
            examples=("{customerId: 7, address: {city: Oslo}}",),
        ),
        Key(
            "exactly",
            Anything("fields"),
            "its whole payload: any other field is a difference",
            examples=("{customerId: 7, deactivatedOn: 2026-03-01}",),
        ),
    ),
)
_then = (
    Key(
        "events",
        Shapes(scalar=_none, seq=Items(EVENT)),
        "the events, in their order; none if nothing stands here",
        examples=(
            "[{event: CustomerDeactivated, intent: fact}]",
            "none",
        ),
    ),
    Key(
        "order",
        Choice("an order", ("any", "as written")),
        "as written is the default; any: the events may come in any order",
        examples=("any",),
    ),
    Key(
        "unexplained",
        Items(Text("table.column, or table")),
        "changes that no rule takes, in domain names",
        examples=("[claim.reportedOn]",),
    ),
    Key(
        "letter",
        OneOrMore(_letter),
        "the class of the dead letter that it becomes (several for several aggregates)",
        examples=("decode",),
    ),
    Key(
        "outcomes",
        Items(Text("an outcome")),
        "what becomes of each given row: published, or why it is ignored",
        examples=("[published, noise]",),
    ),
)
THEN = Shapes(scalar=_none, seq=Items(EVENT), map=Record("what it means", _then))
_at = Key(
    "at",
    Text("a date or time"),
    "when the transaction was committed (ISO 8601, UTC); a minute after the last",
    examples=(
        "2026-03-01",
        "2026-03-01T08:30:00Z",
    ),
)
STEP = Record(
    "a step",
    (
        Key("step", Text(), "what happens, in words", examples=("the office accepts the new place",)),
        _at,
        Key("given", Items(ROW), "one transaction's changes, in their order", True, (_GIVEN,)),
        Key(
            "then",
            THEN,
            "what it means; `none`: no event",
            examples=(
                "none",
                _THEN,
            ),
        ),
    ),
)
_lookups = Key(
    "lookups",
    MapOf(Text("a lookup's name"), MapOf(Text("a key"), Anything("an entry"))),
    "entries of reference data: lookup, key, fields",
    examples=("{branch: {B1: {name: Bern}}}",),
)
CASE = Record(
    "a case",
    (
        Key("case", Text(), "what is tested, in words", True, examples=("a move that awaits its proof",)),
        Key("rows", _rows, "rows that stand before it, by legacy table", examples=(_ROWS,)),
        _lookups,
        _at,
        Key("given", Items(ROW), "one transaction's changes, in their order", examples=(_GIVEN,)),
        Key("then", THEN, "what it means; the keys below may stand here as well, without `then`", examples=(_THEN,)),
        *_then,
        Key("steps", Items(STEP), "several transactions, one after the other", examples=(_STEPS,)),
    ),
)
CASES = Record(
    "a case file",
    (
        Key(
            "defaults",
            MapOf(_table, _image),
            "columns of rows that do not name them, by legacy table",
            examples=('{crm.cust_addr: {chk: "", val_to: 99991231}}',),
        ),
        Key("background", _rows, "rows that stand before every case, by legacy table", examples=(_ROWS,)),
        _lookups,
        Key("cases", Items(CASE), "the cases", True, (_CASES,)),
    ),
)
