"""Every key of a mapping file, declared once: parsing, faults, JSON Schema and the reference page read this."""

from __future__ import annotations

from gateway.mapping.forms import Anything, Choice, Constant, ListOf, MapOf, Number, OneOrMore, Shapes, Text, Word
from gateway.mapping.grammar_tables import TABLE
from gateway.mapping.grammar_words import (
    CODE_TABLE,
    CODES,
    COLUMN_NAME,
    COLUMN_OR_KEPT,
    COMPANION,
    CONDITION,
    EVENT_NAME,
    EXPRESSION,
    KEBAB,
    ON_ERROR,
    TABLE_NAME,
    TOPIC,
    UNDECLARED,
    UNEXPLAINED,
)
from gateway.mapping.records import Key, Record

__all__ = ["MAPPING", "MAX_RULES", "PAYLOAD", "RESERVED", "SHARED"]

MAX_RULES = 1_000
RESERVED = frozenset(
    {"before", "after", "row", "op", "key", "other", "item", "transaction", "null", "value", "data", "any", "nothing"}
    | {"true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else"}
)
"""Roots and words of expressions: no table, group, companion or condition may have such a name."""

_where = MapOf(
    COLUMN_OR_KEPT,
    Shapes(
        scalar=Constant(),
        seq=ListOf(Constant()),
        map=Record(
            "a test",
            (
                Key("not", OneOrMore(Constant()), "none of these values", examples=("legal", "[legal, billing]")),
                Key("from", OneOrMore(Constant()), "the column changed and was one of these", examples=("pending",)),
                Key(
                    "to",
                    OneOrMore(Constant()),
                    "the column changed and became one of these",
                    examples=("[verified, rejected]",),
                ),
            ),
        ),
    ),
)
_ops = Choice("an operation", ("insert", "update", "delete", "leaves", "arrives", "snapshot"))
_columns = OneOrMore(COLUMN_OR_KEPT)
_pattern = (
    Key("table", TABLE_NAME, "the table's domain name", True, ("address",)),
    Key(
        "op",
        OneOrMore(_ops),
        "what happened to the row in the end; `changed`, `from` and `to` imply update, and update needs one of them",
        examples=("insert", "[insert, update]"),
    ),
    Key(
        "changed",
        _columns,
        "at least one of these columns or groups changed; `any` = any but bookkeeping; of a list with insert or delete,"
        " it binds the updates only",
        examples=("[place]", "any"),
    ),
    Key(
        "where",
        _where,
        "a test for each column: a value, a list of values, `{not: …}`, `{from: …, to: …}`",
        examples=("{kind: {not: legal}}", "{check: {from: pending, to: verified}}"),
    ),
    Key(
        "explains",
        _columns,
        "columns that are taken, too, if they changed; `nothing` makes a witness, which takes none",
        examples=("[check]", "nothing"),
    ),
)
_counted = (
    Key(
        "count",
        Choice("a count", ("one", "at most one", "at least one", "any", "none")),
        "how many such rows; one is the default",
        examples=("any", "at least one"),
    ),
    Key("when", EXPRESSION, "a test of the row", examples=("row.validFrom is changed",)),
)
EACH = Record("a pattern", _pattern)
WITH = Record(
    "a pattern", (*_pattern, *_counted, Key("same", _columns, "columns equal to the anchor's", examples=("[kind]",)))
)
ONCE = Record("a pattern", (*_pattern, *_counted))
RULE = Record(
    "a rule",
    (
        Key("rule", KEBAB, "the rule's name", examples=("address-moved",)),
        Key("noise", KEBAB, "a noise rule's name: what it takes is ignored", examples=("geocoding",)),
        Key(
            "because",
            Text(),
            "why these changes say nothing (noise rules)",
            examples=("coordinates are derived from the address",),
        ),
        Key("event", EVENT_NAME, "the event that is published", examples=("CustomerAddressChanged",)),
        Key(
            "intent",
            Choice("an intent", ("fact", "correction", "merge", "pending", "undetermined", "state")),
            "what kind of thing it says; fact is the default",
            examples=("correction", "undetermined"),
        ),
        Key(
            "each",
            EACH,
            "the anchor: fires once for every row that fits",
            examples=("{table: address, changed: [place]}",),
        ),
        Key(
            "with",
            MapOf(COMPANION, WITH),
            "further rows wanted beside `each`, in the same transaction and aggregate",
            examples=("{log: {table: merger, op: insert}}",),
        ),
        Key(
            "once",
            MapOf(COMPANION, ONCE),
            "named patterns: fires at most once for a change set",
            examples=("{added: {table: party, op: insert, count: at least one}}",),
        ),
        Key("when", EXPRESSION, "a test of the anchor and its companions", examples=("after.amount > before.amount",)),
        Key(
            "data",
            Anything("a template for the event's payload", "payload"),
            "the payload: one entry for each contract field",
            examples=('{customerId: "{{ key.customerId }}", address: {$from: after, $take: [place]}}',),
        ),
        Key("slot", Word("a slot", r"[a-z0-9-]+"), "tells two events of one type and row apart", examples=("second",)),
        Key(
            "undecided",
            Choice("a policy", ("skip",)),
            "skip the rule instead of dead-lettering when in doubt",
            examples=("skip",),
        ),
        Key("on_error", ON_ERROR, "what happens when this rule fails", examples=("halt",)),
    ),
    ((("rule", "event", "data"), ("noise", "because")), (("each",), ("once",))),
)
_also = Record(
    "an older version",
    (
        Key("drop", ListOf(Text("a field")), "fields to leave out", examples=("[validFrom]",)),
        Key(
            "rename",
            MapOf(Text("a field"), Text("a field")),
            "new name to old name",
            examples=("{address: newAddress}",),
        ),
        Key(
            "set",
            MapOf(Text("a field"), Anything("a template")),
            "fields to add; templates see `data.` only",
            examples=("{channel: unknown}",),
        ),
        Key("sunset", Text("a date"), "when it ends", examples=("2027-06-30",)),
    ),
)
EVENT = Record(
    "an event",
    (
        Key("version", Number("a version", 1, 9_999), "the contract's major number; 1 is the default", examples=("2",)),
        Key("capability", KEBAB, "what it is cut over with", examples=("addresses",)),
        Key(
            "topic",
            TOPIC,
            "another topic than the aggregate's, without the installation's prefix",
            examples=("customer-addresses.events",),
        ),
        Key(
            "also",
            MapOf(Number("a version", 1, 9_999), _also),
            "older versions published beside it",
            examples=("{1: {drop: [validFrom], sunset: 2027-06-30}}",),
        ),
    ),
)
PAYLOAD = (
    Key("$from", EXPRESSION, "an image of a row whose columns are copied", examples=("after", "closed.before")),
    Key("$take", ListOf(COLUMN_OR_KEPT), "the columns or groups copied, under their own names", examples=("[place]",)),
    Key("$each", COMPANION, "a list of rows: makes an array, the rest of the map is its item", examples=("parties",)),
    Key("$item", Text("a template"), "an array of single values", examples=('"{{ item.row.invoiceId }}"',)),
    Key("$key", Text("a template"), "makes a map instead of an array: the key", examples=('"{{ item.row.purpose }}"',)),
    Key("$when", EXPRESSION, "null unless this is true", examples=('"after.city is not null"',)),
    Key("$record", Text("a record's name"), "the branch of a union of records", examples=("Place",)),
)
"""The special keys of a payload's maps; all others are contract fields."""
_lookup = Record(
    "a lookup",
    (
        Key("topic", TOPIC, "the compacted topic", True, ("ref.branch",)),
        Key("missing", Text("wait(…) or deadletter"), "what to do without an entry", examples=("wait(30s)",)),
    ),
)
_conditions = Key(
    "conditions",
    MapOf(CONDITION, EXPRESSION),
    "named tests, used in `when`",
    examples=("{cleansing: \"row.changedBy in ['ADDR_CLEAN']\"}",),
)
MAPPING = Record(
    "a mapping",
    (
        Key("mapping", KEBAB, "the mapping's name", True, ("customer",)),
        Key(
            "source",
            Record(
                "a source",
                (
                    Key(
                        "topics",
                        ListOf(TOPIC),
                        "raw topics, without the installation's prefix",
                        True,
                        ("[legacy.customer.raw]",),
                    ),
                    Key(
                        "unit",
                        Choice("a unit", ("transaction", "row")),
                        "what a change set is; transaction is the default",
                        examples=("transaction",),
                    ),
                ),
            ),
            "where the records come from",
            True,
            ("{topics: [legacy.customer.raw], unit: transaction}",),
        ),
        Key(
            "aggregate",
            Record(
                "an aggregate",
                (
                    Key("type", Word("an aggregate type", r"[A-Z][A-Za-z0-9]*"), "its name", True, ("Customer",)),
                    Key(
                        "key", ListOf(COLUMN_NAME), "domain columns of its key, in every table", True, ("[customerId]",)
                    ),
                ),
            ),
            "what the events speak of",
            True,
            ("{type: Customer, key: [customerId]}",),
        ),
        Key(
            "capability",
            KEBAB,
            "the default for the events of this file; the folder's name without it",
            examples=("customer-profile",),
        ),
        Key(
            "use",
            ListOf(Text("a path")),
            "shared files with codes and conditions, relative to this file",
            examples=("[../shared/codes.yaml]",),
        ),
        Key(
            "unexplained",
            UNEXPLAINED,
            "what to do when a declared column changed and no rule took it",
            examples=("report",),
        ),
        Key(
            "undeclared",
            UNDECLARED,
            "what to do when a column changed that this file does not know",
            examples=("report",),
        ),
        Key("on_error", ON_ERROR, "what happens to a change set that fails; park is the default", examples=("park",)),
        Key(
            "lookups",
            MapOf(CODE_TABLE, _lookup),
            "reference data from compacted topics, for the filter `lookup`",
            examples=("{branch: {topic: ref.branch, missing: deadletter}}",),
        ),
        Key(
            "tables",
            MapOf(Word("schema.table", r"message|[^\s.\"'`]{1,128}\.[^\s.\"'`]{1,128}"), TABLE),
            "the aggregate's tables, by schema and table; a table belongs to one mapping",
            True,
            ("{crm.cust_addr: {as: address, row: [addressId], columns: {addr_id: {as: addressId, type: int}}}}",),
        ),
        _conditions,
        Key(
            "events",
            MapOf(EVENT_NAME, EVENT),
            "what differs from the defaults of an event",
            examples=("{CustomerAddressChanged: {version: 2}}",),
        ),
        Key(
            "rules",
            ListOf(RULE, MAX_RULES),
            "from top to bottom: the first that fits takes the change; events of one change set come out in this order",
            True,
            (
                "[{noise: geocoding, because: derived from the address,"
                " each: {table: address, changed: [latitude, longitude]}}]",
            ),
        ),
    ),
)
SHARED = Record(
    "a shared file",
    (
        Key(
            "codes",
            MapOf(CODE_TABLE, CODES),
            "code tables: raw code to value",
            examples=("{channels: {T: telephone, W: web, '': null}}",),
        ),
        _conditions,
    ),
)
