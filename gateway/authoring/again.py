"""An explanation evaluated again: the records it prints, through the very same stages, give the outcome it states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.authoring.offline import mapping_of_topic
from gateway.authoring.packed import unpack
from gateway.authoring.settled import Settled
from gateway.authoring.told import FORMAT, VERSION
from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import ConfigError, LetterClass
from gateway.model.letter import ParkEntry
from gateway.model.record import RawRecord
from gateway.model.unit import Decoded, Duplicate, Entry, Taken, Unit
from gateway.pipeline.avro_in import SchemaById
from gateway.pipeline.decode import Decoder
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.split import Group, groups
from gateway.pipeline.translate import translate

__all__ = ["evaluate", "is_explanation"]


def is_explanation(document: object) -> bool:
    """Whether a JSON document is a printed explanation."""
    return isinstance(document, dict) and document.get("format") == FORMAT


def evaluate(
    document: Mapping[str, Any],
    mappings: Sequence[CompiledMapping],
    books: Mapping[str, Rulebook],
    avro: SchemaById | None = None,
) -> tuple[Settled, RawRecord] | None:
    """Settle the explanation's records anew, under ``mappings``; the record it was asked about. None: not read by any.

    ConfigError: a document of another version, or one that lacks something.
    """
    try:
        if document["version"] != VERSION:
            raise ConfigError(f"explanations of version {document['version']} are not read, {VERSION} is")
        records = [(unpack(each["raw"]), each["entry"]) for each in document["records"]]
        record = next(each for each, _ in records if each.place == document["record"])
        mapping = mapping_of_topic(record.topic, mappings)
        if mapping is None or document["unit"] is None:
            return None
        decoder = Decoder(mapping.key, avro)
        entries = tuple(_entry(each, kind, decoder) for each, kind in records)
        unit = _unit(document["unit"], entries)
        parked = _parked(document["change_set"])
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        hint = "give it as `gateway explain … -o json` printed it"
        raise ConfigError(f"not an explanation: {type(error).__name__}: {error}", hint=hint) from error
    book = books[mapping.name]
    found = groups(unit)
    translation = translate(unit, book, dict(parked))
    group = found[0] if found else Group("", [0])
    return Settled(unit, unit, group, parked.get(group.aggregate_id), translation, book), record


def _entry(record: RawRecord, kind: str, decoder: Decoder) -> Entry:
    decoded: Decoded = decoder(record)
    return Duplicate(record) if kind == "duplicate" else decoded


def _unit(told: Mapping[str, Any], entries: tuple[Entry, ...]) -> Unit:
    before = None if told["before"] is None else Taken(*told["before"])
    return Unit(
        told["topic"],
        told["partition"],
        told["first_offset"],
        told["next_offset"],
        entries,
        told["transaction"],
        told["incarnation"],
        told["commit"],
        before,
        before,
        0,
        told["restarted"],
    )


def _parked(told: Mapping[str, Any] | None) -> dict[str, ParkEntry]:
    if told is None or told["parked"] is None:
        return {}
    entry = told["parked"]
    letter = LetterClass(entry["letter_class"])
    return {told["id"]: ParkEntry(entry["head"], entry["last"], entry["letters"], entry["attempt"], letter)}
