"""Types of SQL scripts, spelled as PostgreSQL's ``format_type`` spells them."""

from __future__ import annotations

from sqlglot import exp

__all__ = ["spelled"]

_SPELLED = {
    "INT": "integer",
    "SMALLINT": "smallint",
    "TINYINT": "smallint",
    "BIGINT": "bigint",
    "SERIAL": "integer",
    "BIGSERIAL": "bigint",
    "SMALLSERIAL": "smallint",
    "SERIAL2": "smallint",
    "SERIAL4": "integer",
    "SERIAL8": "bigint",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "VARBINARY": "bytea",
    "BINARY": "bytea",
    "TEXT": "text",
    "JSON": "json",
    "JSONB": "jsonb",
    "UUID": "uuid",
    "DATE": "date",
}
_SIZED = {"CHAR": "character", "NCHAR": "character", "VARCHAR": "character varying", "NVARCHAR": "character varying"}
_TIMES = {
    "TIMESTAMP": ("timestamp", "without time zone"),
    "TIMESTAMPNTZ": ("timestamp", "without time zone"),
    "TIMESTAMPTZ": ("timestamp", "with time zone"),
    "TIME": ("time", "without time zone"),
    "TIMETZ": ("time", "with time zone"),
}
_WORDS = {"bpchar": "character", "varbit": "bit varying"}
_SINGLE = 24
"""Binary digits up to which ``float(n)`` is a real."""


def spelled(kind: object) -> str:
    """A type as the database would tell it; what is not known here as it was written."""
    if not isinstance(kind, exp.DataType):
        return str(kind or "")
    name = kind.this.name if isinstance(kind.this, exp.DataType.Type) else str(kind.this)
    sizes = [each.sql("postgres") for each in kind.expressions]
    if name == "ARRAY":
        return f"{spelled(kind.expressions[0])}[]" if kind.expressions else "text[]"
    if name in _SIZED:
        size = sizes[0] if sizes else "1" if name.endswith("NCHAR") or name == "CHAR" else ""
        return f"{_SIZED[name]}({size})" if size else _SIZED[name]
    if name in _TIMES:
        word, zone = _TIMES[name]
        return f"{word}({sizes[0]}) {zone}" if sizes else f"{word} {zone}"
    if name == "DECIMAL":
        return f"numeric({','.join([*sizes, '0'][:2])})" if sizes else "numeric"
    if name == "BIT":
        return f"bit({sizes[0] if sizes else 1})"
    if name == "DOUBLE" and sizes:
        return "real" if int(sizes[0]) <= _SINGLE else "double precision"
    return _SPELLED.get(name) or _as_written(kind)


def _as_written(kind: exp.DataType) -> str:
    told = kind.sql("postgres").lower()
    word, bracket, size = told.partition("(")
    return _SPELLED.get(told.upper(), f"{_WORDS.get(word, word)}{bracket}{size}")
