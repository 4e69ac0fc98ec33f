"""Ids, sequences and the committed progress: formats that others rely on, byte for byte."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace

import pytest
import xxhash
from msgspec import structs

from gateway.model.errors import ConfigError
from gateway.model.event import RowRef
from gateway.model.unit import Taken, Unit
from gateway.pipeline.identity import aggregate_id, event_id, sequence, state_sequence
from gateway.pipeline.progress import Counters, Progress, format_progress, parse_progress

ROW = RowRef(749, 24023128, "crm.cust_addr", ("5",))
PARTS = ("legacy", 1, ROW, "Customer", "7", "CustomerAddressChanged", 2, "")


def test_an_id_is_a_uuid_of_version_eight() -> None:
    parsed = uuid.UUID(event_id(*PARTS))
    assert (parsed.version, parsed.variant) == (8, uuid.RFC_4122)


def test_an_id_is_the_hash_of_its_length_prefixed_parts() -> None:
    def part(raw: bytes) -> bytes:
        return len(raw).to_bytes(4, "big") + raw

    parts = [b"1", b"legacy", b"1", b"749", b"24023128", b"crm.cust_addr", part(b"5"), b"Customer", b"7"]
    whole = b"".join(map(part, [*parts, b"CustomerAddressChanged", b"2", b""]))
    digest = xxhash.xxh3_128_hexdigest(whole)
    mine = event_id(*PARTS).replace("-", "")
    assert (mine[:12], mine[13:16], mine[17:]) == (digest[:12], digest[13:16], digest[17:])


@pytest.mark.parametrize(
    "other",
    [
        ("legacx", *PARTS[1:]),
        ("legacy", 2, *PARTS[2:]),
        ("legacy", 1, structs.replace(ROW, tx_id=750), *PARTS[3:]),
        ("legacy", 1, structs.replace(ROW, lsn=1), *PARTS[3:]),
        ("legacy", 1, structs.replace(ROW, table="crm.cust"), *PARTS[3:]),
        ("legacy", 1, structs.replace(ROW, row_key=("5", "")), *PARTS[3:]),
        ("legacy", 1, structs.replace(ROW, tx_id=None), *PARTS[3:]),
        (*PARTS[:3], "Custome", "r7", *PARTS[5:]),
        (*PARTS[:6], 1, ""),
        (*PARTS[:7], "second"),
    ],
)
def test_each_part_makes_another_id(other: tuple) -> None:
    assert event_id(*other) != event_id(*PARTS)


def test_a_sequence_has_fixed_width_and_orders_as_text() -> None:
    assert sequence(0, 1, 0xABC, 0, 7) == "0000.0001.0000000000000abc.00000000.000007"
    assert sequence(0, 1, 9, 0, 0) < sequence(0, 1, 16, 0, 0) < sequence(0, 2, 0, 0, 0)


def test_a_state_event_stands_behind_all_it_includes_and_at_zero_before_the_first_row() -> None:
    hi = Taken(1, 100, 110, 749)
    assert sequence(0, 1, 100, 0, 500) < state_sequence(0, hi) < sequence(0, 1, 101, 0, 0)
    assert re.fullmatch(r"[0.]+", state_sequence(0, None))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ({"a": 7}, "7"),
        ({"a": 7, "b": "x"}, "7|x"),
        ({"a": "x|y", "b": "\\"}, "x\\|y|\\\\"),
        ({"a": True}, "true"),
    ],
)
def test_an_aggregate_id_is_its_key_as_text(key: dict, text: str) -> None:
    assert aggregate_id(key) == text


PROGRESS = Progress(
    partitions=4,
    topic_id="Nm3",
    hi=Taken(1, 24023128, 24023200, 749),
    ts=1_700_000_000_000,
    control=17,
    digest="3f9c2a1b00000000",
    barriers=(("x", "armed"),),
    epochs=(("addresses", 2),),
    cursor=(5, 9, 2),
    counters=Counters(10, 5, 3, 1, 1, 6, 1, 1, 2),
)


def test_progress_is_the_format_digit_and_json_without_blanks() -> None:
    assert format_progress(PROGRESS) == (
        '1{"np":4,"t":"Nm3","hi":[1,24023128,24023200,749],"ts":1700000000000,"k":17,"d":"3f9c2a1b00000000",'
        '"b":[["x","armed"]],"ep":[["addresses",2]],"u":[5,9,2],"s":[10,5,3,1,1,6,1,1,2]}'
    )


@pytest.mark.parametrize("progress", [PROGRESS, Progress.fresh(4)])
def test_progress_survives_its_text(progress: Progress) -> None:
    assert parse_progress(format_progress(progress)) == progress


@pytest.mark.parametrize("text", ["", "2{}", "{}", "1", "1[]", '1{"np":"x"}', "1{", "hello"])
def test_other_metadata_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_progress(text)


def test_progress_above_its_limit_is_refused_before_the_broker_does() -> None:
    barriers = tuple((f"barrier-{number}", "armed") for number in range(200))
    with pytest.raises(ConfigError, match="3000"):
        format_progress(replace(PROGRESS, barriers=barriers))


def test_counts_of_an_older_or_newer_release_are_read() -> None:
    assert parse_progress('1{"np":4,"s":[3,3]}').counters == Counters(3, 3)
    assert parse_progress('1{"np":4,"s":[1,1,0,0,0,0,0,0,0,9,9]}').counters == Counters(1, 1)


def test_progress_moves_with_a_unit() -> None:
    unit = Unit("t", 0, 0, 1, (), 750, 1, 200, PROGRESS.hi, Taken(1, 200, 210, 750), 9)
    moved = PROGRESS.after(unit, Counters(consumed=1, published=1))
    assert (moved.hi, moved.ts) == (Taken(1, 200, 210, 750), 9)
    assert moved.counters[:2] == (11, 6)
