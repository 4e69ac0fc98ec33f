"""The language's JSON Schema and reference page, generated from the one declaration of keys and from the filters."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.mapping.columns import COLUMN_TYPES
from gateway.mapping.expressions.filters import FILTERS
from gateway.mapping.forms import Form, ListOf, MapOf, OneOrMore, Shapes
from gateway.mapping.grammar import MAPPING, SHARED
from gateway.mapping.records import Record
from gateway.model.values import Unavailable, Value

__all__ = ["json_schema", "reference"]


def json_schema(*, shared: bool = False) -> dict[str, object]:
    """JSON Schema (2020-12) of a mapping file, or of a shared file; for editors, coarser than the loader."""
    form = SHARED if shared else MAPPING
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Shared codes and conditions" if shared else "Mapping",
        **form.schema(),
    }


def reference() -> str:
    """The reference page as Markdown: every key with its form, then column types and filters with examples."""
    lines = ["# Mapping reference", "", "Generated from the grammar; do not edit.", ""]
    for title, record in (("Mapping file", MAPPING), ("Shared file", SHARED)):
        lines += [f"## {title}", "", "| key | value | |", "| --- | --- | --- |", *_rows(record, ""), ""]
    lines += ["## Column types", "", ", ".join(f"`{each}`" for each in COLUMN_TYPES), ""]
    lines += ["## Filters", "", "| filter | takes | gives | example |", "| --- | --- | --- | --- |", *_filters(), ""]
    return "\n".join(lines)


def _rows(record: Record, prefix: str) -> Iterator[str]:
    for key in record.keys:
        must = " (required)" if key.required else ""
        yield f"| `{prefix}{key.name}` | {_cell(key.form.words())} | {_cell(key.doc)}{must} |"
        yield from _inner(key.form, f"{prefix}{key.name}.")


def _inner(form: Form, prefix: str) -> Iterator[str]:
    if isinstance(form, Record):
        yield from _rows(form, prefix)
    elif isinstance(form, (ListOf, OneOrMore)):
        yield from _inner(form.item, prefix)
    elif isinstance(form, MapOf):
        yield from _inner(form.value, f"{prefix}*.")
    elif isinstance(form, Shapes) and form.map is not None:
        yield from _inner(form.map, prefix)


def _filters() -> Iterator[str]:
    for each in FILTERS.values():
        arguments = ", ".join(argument.name for argument in each.arguments)
        takes = ", ".join(sorted(kind.value for kind in each.takes))
        examples = "<br>".join(f"`{_cell(source)}` → {_cell(_shown(result))}" for source, result in each.examples)
        gives = each.gives.value if each.gives else "the same"
        yield f"| `{each.name}({arguments})` {_cell(each.doc)} | {takes} | {gives} | {examples} |"


def _shown(value: Value) -> str:
    if isinstance(value, Unavailable):
        return f"unavailable ({value.value})"
    return "null" if value is None else f"`{value!s}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
