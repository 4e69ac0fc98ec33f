"""Legacy tables as a newcomer sees them: columns, keys, comments and a sample of what stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ColumnShape", "Reference", "TableShape"]


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A column. ``type`` as the database spells it (``character(3)``, ``numeric(9,2)``).

    ``allowed``: the codes a check constraint lists; ``comment``: what the database says of it.
    """

    name: str
    type: str
    nullable: bool = True
    comment: str = ""
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: ``columns`` here are ``targets`` of ``table``, in this order."""

    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table (``schema.table``) and what was seen of it.

    ``key``: its primary key, or what takes its place; empty: none is known. ``rows``: images as the connector would
    send them. ``updates``: the columns that each update seen changed. ``record_key``: key columns of its raw records by
    their own name, where records were seen. ``referrers``: tables that refer to it. ``guessed_key``: why ``key`` is
    only a guess; empty where the database says so.
    """

    name: str
    columns: tuple[ColumnShape, ...]
    key: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    comment: str = ""
    rows: tuple[Mapping[str, object], ...] = ()
    updates: tuple[frozenset[str], ...] = ()
    record_key: Mapping[str, str] | None = None
    referrers: tuple[str, ...] = ()
    guessed_key: str = ""

    def column(self, name: str) -> ColumnShape:
        """The column of this name. KeyError: there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
