"""SQL scripts: the tables that CREATE TABLE and ALTER TABLE leave behind, as the database would describe them."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from gateway.adapters.ddl_session import PUBLIC, search_path, statements, table_moved
from gateway.adapters.ddl_types import spelled
from gateway.model.errors import ConfigError
from gateway.model.preflight import ColumnFacts, TableDetails

__all__ = ["read_ddl", "tables_of"]

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # statements that say nothing of columns are passed over

_ALTERS = re.compile(r"ALTER\s+TABLE\b.*\b(COLUMN|SET\s+SCHEMA)\b", re.IGNORECASE | re.DOTALL)


def read_ddl(paths: Sequence[Path]) -> Mapping[str, TableDetails]:
    """The tables of scripts, by ``schema.table`` (public where none is named); of a folder its ``*.sql`` by name.

    Scripts are read in the order given, as migrations are. ConfigError: no such file, or it is not SQL.
    """
    tables: dict[str, TableDetails] = {}
    for path in paths:
        scripts = sorted(path.rglob("*.sql")) if path.is_dir() else [path]
        if not scripts:
            raise ConfigError("there is no .sql file in this folder", where=str(path), hint="name the scripts")
        for script in scripts:
            _run(_text(script), str(script), tables)
    return tables


def tables_of(script: str, where: str = "script") -> Mapping[str, TableDetails]:
    """The tables of one script's text. ConfigError: it is not SQL."""
    tables: dict[str, TableDetails] = {}
    _run(script, where, tables)
    return tables


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"the script cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError("the script is not UTF-8", where=str(path), hint="save it as UTF-8") from error


def _run(text: str, where: str, tables: dict[str, TableDetails]) -> None:
    schema = PUBLIC
    for statement in _parsed(text, where):
        schema = search_path(statement) or schema
        for table in statement.find_all(exp.Table):
            if not table.args.get("db"):
                table.set("db", exp.to_identifier(schema))
        _apply(statement, tables, where, schema)


def _parsed(text: str, where: str) -> list[exp.Expression]:
    try:
        return statements(text)
    except (SqlglotError, RecursionError) as error:
        told, place = str(error).splitlines()[0][:200], where
        for first in error.errors[:1] if isinstance(error, ParseError) else ():
            told, place = str(first["description"]), f"{where}:{first['line']}:{first['col']}"
        raise ConfigError(
            f"not SQL: {told}", where=place, hint="dialect: PostgreSQL; tables are what counts"
        ) from error


def _apply(statement: exp.Expression, tables: dict[str, TableDetails], where: str, schema: str) -> None:
    if isinstance(statement, exp.Create | exp.Alter | exp.Drop):
        if isinstance(statement, exp.Create) and statement.kind == "TABLE":
            _create(statement, tables)
        elif isinstance(statement, exp.Create) and statement.kind == "INDEX":
            _index(statement, tables)
        elif isinstance(statement, exp.Alter) and statement.args.get("kind") == "TABLE":
            _alter(statement, tables, where)
        elif isinstance(statement, exp.Drop):
            _drop(statement, tables)
    elif (moved := table_moved(statement)) is not None:
        _move(moved, tables, where, schema)
    elif isinstance(statement, exp.Command) and _ALTERS.match(statement.sql("postgres")):
        what = f"this change of a table is not understood: {statement.sql('postgres')[:120]}"
        raise ConfigError(what, where=where, hint="write it in plain ALTER TABLE … COLUMN statements")


def _drop(statement: exp.Drop, tables: dict[str, TableDetails]) -> None:
    for one in _dropped(statement):
        if statement.args.get("kind") == "TABLE":
            tables.pop(_name(one), None)
        elif statement.args.get("kind") == "SCHEMA":
            inside = f"{one.args['db'].name if one.args.get('db') else one.name}."
            for name in [name for name in tables if name.startswith(inside)]:
                del tables[name]


def _move(moved: tuple[str, str, bool], tables: dict[str, TableDetails], where: str, schema: str) -> None:
    named, to, may_be_missing = moved
    name = named if "." in named else f"{schema}.{named}"
    if name in tables:
        tables[f"{to}.{name.rpartition('.')[2]}"] = tables.pop(name)
    elif not may_be_missing:
        raise _unknown(name, where)


