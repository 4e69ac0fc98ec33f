"""A dead letter above the topic's limit is a pointer with the hash of the whole and its first 64 KB."""

from __future__ import annotations

import hashlib

import pytest

from gateway.model.errors import LetterClass, RecordError
from gateway.model.record import RawRecord
from gateway.pipeline.letters import dead_letter
from gateway.pipeline.limits import record_size

ERROR = RecordError(LetterClass.DECODE, "no JSON", stage="decode")
LIMIT = 1_000_000
OURS = record_size(
    b"key",
    b"",
    dead_letter(
        RawRecord("raw", 2, 17, 5, b"key", b"", (("own", b"1"),)), ERROR, digest="d", aggregate_id="", unit="@17:1/1"
    ).headers,
)


@pytest.mark.parametrize(("size", "kept"), [(LIMIT - OURS, LIMIT - OURS), (LIMIT - OURS + 1, 64 * 1024)])
def test_only_a_value_above_the_limit_is_cut(size: int, kept: int) -> None:
    value = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    record = RawRecord("raw", 2, 17, 5, b"key", value, (("own", b"1"),))
    letter = dead_letter(record, ERROR, digest="d", aggregate_id="", unit="@17:1/1", largest=LIMIT)
    assert letter.value == value[:kept]
    assert (letter.key, letter.timestamp_ms, letter.headers[0]) == (b"key", 5, ("own", b"1"))
    headers = dict(letter.headers)
    cut = kept != size
    assert headers.get("gateway.pointer") == (b"raw[2]@17" if cut else None)
    assert headers.get("gateway.sha256") == (hashlib.sha256(value).hexdigest().encode() if cut else None)


@pytest.mark.parametrize(
    ("key", "own"), [(b"k" * 2_000_000, b""), (b"key", b"h" * 2_000_000), (None, b"h" * 2_000_000)]
)
def test_a_key_or_headers_that_no_topic_takes_are_left_to_the_pointer(key: bytes | None, own: bytes) -> None:
    record = RawRecord("raw", 2, 17, 5, key, b"v" * 100, (("own", own),))
    letter = dead_letter(record, ERROR, digest="d", aggregate_id="", unit="@17:1/1", largest=LIMIT)
    assert record_size(letter.key, letter.value, letter.headers) <= LIMIT
    assert dict(letter.headers)["gateway.pointer"] == b"raw[2]@17"


def test_an_error_that_quotes_the_record_at_length_is_cut() -> None:
    error = RecordError(LetterClass.CONTRACT, "x" * 5_000_000, stage="encode")
    letter = dead_letter(RawRecord("raw", 0, 1, 5, b"k", b"v"), error, digest="d", aggregate_id="", unit="@1:1/1")
    assert record_size(letter.key, letter.value, letter.headers) < 50_000
