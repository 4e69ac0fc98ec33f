"""A dead letter above the topic's limit is a pointer with the hash of the whole and its first 64 KB."""

from __future__ import annotations

import hashlib

import pytest

from gateway.model.errors import LetterClass, RecordError
from gateway.model.record import RawRecord
from gateway.pipeline.letters import LETTER_LIMIT, dead_letter

ERROR = RecordError(LetterClass.DECODE, "no JSON", stage="decode")


@pytest.mark.parametrize(("size", "kept"), [(LETTER_LIMIT, LETTER_LIMIT), (LETTER_LIMIT + 1, 64 * 1024)])
def test_only_a_value_above_the_limit_is_cut(size: int, kept: int) -> None:
    value = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    record = RawRecord("raw", 2, 17, 5, b"key", value, (("own", b"1"),))
    letter = dead_letter(record, ERROR, digest="d", aggregate_id="", unit="@17:1/1")
    assert letter.value == value[:kept]
    assert (letter.key, letter.timestamp_ms, letter.headers[0]) == (b"key", 5, ("own", b"1"))
    headers = dict(letter.headers)
    cut = size > LETTER_LIMIT
    assert headers.get("gateway.pointer") == (b"raw[2]@17" if cut else None)
    assert headers.get("gateway.sha256") == (hashlib.sha256(value).hexdigest().encode() if cut else None)
