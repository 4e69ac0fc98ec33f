"""Raw records as Debezium sends them, made by hand: for test cases, golden files and simulated sources."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from gateway.model.record import Headers, RawRecord

__all__ = ["Forge", "Position"]

_RowImage = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a change stands in the source: transaction, ``c`` (None: not known), LSN, commit time in ms, its order."""

    tx_id: int | None
    commit: int | None
    lsn: int
    ts_ms: int
    total_order: int = 1


@dataclass(frozen=True, slots=True)
class Forge:
    """Makes records of one raw topic. ``envelope``: with or without the JSON converter's schema block."""

    topic: str
    source_name: str = "legacy"
    database: str = "insurer"
    version: str = "3.7.0.Final"
    schema_block: bool = False

    def change(
        self,
        place: tuple[int, int],
        key: Mapping[str, object] | None,
        table: str,
        op: str,
        before: _RowImage,
        after: _RowImage,
        position: Position,
        other_key: Mapping[str, object] | None = None,
    ) -> RawRecord:
        """A row's change at ``place`` (partition, offset). ``op``: Debezium's letter; ``table``: ``schema.table``.

        ``other_key`` (legacy names) makes it half of a key change: a ``d`` leaves to it, a ``c`` arrives from it.
        """
        schema, _, name = table.rpartition(".")
        source = {
            "version": self.version,
            "connector": "postgresql",
            "name": self.source_name,
            "ts_ms": position.ts_ms,
            "snapshot": "true" if op == "r" else "false",
            "db": self.database,
            "sequence": _sequence(position),
            "schema": schema,
            "table": name,
            "txId": position.tx_id,
            "lsn": position.lsn,
            "xmin": None,
        }
        transaction = None
        if op != "r" and position.tx_id is not None:
            transaction = {
                "id": f"{position.tx_id}:{position.lsn}",
                "total_order": position.total_order,
                "data_collection_order": position.total_order,
            }
        envelope = {
            "before": before,
            "after": after,
            "source": source,
            "transaction": transaction,
            "op": op,
            "ts_ms": position.ts_ms + 5,
        }
        headers: Headers = ()
        if other_key is not None:
            name = "__debezium.newkey" if op == "d" else "__debezium.oldkey"
            headers = ((name, msgspec.json.encode(other_key)),)
        return self.record(place, key, envelope, position.ts_ms + 10, headers)

    def message(
        self, place: tuple[int, int], key: Mapping[str, object], content: Mapping[str, object], position: Position
    ) -> RawRecord:
        """A logical message of a transaction (``pg_logical_emit_message``), routed to the aggregate of ``key``."""
        row = self.change(place, key, "", "m", None, None, position)
        envelope = msgspec.json.decode(row.value or b"")
        change = envelope["payload"] if self.schema_block else envelope
        encoded = b64encode(msgspec.json.encode(content)).decode()
        change["message"] = {"prefix": "|".join(str(value) for value in key.values()), "content": encoded}
        return self.record(place, key, change, row.timestamp_ms)

    def record(
        self,
        place: tuple[int, int],
        key: Mapping[str, object] | None,
        value: Mapping[str, object] | None,
        timestamp_ms: int,
        headers: Headers = (),
    ) -> RawRecord:
        """Any record of the topic, its key and value as JSON."""
        partition, offset = place
        return RawRecord(self.topic, partition, offset, timestamp_ms, self._json(key), self._json(value), headers)

    def _json(self, datum: Mapping[str, object] | None) -> bytes | None:
        if datum is None:
            return None
        return msgspec.json.encode({"schema": {"type": "struct"}, "payload": datum} if self.schema_block else datum)


def _sequence(position: Position) -> str:
    commit = None if position.commit is None else str(position.commit)
    return msgspec.json.encode([commit, str(position.lsn)]).decode()
