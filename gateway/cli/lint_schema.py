"""Where `gateway lint` knows the legacy tables from: a recording, a saved schema, a SQL script, the live database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from gateway.adapters.files import read_recording
from gateway.adapters.sql import LegacyDatabase
from gateway.mapping.lints.recorded import RecordedColumn, RecordedTable, Schema, from_images, schema_from_json
from gateway.model.errors import ConfigError
from gateway.pipeline.envelope import read_json
from gateway.pipeline.unsent import mark_unsent

__all__ = ["schema_of_database", "schema_of_file"]


def schema_of_file(path: Path) -> Schema:
    """The schema that a file holds: `.sql` a script, `.json` a saved schema, anything else a recording.

    ConfigError: it cannot be read as what it is.
    """
    if path.suffix == ".sql":
        return _of_script(path)
    if path.suffix == ".json":
        return _saved(path)
    return from_images(_images(path))


def _saved(path: Path) -> Schema:
    try:
        return schema_from_json(json.loads(path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"the schema cannot be read: {error.strerror}", where=str(path)) from error
    except (ValueError, RecursionError) as error:
        hint = "gateway lint --schema RECORDING --save-schema FILE writes such files"
        raise ConfigError(str(error), where=str(path), hint=hint) from error


def _images(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Table and image of every row in a recording; what cannot be decoded is passed over."""
    for record in read_recording(path):
        try:
            envelope = read_json(record.value) if record.value else None
        except (msgspec.MsgspecError, ValueError, RecursionError):
            continue
        if envelope is None or envelope.source is None or envelope.source.table is None:
            continue
        name = f"{envelope.source.schema}.{envelope.source.table}"
        for image in (envelope.before, envelope.after):
            if image is not None:
                mark_unsent(image)
                yield name, image


def _of_script(path: Path) -> Schema:
    try:
        statements = sqlglot.parse(path.read_text(encoding="utf-8"), read="postgres")
    except OSError as error:
        raise ConfigError(f"the script cannot be read: {error.strerror}", where=str(path)) from error
    except (SqlglotError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"not SQL: {str(error)[:300]}", where=str(path), hint="give it CREATE TABLE only") from error
    tables: dict[str, RecordedTable] = {}
    for statement in statements:
        if isinstance(statement, exp.Create) and isinstance(statement.this, exp.Schema):
            table = statement.this.this
            name = f"{table.db or 'public'}.{table.name}"
            tables[name] = RecordedTable({each.name: _column(each) for each in statement.find_all(exp.ColumnDef)})
    if not tables:
        raise ConfigError(
            "the script makes no table", where=str(path), hint="it must hold CREATE TABLE schema.table (…)"
        )
    return tables


def _column(column: exp.ColumnDef) -> RecordedColumn:
    kinds = [each.kind for each in column.args.get("constraints") or []]
    filled = any(isinstance(each, (exp.NotNullColumnConstraint, exp.PrimaryKeyColumnConstraint)) for each in kinds)
    type_ = column.args.get("kind")
    return RecordedColumn(type_.sql("postgres") if type_ is not None else "", None, not_null=filled)


def schema_of_database(dsn: str, names: Sequence[str]) -> Schema:
    """The tables as the live database has them. ConfigError, DependencyError: as it answers."""
    facts = LegacyDatabase(dsn).tables(names)
    return {
        name: RecordedTable({column: RecordedColumn(type_, None) for column, type_ in table.columns.items()})
        for name, table in facts.items()
    }
