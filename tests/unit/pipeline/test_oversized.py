"""What is larger than a topic or a transaction takes is a dead letter of class `oversized`; all else goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from test_translate import TOPIC, Log, headers

from gateway.authoring.offline import assemble, translations
from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import LetterClass, PartitionHalted
from gateway.pipeline.letters import hash_of
from gateway.pipeline.limits import Limits, record_size
from gateway.pipeline.rulebook import Rulebook
from gateway.pipeline.translate import Translation
from tests.property.small_mapping import schema_ids, small_mapping

KB = 1024


def read(log: Log, limits: Limits, mapping: CompiledMapping | None = None) -> Iterator[Translation]:
    mapping = mapping or small_mapping()
    book = Rulebook.of(mapping, schema_ids(mapping), limits=limits)
    units = assemble(log.records, [mapping])
    return (done for _, done in translations(units, [mapping], {mapping.name: book}))


def test_an_event_larger_than_its_topic_takes_is_a_dead_letter_and_parks_its_aggregate_only() -> None:
    log = Log().begin().moved("S" * 40 * KB).moved("B", key=8).begin().moved("C").moved("D", key=8)
    first, second = read(log, Limits(records={"customer.events": 40 * KB}))
    assert [event.key for event in (*first.events, *second.events)] == [b"8", b"8"]
    (letter,) = first.letters
    assert (letter.letter_class, letter.rule, letter.value) == ("oversized", "moved", log.records[0].value)
    told = headers(letter)["__connect.errors.exception.message"]
    assert "CustomerAddressChanged has 41" in told
    assert "customer.events takes 40960" in told
    assert "max.message.bytes" in told
    assert [one.letter_class for one in second.letters] == ["order-blocked"]
    assert first.parks[0].entry.letter_class is LetterClass.OVERSIZED


def test_the_limit_is_exact_and_counts_key_value_and_headers() -> None:
    log = Log().begin().moved("S" * 100)
    (done,) = read(log, Limits())
    (event,) = done.events
    size = record_size(event.key, event.value, event.headers)
    (fits,) = read(log, Limits(record_bytes=size))
    (too_large,) = read(log, Limits(record_bytes=size - 1))
    assert (len(fits.events), len(too_large.events), len(too_large.letters)) == (1, 0, 1)


def test_a_long_header_brought_along_counts_too() -> None:
    log = Log().begin().moved("A")
    log.records[0] = replace_headers(log, b"0" * 20 * KB)
    (done,) = read(log, Limits(records={"customer.events": 20 * KB}))
    assert [letter.letter_class for letter in done.letters] == ["oversized"]


def replace_headers(log: Log, parent: bytes):
    record = log.records[0]
    return type(record)(*[getattr(record, name) for name in record.__struct_fields__[:-1]], (("traceparent", parent),))


@pytest.mark.parametrize(
    ("limits", "told"),
    [(Limits(set_events=2), "gives 3 events, 2 are allowed"), (Limits(set_bytes=1_500), "gives 3 events of 0.0 MB")],
)
def test_a_change_set_that_says_more_than_one_transaction_takes_is_a_dead_letter(limits: Limits, told: str) -> None:
    log = Log().begin()
    for number in (1, 2, 3):
        log.change("crm.cust_addr", "c", None, {"addr_id": number, "cust_id": 7, "str": "N", "city": "B", "lat": "1"})
    assert sum(len(record.value or b"") for record in log.records) < 1_500
    (done,) = read(log, limits)
    assert told in headers(done.letters[0])["__connect.errors.exception.message"]
    assert [letter.letter_class for letter in done.letters] == ["oversized"] * 3


def test_one_that_is_too_large_to_be_looked_at_becomes_one_pointer() -> None:
    """No rule sees it; the letter names the raw records and their hash, later changes are parked behind it."""
    log = Log().begin().moved("A" * KB).moved("B" * KB, key=8).moved("C" * KB).begin().moved("D")
    limits = Limits(set_bytes=2 * KB, letter_bytes=2 * KB)
    first, second = read(log, limits)
    assert [event.key for event in first.events] == [b"8"]
    (letter,) = first.letters
    assert (letter.key, letter.value, letter.letter_class) == (log.records[0].key, None, "oversized")
    told = headers(letter)
    assert (told["gateway.pointer"], told["unit"]) == (f"{TOPIC}[0]@0-2", "701:1/1")
    assert told["gateway.sha256"] == hash_of([log.records[0].value, log.records[2].value])
    entry = first.parks[0].entry
    assert (entry.head, entry.last, entry.letters) == (0, 2, 1)
    assert first.counters.dead_lettered == 2
    assert [one.letter_class for one in second.letters] == ["order-blocked"]
    assert second.parks[0].entry.letters == 2


def test_any_dead_change_set_above_the_limit_of_letters_is_a_pointer() -> None:
    log = Log().begin().bad().moved("A").moved("B").begin().moved("C").moved("D").moved("E")
    first, second = read(log, Limits(letter_records=2))
    assert [(one.letter_class, one.value) for one in first.letters] == [("decode", None)]
    assert [(one.letter_class, one.value) for one in second.letters] == [("order-blocked", None)]
    assert headers(second.letters[0])["gateway.pointer"] == f"{TOPIC}[0]@3-5"


def test_under_halt_it_stops_the_partition() -> None:
    mapping = replace(small_mapping(), on_error="halt")
    with pytest.raises(PartitionHalted, match=r"customer\.events takes"):
        list(read(Log().begin().moved("S" * 40 * KB), Limits(record_bytes=40 * KB), mapping))
