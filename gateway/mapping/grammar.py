"""Every key of a mapping file, declared once: parsing, faults, JSON Schema and the reference page read this."""

from __future__ import annotations

from gateway.mapping.forms import (
    Anything,
    Choice,
    Constant,
    ListOf,
    MapOf,
    Number,
    OneOrMore,
    Shapes,
    Text,
    Word,
)
from gateway.mapping.records import Key, Record

__all__ = ["MAPPING", "MAX_RULES", "RESERVED", "SHARED"]

MAX_RULES = 1_000
RESERVED = frozenset(
    {"before", "after", "row", "op", "key", "other", "item", "transaction", "null", "value", "data", "any", "nothing"}
    | {"true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else"}
)
"""Roots and words of expressions: no table, group, companion or condition may have such a name."""

_DOMAIN = r"[a-z][A-Za-z0-9]*"
_KEBAB = r"[a-z0-9-]+"
_flag = Choice("true or false", ("true", "false"))
_table = Word("a table's domain name", _DOMAIN)
_column = Word("a domain column", _DOMAIN)
_column_or_kept = Word("a domain column", r"[A-Za-z_][A-Za-z0-9_]*")
_group = Word("a group's name", _DOMAIN)
_event = Word("an event's name", r"[A-Z][A-Za-z0-9]*")
_kebab = Word("a name in lower case with hyphens", _KEBAB)
_code_table = Word("a code table's name", r"[a-z0-9_]+")
_condition = Word("a condition's name", r"[a-z][A-Za-z0-9_]*")
_companion = Word("a companion's name", _DOMAIN)
_topic = Word("a topic's name", r"[a-zA-Z0-9._-]{1,200}")
_expression = Text("an expression")
_codes = MapOf(Constant("a raw code"), Constant("a value"))
_unexplained = Choice("a policy", ("report", "park"))
_undeclared = Choice("a policy", ("report", "park", "ignore"))
_on_error = Choice("a policy", ("park", "deadletter", "halt"))

