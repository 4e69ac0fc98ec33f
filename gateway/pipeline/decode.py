"""Raw record → change event, a mark that changes no row, or a broken record with its class."""

from __future__ import annotations

from copy import copy

import msgspec

from gateway.model.change import ChangeEvent, Operation, SourceRef
from gateway.model.errors import ConfigError, LetterClass, RecordError
from gateway.model.record import RawRecord
from gateway.model.unit import Broken, Decoded, Mark, MarkKind
from gateway.pipeline.avro_in import AvroReader, SchemaById
from gateway.pipeline.envelope import Envelope, SourceBlock, read_json, sequence_commit
from gateway.pipeline.keys import Key, KeyReader, other_key
from gateway.pipeline.messages import MESSAGE_TABLE, content_of
from gateway.pipeline.unsent import mark_unsent, may_hold_unsent

__all__ = ["MESSAGE_TABLE", "Decoder"]

_OPERATIONS = {str(operation): operation for operation in Operation}
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
_NOT_SNAPSHOT = (None, False, "false")
_YEAR_10000 = 253_402_300_800_000


class Decoder:
    """Decodes the records of one raw topic. ``key``: domain names of the aggregate's key columns, in order.

    ``avro`` looks writers' schemas up where values are Avro in Confluent wire format; without it they are JSON.
    """

    def __init__(self, key: tuple[str, ...], avro: SchemaById | None = None) -> None:
        self._names = key
        self._avro = AvroReader(avro) if avro else None
        self._key = KeyReader(key, self._avro)
        self._form: str | None = None

    def of_partition(self, form: str) -> Decoder:
        """A decoder for one partition of the topic, whose keys have this ``form`` (empty: that of the first row).

        It raises ConfigError for a row whose key has another one.
        """
        found = copy(self)
        found._form = form
        return found

    def form_of(self, record: RawRecord) -> str:
        """The form of a record's key; empty if it cannot be read."""
        key = self._key(record.key)
        return "" if isinstance(key, RecordError) else key.form

    def __call__(self, record: RawRecord) -> Decoded:
        """Never fails for bad data (``Broken``). ConfigError: a row keyed by other columns than the mapping's."""
        if record.value is None:
            return Mark(record, MarkKind.TOMBSTONE)
        try:
            envelope = self._envelope(record.value)
            if envelope is None:
                return Mark(record, MarkKind.TOMBSTONE)
            mark = _mark(envelope)
            if mark is not None:
                return _marked(record, mark, envelope)
            return self._row(record, envelope)
        except _UNREADABLE as error:
            return self._broken(record, RecordError(LetterClass.DECODE, str(error), where=record.place, stage="decode"))

    def _envelope(self, value: bytes) -> Envelope | None:
        if self._avro is not None:
            return msgspec.convert(self._avro(value), Envelope)
        if not value:
            raise ValueError("the value is empty")
        return read_json(value)

    def _row(self, record: RawRecord, envelope: Envelope) -> Decoded:
        operation = _OPERATIONS.get(envelope.op or "")
        if operation is None or envelope.source is None:
            raise ValueError("not a change: no `op` of c, u, d, r, t, m, or no `source`")
        before, after = envelope.before, envelope.after
        if operation is Operation.MESSAGE:
            before, after = None, content_of(envelope.message)
        elif operation is not Operation.DELETE and after is None:
            raise ValueError(f"op {operation} without `after`")
        if may_hold_unsent(record.value or b""):
            mark_unsent(before)
            mark_unsent(after)
        source = _source(envelope.source, operation, envelope)
        other = None
        if record.headers and operation in (Operation.DELETE, Operation.CREATE):
            other = other_key(record.headers)
        key = self._key(record.key)
        if isinstance(key, RecordError):
            return Broken(record, key)
        if key.unknown:
            raise self._wrong_key(record, key)
        if self._form is not None and key.form != self._form:
            self._watch(record, key.form)
        if operation is Operation.MESSAGE:
            after = {**(after or {}), **key.columns}
        return ChangeEvent(
            record, _table(envelope.source, operation), operation, before, after, key.columns, source, other, key[1]
        )

    def _broken(self, record: RawRecord, error: RecordError) -> Broken:
        key = self._key(record.key)
        if isinstance(key, RecordError) or key.unknown:
            return Broken(record, error)
        return Broken(record, error, key.columns, key.aggregate_id)

    def _wrong_key(self, record: RawRecord, key: Key) -> ConfigError:
        return ConfigError(
            f"the record key does not have the columns {', '.join(self._names)}: {', '.join(key.unknown)} differ"
            + (f" ({key.form})" if key.form else ""),
            where=record.place,
            hint="message.key.columns, its renaming, or the key converter was changed; use a new raw topic",
        )

    def _watch(self, record: RawRecord, form: str) -> None:
        if self._form:
            raise ConfigError(
                f"record keys were {self._form}, from here on they are {form}: no record of that form was settled",
                where=record.place,
                hint="the key converter was changed: key bytes decide the partition, so aggregates moved between "
                "partitions and their order is gone; capture into a new raw topic",
            )
        self._form = form


def _mark(envelope: Envelope) -> MarkKind | None:
    if envelope.op is None:
        if envelope.status in ("BEGIN", "END"):
            return MarkKind.TRANSACTION
        return MarkKind.HEARTBEAT if envelope.ts_ms is not None and envelope.source is None else None
    if envelope.op == Operation.TRUNCATE:
        return MarkKind.TRUNCATE
    if envelope.op == Operation.MESSAGE and envelope.source is not None and envelope.source.txId is None:
        return MarkKind.MESSAGE
    return None


def _marked(record: RawRecord, kind: MarkKind, envelope: Envelope) -> Mark:
    table = _table(envelope.source, Operation.TRUNCATE) if kind is MarkKind.TRUNCATE and envelope.source else ""
    return Mark(record, kind, table)


def _table(source: SourceBlock, operation: Operation) -> str:
    if operation is Operation.MESSAGE:
        return MESSAGE_TABLE
    return f"{source.schema}.{source.table}" if source.schema else source.table or ""


def _source(block: SourceBlock, operation: Operation, envelope: Envelope) -> SourceRef:
    snapshot = operation is Operation.SNAPSHOT or block.snapshot not in _NOT_SNAPSHOT
    if not snapshot and (block.txId is None or block.lsn is None or block.ts_ms is None):
        raise ValueError("`source` lacks txId, lsn or ts_ms: not a row of a PostgreSQL transaction")
    if not 0 <= (block.ts_ms or 0) < _YEAR_10000:
        raise ValueError(f"`source.ts_ms` {block.ts_ms} is no time")
    order = envelope.transaction.total_order if envelope.transaction else None
    return SourceRef(
        block.name,
        block.db,
        block.table or "",
        block.txId,
        sequence_commit(block.sequence),
        block.lsn or 0,
        block.ts_ms or 0,
        snapshot,
        block.version,
        order,
    )
