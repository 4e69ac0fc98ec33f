"""A decoded record, and one transaction's changes to one aggregate."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from gateway.model.record import RawRecord

__all__ = ["ChangeEvent", "ChangeSet", "Image", "Operation", "SourceRef"]

Image = Mapping[str, object]
"""Raw columns of one row image: legacy name -> JSON value; an unsent placeholder is ``UNSENT`` (model.values)."""


class Operation(StrEnum):
    """Debezium's letters for what happened to a row."""

    CREATE = "c"
    UPDATE = "u"
    DELETE = "d"
    SNAPSHOT = "r"
    TRUNCATE = "t"
    MESSAGE = "m"


class SourceRef(Struct, frozen=True):
    """The envelope's ``source`` block, as far as the gateway reads it.

    ``commit`` is the first number of ``source.sequence`` (None on the first transaction of a new connector), ``ts_ms``
    the commit time in milliseconds, ``snapshot`` true for rows read from the table instead of the log.
    """

    name: str
    database: str
    table: str
    tx_id: int | None
    commit: int | None
    lsn: int
    ts_ms: int
    snapshot: bool = False
    version: str = ""
    total_order: int | None = None


class ChangeEvent(Struct, frozen=True):
    """One decoded record: a row's change. ``table`` is ``schema.table``.

    ``key`` is the decoded record key (domain names, raw values). ``other_key`` is the aggregate key on the far side of
    a key change: with a delete the row *leaves* to it, with a create it *arrives* from it; its names are the legacy
    ones (the connector's own header). ``aggregate_id`` is the key as text (identity.aggregate_id).
    """

    record: RawRecord
    table: str
    operation: Operation
    before: Image | None
    after: Image | None
    key: Mapping[str, object]
    source: SourceRef
    other_key: Mapping[str, object] | None = None
    aggregate_id: str = ""


class ChangeSet(Struct, frozen=True):
    """One transaction's changes to one aggregate in one partition, in partition order; a snapshot row stands alone.

    ``aggregate_id`` is the key columns as text joined by ``|`` (escaped). ``commit`` is the resolved ``c`` of the
    transaction and ``incarnation`` its source's.
    """

    mapping: str
    key: Mapping[str, object]
    aggregate_id: str
    changes: tuple[ChangeEvent, ...]
    incarnation: int
    commit: int
    snapshot: bool = False