_reading = (
    Key("type", Text("a column type"), "how the raw value is read; text is the default"),
    Key("null_when", ListOf(Constant("a raw value")), "raw values that mean null"),
    Key("decode", Shapes(scalar=_code_table, map=_codes), "raw code to value: a map, or a shared code table's name"),
    Key("otherwise", Constant("a value"), "the value of codes that `decode` does not list"),
    Key("pii", _flag, "true for personal data"),
    Key("bookkeeping", _flag, "true for a column that is readable but never a fact by itself"),
)
PART = Record("a part", (Key("is", Text("a template"), "the part, computed from `value` and `row`", True), *_reading))
COLUMN = Record(
    "a column",
    (
        Key("as", _column, "the domain name; the legacy name is kept without it"),
        *_reading,
        Key("parts", MapOf(_column, PART), "several domain columns packed into this one"),
    ),
)
TABLE = Record(
    "a table",
    (
        Key("as", _table, "the domain name", True),
        Key("row", ListOf(_column_or_kept), "the domain columns that identify one row", True),
        Key("groups", MapOf(_group, ListOf(_column_or_kept)), "one name for several columns"),
        Key(
            "columns",
            MapOf(Word("a legacy column", r"[^\s.\"'`]{1,128}"), COLUMN),
            "every column the rules may know, by its legacy name",
            True,
        ),
        Key("truncate", Choice("a policy", ("drift", "ignore")), "what a TRUNCATE is: drift (dead letter) or ignored"),
        Key("unexplained", _unexplained, "what a declared column is that no rule took"),
        Key("undeclared", _undeclared, "what a column is that this file does not know"),
    ),
)
_where = MapOf(
    _column_or_kept,
    Shapes(
        scalar=Constant(),
        seq=ListOf(Constant()),
        map=Record(
            "a test",
            (
                Key("not", OneOrMore(Constant()), "none of these values"),
                Key("from", OneOrMore(Constant()), "the column changed and was one of these"),
                Key("to", OneOrMore(Constant()), "the column changed and became one of these"),
            ),
        ),
    ),
)
_ops = Choice("an operation", ("insert", "update", "delete", "leaves", "arrives", "snapshot"))
_columns = OneOrMore(_column_or_kept)
_pattern = (
    Key("table", _table, "the table's domain name", True),
    Key("op", OneOrMore(_ops), "what happened to the row in the end"),
    Key("changed", _columns, "at least one of these columns changed; `any` = any but bookkeeping"),
    Key("where", _where, "a test for each column"),
    Key("explains", _columns, "columns that are taken, too; `nothing` makes a witness"),
)
_counted = (
    Key(
        "count",
        Choice("a count", ("one", "at most one", "at least one", "any", "none")),
        "how many such rows; one is the default",
    ),
    Key("when", _expression, "a test of the row"),
)
EACH = Record("a pattern", _pattern)
WITH = Record("a pattern", (*_pattern, *_counted, Key("same", _columns, "columns equal to the anchor's")))
ONCE = Record("a pattern", (*_pattern, *_counted))
RULE = Record(
    "a rule",
    (
        Key("rule", _kebab, "the rule's name"),
        Key("noise", _kebab, "a noise rule's name"),
        Key("because", Text(), "why these changes say nothing (noise rules)"),
        Key("event", _event, "the event that is published"),
        Key(
            "intent",
            Choice("an intent", ("fact", "correction", "merge", "pending", "undetermined", "state")),
            "what kind of thing it says; fact is the default",
        ),
        Key("each", EACH, "the anchor: fires once for every row that fits"),
        Key("with", MapOf(_companion, WITH), "further rows wanted beside `each`"),
        Key("once", MapOf(_companion, ONCE), "named patterns: fires at most once for a change set"),
        Key("when", _expression, "a test of the anchor and its companions"),
        Key("data", Anything("a template for the event's payload"), "the payload"),
        Key("slot", Word("a slot", r"[a-z0-9-]+"), "tells two events of one type and row apart"),
        Key("undecided", Choice("a policy", ("skip",)), "skip the rule instead of dead-lettering when in doubt"),
        Key("on_error", _on_error, "what happens when this rule fails"),
    ),
)
_also = Record(
    "an older version",
    (
        Key("drop", ListOf(Text("a field")), "fields to leave out"),
        Key("rename", MapOf(Text("a field"), Text("a field")), "new name to old name"),
        Key("set", MapOf(Text("a field"), Anything("a template")), "fields to add"),
        Key("sunset", Text("a date"), "when it ends"),
    ),
)
EVENT = Record(
    "an event",
    (
        Key("version", Number("a version", 1, 9_999), "the contract's major number; 1 is the default"),
        Key("capability", _kebab, "what it is cut over with"),
        Key("topic", _topic, "another topic than the aggregate's, without the installation's prefix"),
        Key("also", MapOf(Number("a version", 1, 9_999), _also), "older versions published beside it"),
    ),
)
_lookup = Record(
    "a lookup",
    (
        Key("topic", _topic, "the compacted topic", True),
        Key("missing", Text("wait(…) or deadletter"), "what to do without an entry"),
    ),
)
_conditions = Key("conditions", MapOf(_condition, _expression), "named tests, used in `when`")
MAPPING = Record(
    "a mapping",
    (
        Key("mapping", _kebab, "the mapping's name", True),
        Key(
            "source",
            Record(
                "a source",
                (
                    Key("topics", ListOf(_topic), "raw topics, without the installation's prefix", True),
                    Key("unit", Choice("a unit", ("transaction", "row")), "what a change set is"),
                ),
            ),
            "where the records come from",
            True,
        ),
        Key(
            "aggregate",
            Record(
                "an aggregate",
                (
                    Key("type", Word("an aggregate type", r"[A-Z][A-Za-z0-9]*"), "its name", True),
                    Key("key", ListOf(_column), "domain columns of its key, in every table", True),
                ),
            ),
            "what the events speak of",
            True,
        ),
        Key("capability", _kebab, "the default for the events of this file"),
        Key("use", ListOf(Text("a path")), "shared files with codes and conditions"),
        Key("unexplained", _unexplained, "what a declared column is that no rule took"),
        Key("undeclared", _undeclared, "what a column is that this file does not know"),
        Key("on_error", _on_error, "what happens to a change set that fails"),
        Key("lookups", MapOf(_code_table, _lookup), "reference data"),
        Key(
            "tables",
            MapOf(Word("schema.table", r"message|[^\s.\"'`]{1,128}\.[^\s.\"'`]{1,128}"), TABLE),
            "the tables",
            True,
        ),
        _conditions,
        Key("events", MapOf(_event, EVENT), "what differs from the defaults of an event"),
        Key("rules", ListOf(RULE, MAX_RULES), "from top to bottom: the first that fits takes the change", True),
    ),
)
SHARED = Record(
    "a shared file", (Key("codes", MapOf(_code_table, _codes), "code tables: raw code to value"), _conditions)
)
