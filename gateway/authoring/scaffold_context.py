"""A context table, in which cooperative legacy code says why: its DDL, and what the mapping has to say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.authoring.scaffold_words import flow
from gateway.mapping.compiled import Column, CompiledMapping, Table
from gateway.pipeline.messages import MESSAGE_TABLE

__all__ = ["ContextTable", "context_table"]

_GUESSED = {"int": "integer", "bool": "boolean", "date": "date", "timestamp": "timestamptz", "bytes": "bytea"}


@dataclass(frozen=True, slots=True)
class ContextTable:
    """``ddl``: SQL for the legacy database. ``table``, ``companion``, ``noise``: YAML for the mapping."""

    name: str
    ddl: str
    table: str
    companion: str
    noise: str

    @property
    def whole(self) -> str:
        """All of it, to read and to copy from: SQL first, the YAML in comments."""
        return "\n".join(
            (
                self.ddl,
                "-- Legacy code says why in the transaction that makes the change:",
                f"--   INSERT INTO {self.name} (…, reason, actor) VALUES (…, 'moved house', 'clerk 12');",  # noqa: S608 - text to read
                "--",
                "-- In the mapping, under `tables:`",
                _commented(self.table),
                "--",
                '-- in each rule that wants to know, and there in `data:` as "{{ why.after.reason }}"',
                _commented(self.companion),
                "--",
                "-- and as the last rule",
                _commented(self.noise),
                "--",
                "-- Then `gateway connect apply`: it captures the table into the aggregate's raw topic.",
                "",
            )
        )


def context_table(mapping: CompiledMapping, types: Mapping[str, str], name: str = "") -> ContextTable:
    """The context table of a mapping's aggregate.

    ``types``: database types by legacy column of the root table, as far as they are known: the key must be of the very
    same types, or its records would go to other partitions. ``name``: schema.table; made of the root table's if empty.
    """
    root = next(table for physical, table in mapping.tables.items() if physical != MESSAGE_TABLE)
    physical = name or f"{root.physical}_context"
    taken = {table.name for table in mapping.tables.values()}
    called = next(one for one in ("context", "words", "contextWords") if one not in taken)
    keys = [root.columns[column] for column in mapping.key]
    return ContextTable(
        physical,
        _ddl(physical, root, keys, types),
        _table(physical, called, keys),
        f"    with: {{why: {{table: {called}, op: insert, count: at most one, explains: nothing}}}}",
        "\n".join(
            (
                f"  - noise: {called}",
                "    because: the events carry the reason",
                f"    each: {{table: {called}, op: [insert, delete]}}",
            )
        ),
    )


def _ddl(physical: str, root: Table, keys: list[Column], types: Mapping[str, str]) -> str:
    lines = [f"CREATE TABLE {physical} ("]
    lines.append("  context_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,")
    for key in keys:
        known = types.get(key.raw)
        told = "" if known else f"  -- a guess: it must be of the very type of {root.physical}.{key.raw}"
        lines.append(f"  {key.raw} {known or _GUESSED.get(key.type, 'text')} NOT NULL,{told}")
    lines += ["  reason text NOT NULL,", "  actor text,", "  said_at timestamptz NOT NULL DEFAULT now()", ");"]
    lines.append(f"ALTER TABLE {physical} REPLICA IDENTITY FULL;")
    lines.append(f"-- Nobody reads old rows: DELETE FROM {physical} WHERE said_at < now() - interval '7 days';")  # noqa: S608 - text to read
    return "\n".join(lines)


def _table(physical: str, called: str, keys: list[Column]) -> str:
    lines = [f"  {physical}:", f"    as: {called}", "    row: [contextId]", "    columns:"]
    lines.append("      context_id: {as: contextId, type: int}")
    for key in keys:
        parts = {"as": key.name} if key.name != key.raw else {}
        parts |= {"type": key.type} if key.type != "text" else {}
        lines.append(f"      {key.raw}: {flow(parts)}")
    lines += ["      reason: {}", "      actor: {pii: true}", "      said_at: {bookkeeping: true}"]
    return "\n".join(lines)


def _commented(text: str) -> str:
    return "\n".join(f"-- {line}" for line in text.splitlines())
