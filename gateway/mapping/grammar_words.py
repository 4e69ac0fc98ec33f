"""Names, choices and short forms that the grammar speaks of in several places."""

from __future__ import annotations

import re

from gateway.mapping.forms import Choice, Constant, MapOf, Text, Word

__all__ = [
    "CODES",
    "CODE_TABLE",
    "COLUMN_NAME",
    "COLUMN_OR_KEPT",
    "COMPANION",
    "CONDITION",
    "EVENT_NAME",
    "EXPRESSION",
    "FLAG",
    "GROUP",
    "KEBAB",
    "ON_ERROR",
    "TABLE_NAME",
    "TOPIC",
    "UNDECLARED",
    "UNEXPLAINED",
]

_DOMAIN = r"[a-z][A-Za-z0-9]*"
_DOMAIN_RULE = "a small letter first, then letters and digits, no underscore or hyphen ([a-z][A-Za-z0-9]*)"


def _camel(text: str) -> str:
    """``conn_no`` and ``CONN-NO`` as ``connNo``."""
    first, *rest = re.split(r"[^A-Za-z0-9]+", text.strip("_- ")) or [""]
    lowered = [word.lower() if word.isupper() else word for word in (first, *rest)]
    return lowered[0][:1].lower() + lowered[0][1:] + "".join(word[:1].upper() + word[1:] for word in lowered[1:])


_KEBAB = r"[a-z0-9-]+"
FLAG = Choice("true or false", ("true", "false"))
TABLE_NAME = Word("a table's domain name", _DOMAIN, _DOMAIN_RULE, _camel)
COLUMN_NAME = Word("a domain column", _DOMAIN, _DOMAIN_RULE, _camel)
COLUMN_OR_KEPT = Word("a domain column", r"[A-Za-z_][A-Za-z0-9_]*")
GROUP = Word("a group's name", _DOMAIN, _DOMAIN_RULE, _camel)
EVENT_NAME = Word("an event's name", r"[A-Z][A-Za-z0-9]*")
KEBAB = Word("a name in lower case with hyphens", _KEBAB)
CODE_TABLE = Word("a code table's name", r"[a-z0-9_]+")
CONDITION = Word("a condition's name", r"[a-z][A-Za-z0-9_]*")
COMPANION = Word("a companion's name", _DOMAIN, _DOMAIN_RULE, _camel)
TOPIC = Word("a topic's name", r"[a-zA-Z0-9._-]{1,200}")
EXPRESSION = Text("an expression")
CODES = MapOf(Constant("a raw code"), Constant("a value"))
UNEXPLAINED = Choice("a policy", ("report", "park"))
UNDECLARED = Choice("a policy", ("report", "park", "ignore"))
ON_ERROR = Choice("a policy", ("park", "deadletter", "halt"))
