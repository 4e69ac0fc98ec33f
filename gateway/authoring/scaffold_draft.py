"""A draft of a mapping: which tables make up the aggregate, its key, and every column under a name of the domain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.authoring.scaffold_guess import Guess, camel, guess_column
from gateway.mapping.grammar import RESERVED
from gateway.model.errors import ConfigError
from gateway.model.shape import TableShape

__all__ = ["Draft", "DraftColumn", "DraftTable", "draft"]


@dataclass(frozen=True, slots=True)
class DraftColumn:
    """A column with its domain name."""

    name: str
    guess: Guess

    @property
    def is_fact(self) -> bool:
        """Whether a change of it may mean something."""
        return not self.guess.bookkeeping


@dataclass(frozen=True, slots=True)
class DraftTable:
    """A table; ``row`` and ``key``: domain names that identify a row, and its aggregate; ``why``: what was guessed."""

    shape: TableShape
    name: str
    row: tuple[str, ...]
    key: tuple[str, ...]
    columns: tuple[DraftColumn, ...]
    why: tuple[str, ...] = ()

    @property
    def facts(self) -> tuple[DraftColumn, ...]:
        """Columns whose change may mean something: no bookkeeping, and not what identifies row or aggregate."""
        return tuple(one for one in self.columns if one.is_fact and one.name not in (*self.row, *self.key))


@dataclass(frozen=True, slots=True)
class Draft:
    """A mapping to be written: the root table first. ``key``: domain names, in every table."""

    name: str
    type: str
    topic: str
    key: tuple[str, ...]
    tables: tuple[DraftTable, ...]
    why: tuple[str, ...] = ()


def draft(name: str, shapes: Sequence[TableShape], topic: str, key: Sequence[str] = (), type_: str = "") -> Draft:
    """Draft the mapping ``name`` over these tables. ``key``: its legacy columns in the root table; guessed if empty.

    ConfigError: the tables have no key in common, or a column of ``key`` is not there.
    """
    root, raws, why = _root(shapes, tuple(key))
    names = _key_names(root, raws)
    tables = [
        _table(shape, root, _columns_of_key(shape, root, raws), names)
        for shape in (root, *(s for s in shapes if s is not root))
    ]
    return Draft(name, type_ or _capital(camel(name)), topic, names, tuple(_distinct(tables)), why)


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _root(shapes: Sequence[TableShape], key: tuple[str, ...]) -> tuple[TableShape, tuple[str, ...], tuple[str, ...]]:
    """The table that the aggregate is named by, the key's columns in it, and how both were found."""
    if key:
        for shape in shapes:
            own = {column.name for column in shape.columns}
            if own.issuperset(key) and all(_columns_of_key(other, shape, key) for other in shapes):
                return shape, key, ()
        raise _no_key(shapes, f"not every table has the columns {', '.join(key)}")
    for shape in sorted(shapes, key=lambda one: (-_referred(one, shapes), shapes.index(one))):
        common = tuple(one for one in shape.key if all(_columns_of_key(other, shape, (one,)) for other in shapes))
        if common and (len(common) == len(shape.key) or len(shapes) > 1):
            return shape, common, _how(shape, shapes, common)
    raise _no_key(shapes, "they have no key column in common")


def _referred(shape: TableShape, shapes: Sequence[TableShape]) -> int:
    return sum(
        any(reference.table == shape.name for reference in other.references) for other in shapes if other is not shape
    )


def _how(shape: TableShape, shapes: Sequence[TableShape], key: tuple[str, ...]) -> tuple[str, ...]:
    told = [f"the aggregate's key is {', '.join(key)} of {shape.name}: {shape.guessed_key or 'its primary key'}"]
    parents = sorted({reference.table for reference in shape.references})
    if len(shapes) == 1 and parents:
        told.append(f"it refers to {', '.join(parents)}: if its rows belong to one of those, scaffold them together")
    children = sorted(set(shape.referrers) - {one.name for one in shapes})
    if children:
        told.append(f"not in here, though they refer to it: {', '.join(children)}")
    return tuple(told)


def _no_key(shapes: Sequence[TableShape], what: str) -> ConfigError:
    told = "; ".join(f"{one.name}: {', '.join(one.key) or 'no primary key'}" for one in shapes)
    hint = f"say --key COLUMN, or scaffold one mapping for each aggregate; keys: {told}"
    return ConfigError(f"one aggregate has one key in all its tables: {what}", where="--table", hint=hint)


def _columns_of_key(shape: TableShape, root: TableShape, raws: Sequence[str]) -> tuple[str, ...]:
    """Columns of a table that hold the aggregate's key: by a foreign key, else by name; () if there are none."""
    if shape is root:
        return tuple(raws)
    for reference in shape.references:
        if reference.table == root.name and set(raws) <= set(reference.targets):
            return tuple(reference.columns[reference.targets.index(raw)] for raw in raws)
    own = {column.name for column in shape.columns}
    return tuple(raws) if own.issuperset(raws) else ()


def _key_names(root: TableShape, raws: Sequence[str]) -> tuple[str, ...]:
    told = root.record_key or {}
    return tuple(told.get(raw, camel(raw)) for raw in raws)


def _table(shape: TableShape, root: TableShape, key: Sequence[str], names: Sequence[str]) -> DraftTable:
    named: dict[str, str] = dict(zip(key, names, strict=True))
    for column in shape.columns:
        if column.name not in named:
            named[column.name] = _free(camel(column.name), set(named.values()))
    columns = tuple(DraftColumn(named[one.name], guess_column(shape, one)) for one in shape.columns)
    columns = tuple(_identifying(one) if one.guess.raw in {*key, *shape.key} else one for one in columns)
    row = shape.key or tuple(key)
    why = (shape.guessed_key,) if shape.guessed_key else ()
    if not shape.key:
        why = ("no primary key is known: say in `row:` what tells its rows apart",)
    return DraftTable(
        shape, _table_name(shape.name, root.name), tuple(named[raw] for raw in row), tuple(names), columns, why
    )


def _identifying(column: DraftColumn) -> DraftColumn:
    """What identifies a row is a fact, and no code."""
    guess = column.guess
    return (
        replace(column, guess=replace(guess, bookkeeping=False, decode=None))
        if guess.bookkeeping or guess.decode
        else column
    )


def _free(name: str, taken: set[str]) -> str:
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}{number}", number + 1
    return found


def _table_name(physical: str, root: str) -> str:
    """``crm.cust_addr`` beside ``crm.cust`` is ``addr``."""
    plain, prefix = physical.rpartition(".")[2], f"{root.rpartition('.')[2]}_"
    name = camel(plain.removeprefix(prefix) or plain)
    return f"{name}Row" if name in RESERVED or not re.fullmatch(r"[a-z][A-Za-z0-9]*", name) else name


def _distinct(tables: Sequence[DraftTable]) -> list[DraftTable]:
    found: list[DraftTable] = []
    taken: set[str] = set()
    for table in tables:
        name = _free(table.name, taken)
        taken.add(name)
        found.append(replace(table, name=name))
    return found