def _unknown(name: str, where: str) -> ConfigError:
    return ConfigError(f"ALTER TABLE {name}: no script creates it", where=where, hint="give the scripts in order")


def _dropped(statement: exp.Expression) -> list[exp.Expression]:
    return [each for each in statement.args.get("tables") or [statement.this] if isinstance(each, exp.Expression)]


def _name(table: exp.Expression) -> str:
    return f"{table.args['db'].name if table.args.get('db') else PUBLIC}.{table.name}"


def _create(statement: exp.Create, tables: dict[str, TableDetails]) -> None:
    schema = statement.this
    of = statement.find(exp.PartitionedOfProperty)
    if of is not None and isinstance(of.this, exp.Table) and isinstance(schema, exp.Table) and _name(of.this) in tables:
        tables[_name(schema)] = tables[_name(of.this)]
    if not isinstance(schema, exp.Schema) or (statement.args.get("exists") and _name(schema.this) in tables):
        return
    columns = _taken_over(statement, tables)
    columns |= {each.name: _column(each) for each in schema.expressions if isinstance(each, exp.ColumnDef)}
    unique, alike = _keys_taken_over(schema, tables)
    keys = [each.name for each in schema.expressions if isinstance(each, exp.ColumnDef) and _is_key(each)]
    for key in schema.find_all(exp.PrimaryKey):
        keys = [part.name for part in key.expressions]
    columns = _filled(columns, keys)
    unique += [frozenset(keys)] if keys else []
    unique += [frozenset(part.name for part in each.find_all(exp.Identifier)) for each in _unique_in(schema)]
    unique += [
        frozenset({each.name}) for each in schema.expressions if isinstance(each, exp.ColumnDef) and _is_unique(each)
    ]
    tables[_name(schema.this)] = TableDetails(columns, primary_key=tuple(keys or alike), unique=tuple(unique))


def _taken_over(statement: exp.Create, tables: dict[str, TableDetails]) -> dict[str, ColumnFacts]:
    """Columns of the tables that a new one is LIKE, or inherits from."""
    others = [one.this for one in statement.find_all(exp.LikeProperty)]
    others += [table for one in statement.find_all(exp.InheritsProperty) for table in one.expressions]
    known = [tables[_name(one)].columns for one in others if isinstance(one, exp.Table) and _name(one) in tables]
    return {name: column for columns in known for name, column in columns.items()}


def _keys_taken_over(
    schema: exp.Schema, tables: dict[str, TableDetails]
) -> tuple[list[frozenset[str]], tuple[str, ...]]:
    """Unique column sets and primary key of what a table is LIKE, where it says INCLUDING INDEXES or ALL."""
    unique: list[frozenset[str]] = []
    key: tuple[str, ...] = ()
    for one in schema.find_all(exp.LikeProperty):
        told = {(each.name.upper(), each.args["value"].name.upper()) for each in one.expressions}
        if told & {("INCLUDING", "ALL"), ("INCLUDING", "INDEXES")} and ("EXCLUDING", "INDEXES") not in told:
            other = tables.get(_name(one.this))
            unique += other.unique if other is not None else ()
            key = other.primary_key if other is not None else key
    return unique, key


def _unique_in(schema: exp.Schema) -> list[exp.Expression]:
    """Unique constraints of the table, over one column or several."""
    return [
        each
        for part in schema.expressions
        if not isinstance(part, exp.ColumnDef)
        for each in part.find_all(exp.UniqueColumnConstraint)
    ]


def _is_unique(column: exp.ColumnDef) -> bool:
    return any(isinstance(each.kind, exp.UniqueColumnConstraint) for each in column.args.get("constraints") or [])


def _index(statement: exp.Create, tables: dict[str, TableDetails]) -> None:
    index = statement.this
    table = index.args.get("table") if isinstance(index, exp.Index) else None
    if table is None or not statement.args.get("unique") or index.find(exp.Where):
        return
    name = _name(table)
    params = index.args.get("params")
    named = (params.args.get("columns") if params is not None else None) or []
    parts = [each.this if isinstance(each, exp.Ordered) else each for each in named]
    if name in tables and parts and all(isinstance(each, exp.Column) for each in parts):
        columns = frozenset(each.name for each in parts)
        tables[name] = replace(tables[name], unique=(*tables[name].unique, columns))


