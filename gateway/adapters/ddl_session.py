"""What stands around the tables of a SQL script: psql's own lines, data of COPY, the search path."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

__all__ = ["PUBLIC", "search_path", "statements", "table_moved"]

PUBLIC = "public"

_PSQL = re.compile(r"^\\[a-zA-Z!?].*$", re.MULTILINE)
_COPY = re.compile(r"^COPY\s[^;]*\bFROM\s+stdin\b[^;]*;\n.*?^\\\.$", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_BITS = re.compile(r"\bbit\svarying\b", re.IGNORECASE)  # two words, which sqlglot does not read
_PATH = re.compile(r"SET\s+(?:(?:SESSION|LOCAL)\s+)?search_path\s*(?:=|TO)\s*(.+)", re.IGNORECASE | re.DOTALL)
_MOVED = re.compile(
    r"ALTER\s+TABLE\s+(?P<exists>IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<table>\S+)\s+SET\s+SCHEMA\s+(?P<schema>\S+)\s*$",
    re.IGNORECASE,
)


def statements(text: str) -> list[exp.Expression]:
    """The statements of a script, names as PostgreSQL folds them. What a dump holds beside SQL is passed over.

    SqlglotError: it is not SQL.
    """
    plain = _BITS.sub("varbit     ", _PSQL.sub(_blank, _COPY.sub(_blank, text)))
    parsed = sqlglot.parse(plain, read="postgres")
    return [normalize_identifiers(one, dialect="postgres") for one in parsed if isinstance(one, exp.Expression)]


def _blank(found: re.Match[str]) -> str:
    """As many empty lines, so that places in errors stay what they are."""
    return "\n" * found.group().count("\n")


def search_path(statement: exp.Expression) -> str | None:
    """The schema in which a script goes on after this statement; None where it says nothing of it."""
    if not isinstance(statement, exp.Set | exp.Command):
        return None
    found = _PATH.match(statement.sql("postgres"))
    if found is None:
        return None
    names = [_folded(name) for name in found[1].split(",")]
    return next((name for name in names if name not in ("$user", "")), PUBLIC)


def table_moved(statement: exp.Expression) -> tuple[str, str, bool] | None:
    """Table as it is named, new schema, whether it may be missing, of ``ALTER TABLE … SET SCHEMA …``."""
    found = _MOVED.match(statement.sql("postgres")) if isinstance(statement, exp.Command) else None
    if found is None:
        return None
    return ".".join(map(_folded, found["table"].split("."))), _folded(found["schema"]), bool(found["exists"])


def _folded(name: str) -> str:
    name = name.strip()
    return name[1:-1] if name[:1] in ('"', "'") and len(name) > 1 else name.lower()
