"""Domain event → what goes on the wire: framed Avro, CloudEvents headers, lineage (design.md, On the wire)."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, Literal

import fastavro

from gateway.mapping.compiled import CompiledMapping, EventType
from gateway.model.change import ChangeEvent, ChangeSet
from gateway.model.errors import LetterClass, RecordError
from gateway.model.event import DomainEvent, EncodedEvent, Intent
from gateway.model.record import Headers
from gateway.model.unit import Taken
from gateway.pipeline.admit import Incarnations
from gateway.pipeline.identity import event_id, sequence, state_sequence
from gateway.pipeline.lookups import lineage_of

__all__ = ["Encoders", "EventEncoder", "HeaderStyle", "WireSettings", "encoders"]

HeaderStyle = Literal["cloudevents", "full", "minimal"]
_UNFIT = (ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError, struct.error)
_SPECVERSION = ("ce_specversion", b"1.0")
_CONTENT_TYPE = ("content-type", b"application/avro")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class WireSettings:
    """What an installation decides about its events. ``epochs``: ownership epoch of each capability (default 0).

    ``incarnations``: declared timelines of the source (admit.Incarnations).
    """

    prefix: str = ""
    headers: HeaderStyle = "cloudevents"
    epochs: tuple[tuple[str, int], ...] = ()
    incarnations: Incarnations = ()


class EventEncoder:
    """Encodes the events of one type. ``schema_id``: the contract's id in the registry."""

    def __init__(self, kind: EventType, mapping: CompiledMapping, schema_id: int, wire: WireSettings) -> None:
        self._aggregate = mapping.aggregate
        self._prefix = b"\x00" + schema_id.to_bytes(4, "big")
        self._schema: Any = fastavro.parse_schema(dict(kind.schema))
        self._wire = wire
        self._topic = wire.prefix + kind.topic
        self._epoch = dict(wire.epochs).get(kind.capability, 0)
        self._type = ("ce_type", kind.full_name.encode())
        self._mapping = mapping.name
        self._kind = kind
        self._constant = f",mapping={mapping.digest[:8]},origin=cdc,capability={kind.capability}"

    def __call__(self, event: DomainEvent, change_set: ChangeSet, before: Taken | None) -> EncodedEvent:
        """The event on the wire. ``before``: the last row taken before a snapshot row (for state events).

        RecordError (contract) if the payload does not fit its schema.
        """
        change = change_set.changes[event.change]
        subject = change_set.aggregate_id.encode()
        value = self._encode(event)
        headers = self._headers(event, change_set, change, subject, before)
        return EncodedEvent(self._topic, subject, value, headers, event, change.record)

    def _encode(self, event: DomainEvent) -> bytes:
        body = BytesIO()
        body.write(self._prefix)
        try:
            fastavro.schemaless_writer(body, self._schema, event.data)
        except _UNFIT as error:
            raise RecordError(
                LetterClass.CONTRACT,
                f"{event.name} does not fit its contract: {error or type(error).__name__}",
                rule=event.rule,
                where=self._kind.file,
                stage="encode",
            ) from error
        return body.getvalue()

    def _headers(
        self, event: DomainEvent, change_set: ChangeSet, change: ChangeEvent, subject: bytes, before: Taken | None
    ) -> Headers:
        source = change.source
        identity = event_id(
            source.name, change_set.incarnation, event.row, self._aggregate, change_set.aggregate_id, event.name,
            event.version, event.slot,
        )  # fmt: skip
        ce_id = ("ce_id", identity.encode())
        trace = _traceparent(change.record.headers)
        if self._wire.headers == "minimal":
            return (ce_id, *trace)
        if event.intent is Intent.STATE:
            order = state_sequence(self._epoch, before)
        else:
            order = sequence(self._epoch, change_set.incarnation, change_set.commit, 0, event.place)
        lineage = self._lineage(event, change_set, change)
        if self._wire.headers == "full":
            parts = (part.split("=", 1) for part in lineage.split(","))
            extensions: Headers = tuple((f"ce_{name}", value.encode()) for name, value in parts)
        else:
            extensions = (("lineage", lineage.encode()),)
        return (
            _SPECVERSION,
            ce_id,
            ("ce_source", _source_name(self._wire.prefix, source.name)),
            self._type,
            ("ce_subject", subject),
            ("ce_time", _time(source.ts_ms)),
            ("ce_sequence", order.encode()),
            _CONTENT_TYPE,
            *extensions,
            *trace,
        )

    def _lineage(self, event: DomainEvent, change_set: ChangeSet, change: ChangeEvent) -> str:
        source = change.source
        transaction = f",tx={source.tx_id}" if source.tx_id is not None else ""
        place = f",pos={change_set.incarnation}.{change_set.commit}.{event.row.lsn}"
        looked_up = f",lookup={lineage_of(event.lookups)}" if event.lookups else ""
        return f"intent={event.intent},rule={self._mapping}/{event.rule}{self._constant}{transaction}{place}{looked_up}"


@lru_cache(maxsize=64)
def _source_name(prefix: str, name: str) -> bytes:
    return "/".join(["", *filter(None, [prefix.strip("./-_"), name])]).encode()


@lru_cache(maxsize=4096)
def _time(ts_ms: int) -> bytes:
    moment = _EPOCH + dt.timedelta(milliseconds=ts_ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ts_ms % 1000:03d}Z".encode()


def _traceparent(headers: Headers) -> Headers:
    return tuple(header for header in headers if header[0] == "traceparent") if headers else ()


Encoders = dict[tuple[str, int], EventEncoder]


def encoders(mapping: CompiledMapping, schema_ids: Mapping[str, int], wire: WireSettings) -> Encoders:
    """One encoder for each version of an event, by name and version. KeyError for a contract without an id."""
    return {
        (kind.name, kind.version): EventEncoder(kind, mapping, schema_ids[kind.full_name], wire)
        for kind in mapping.contracts
    }