def _column(column: exp.ColumnDef) -> ColumnFacts:
    kinds = [each.kind for each in column.args.get("constraints") or []]
    kind = column.args.get("kind")
    filled = any(isinstance(each, exp.NotNullColumnConstraint) and not each.args.get("allow_null") for each in kinds)
    generated = any(isinstance(each, exp.ComputedColumnConstraint) for each in kinds)
    filled = filled or any(isinstance(each, exp.GeneratedAsIdentityColumnConstraint) for each in kinds)
    filled = filled or (kind is not None and "SERIAL" in kind.sql("postgres").upper())
    return ColumnFacts(spelled(kind), nullable=not filled, generated=generated)


def _is_key(column: exp.ColumnDef) -> bool:
    return any(isinstance(each.kind, exp.PrimaryKeyColumnConstraint) for each in column.args.get("constraints") or [])


def _alter(statement: exp.Alter, tables: dict[str, TableDetails], where: str) -> None:
    name = _name(statement.this)
    table = tables.get(name)
    if table is None:
        if statement.args.get("exists"):
            return
        raise _unknown(name, where)
    columns, unique, key = dict(table.columns), list(table.unique), table.primary_key
    to = next((each.this for each in _options(statement)), None)
    added = [each for each in statement.args.get("actions") or [] if isinstance(each, exp.ColumnDef)]
    unique += [frozenset({each.name}) for each in added if _is_unique(each) or _is_key(each)]
    for action in statement.args.get("actions") or []:
        renamed = _renaming(action, to)
        if renamed is not None:
            columns = {renamed.get(name, name): one for name, one in columns.items()}
            unique = [frozenset(renamed.get(name, name) for name in each) for each in unique]
            key = tuple(renamed.get(name, name) for name in key)
        elif isinstance(action, exp.AlterRename):
            del tables[name]
            name = f"{name.partition('.')[0]}.{action.this.name}"
        elif isinstance(action, exp.AddConstraint):
            for primary in action.find_all(exp.PrimaryKey):
                key = tuple(part.name for part in primary.expressions)
                columns = _filled(columns, key)
            keys = [*action.find_all(exp.UniqueColumnConstraint), *action.find_all(exp.PrimaryKey)]
            unique += [frozenset(part.name for part in each.find_all(exp.Identifier)) for each in keys]
        else:
            columns = _altered(columns, action)
    left = tuple(each for each in unique if each <= columns.keys())
    key = key if set(key) <= columns.keys() else ()
    tables[name] = replace(table, columns=columns, primary_key=key, unique=left)


def _filled(columns: dict[str, ColumnFacts], key: Sequence[str]) -> dict[str, ColumnFacts]:
    """The columns of a primary key are never null."""
    return {name: replace(one, nullable=one.nullable and name not in key) for name, one in columns.items()}


def _altered(columns: dict[str, ColumnFacts], action: exp.Expression) -> dict[str, ColumnFacts]:
    if isinstance(action, exp.ColumnDef):
        return {**columns, action.name: _column(action)}
    if isinstance(action, exp.Drop) and action.args.get("kind") == "COLUMN":
        gone = {each.name for each in _dropped(action)}
        return {name: one for name, one in columns.items() if name not in gone}
    if isinstance(action, exp.AlterColumn) and action.this.name in columns:
        one, kind = columns[action.this.name], action.args.get("dtype")
        if kind is not None:
            return {**columns, action.this.name: replace(one, type=spelled(kind))}
        if action.args.get("allow_null") is not None:
            return {**columns, action.this.name: replace(one, nullable=bool(action.args["allow_null"]))}
    return columns


def _renaming(action: exp.Expression, to: exp.Expression | None) -> dict[str, str] | None:
    """Old name and new one of a column, where the action renames one. ``to``: of RENAME a TO b, without COLUMN."""
    if isinstance(action, exp.RenameColumn):
        return {action.this.name: action.args["to"].name}
    if isinstance(action, exp.AlterRename) and to is not None:
        return {action.this.name: to.name}
    return None


def _options(statement: exp.Alter) -> list[exp.ToTableProperty]:
    return [each for each in statement.args.get("options") or [] if isinstance(each, exp.ToTableProperty)]
