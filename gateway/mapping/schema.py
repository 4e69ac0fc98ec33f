"""JSON Schema of mapping files, for editors: generated from the one declaration of keys, coarser than the loader."""

from __future__ import annotations

from gateway.mapping.grammar import MAPPING, PAYLOAD, SHARED
from gateway.mapping.records import Record

__all__ = ["DRAFT", "MODELINE", "json_schema", "schema_of"]

DRAFT = "http://json-schema.org/draft-07/schema#"
"""The draft that YAML language servers know."""
MODELINE = "# yaml-language-server: $schema="
"""What an editor looks for in the first line of a YAML file."""


def json_schema(*, shared: bool = False) -> dict[str, object]:
    """JSON Schema (draft 7) of a mapping file, or of a shared file."""
    return schema_of(SHARED, "Shared codes and conditions") if shared else schema_of(MAPPING, "Mapping")


def schema_of(record: Record, title: str) -> dict[str, object]:
    """JSON Schema of files that hold one record; payloads are defined beside it, since they nest."""
    schema = record.schema()
    whole: dict[str, object] = {"$schema": DRAFT, "title": title, **schema}
    return {**whole, "definitions": {"payload": _payload()}} if "#/definitions/payload" in str(schema) else whole


def _payload() -> dict[str, object]:
    field = {"anyOf": [{"type": ["string", "number", "boolean", "null"]}, {"$ref": "#/definitions/payload"}]}
    return {
        "type": "object",
        "description": "a record: contract fields, and keys that copy columns or make arrays",
        "properties": {key.name: key.schema() for key in PAYLOAD},
        "patternProperties": {"^[A-Za-z_][A-Za-z0-9_]*$": field},
        "additionalProperties": False,
    }
