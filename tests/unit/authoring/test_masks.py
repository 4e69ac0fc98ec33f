"""Masks of personal data: each keeps the shape its column can read, and is the same wherever the value stands."""

from __future__ import annotations

import datetime as dt
import json
from base64 import b64decode
from itertools import product

import pytest

from gateway.authoring.forge import Forge, Position
from gateway.mapping.columns import decoding, nulling, reader_of
from gateway.mapping.compiled import Column, CompiledMapping, Table
from gateway.model.values import UNREADABLE
from gateway.pipeline.masks import Mask
from gateway.pipeline.redact import Redactor

MASK = Mask(b"salt")


def column(type_: str) -> Column:
    found = reader_of(type_)
    assert found is not None
    return Column("it", "it", type_, found[1], pii=True)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("date(yyyymmdd)", 19900131),
        ("date(yyyymmdd)", "19900131  "),
        ("date(yymmdd)", 131),
        ("date(ddmmyyyy)", "01021990"),
        ("date(yyyyddd)", 2024366),
        ("date", "1990-01-31"),
        ("date", 7335),
        ("timestamp", "1990-01-31T08:00:00Z"),
        ("decimal(9,6)", "47.376900"),
        ("int", 4711),
        ("text", "Meier-Ueli 12 "),
        ("bytes", "aGVsbG8h"),
    ],
)
def test_a_mask_is_read_as_its_column_reads_the_value_and_is_another(type_: str, value: str | int) -> None:
    read = column(type_).read
    masked = MASK(value, [column(type_)])
    assert type(masked) is type(value)
    assert masked != value
    assert type(read(masked)) is type(read(value))
    if isinstance(value, str):
        assert isinstance(masked, str) and len(masked) == len(value)


@pytest.mark.parametrize("year", [2023, 2024])
def test_a_masked_date_keeps_its_year_and_two_days_never_become_one(year: int) -> None:
    days = [dt.date(year, 1, 1) + dt.timedelta(days=day) for day in range(365)]
    masked = [MASK(int(f"{day:%Y%m%d}"), [column("date(yyyymmdd)")]) for day in days]
    assert len(set(masked)) == 365
    assert {str(each)[:4] for each in masked} == {str(year)}


def test_null_blanks_and_values_that_mean_null_stay() -> None:
    open_ended = nulling(column("date(yyyymmdd)").read, frozenset({"99991231", "0"}))
    end = Column("it", "it", "date(yyyymmdd)", open_ended, pii=True)
    assert [MASK(value, [end]) for value in (99991231, 0, None)] == [99991231, 0, None]
    assert MASK("   ", [column("text")]) == "   "
    assert MASK("__debezium_unavailable_value", [column("text")]) == "__debezium_unavailable_value"


def test_numbers_with_a_point_and_structures_are_masked_inside() -> None:
    text = [column("text")]
    assert MASK(47.3769, text) not in (47.3769, None)
    masked = MASK({"wkb": "Ann", "srid": 4326, "tags": ["Bob"]}, text)
    assert isinstance(masked, dict)
    assert masked["wkb"] != "Ann" and masked["srid"] != 4326 and masked["tags"] not in (["Bob"], [])


def test_a_code_becomes_another_code_of_its_table() -> None:
    read = decoding({"M": "male", "F": "female", "X": "other"})
    sex = Column("it", "it", "text", read, pii=True, symbols=frozenset({"male", "female", "other"}))
    masked = [MASK(code, [sex]) for code in ("M", "F", "X ")]
    assert len(set(masked)) == 3
    assert all(read(each) is not UNREADABLE for each in masked)
    assert masked[0] != "M" and str(masked[2]).endswith(" ")


def test_a_packed_column_has_the_masks_of_its_pieces() -> None:
    part = Column("street", "place", "text", column("text").read, pii=True, part=lambda _: None)
    street, town = MASK("Gasse 1", [column("text")]), MASK("Bern", [column("text")])
    assert MASK("Gasse 1     Bern ", [part]) == f"{street}     {town} "


def test_another_salt_gives_other_masks_and_letters_keep_their_case() -> None:
    masks = {Mask(bytes([number]))("Anna Huber", [column("text")]) for number in range(5)}
    assert len(masks) == 5
    for mask, letter in product(masks, range(10)):
        assert str(mask)[letter].isupper() == "Anna Huber"[letter].isupper()


def test_a_logical_message_is_masked_inside() -> None:
    columns = {name: Column(name, name, "text", column("text").read, pii=name == "actor") for name in ("actor", "why")}
    table = Table("message", "message", ("why",), columns)
    mapping = CompiledMapping("m", "m.yaml", ("t",), "Customer", ("id",), "m", {"message": table}, (), {}, "0")
    record = Forge("t").message((0, 0), {"id": 7}, {"actor": "Anna", "why": "moved"}, Position(1, 1, 1, 1))
    masked = Redactor([mapping], b"salt")(record)
    assert masked is not None
    content = json.loads(b64decode(json.loads(masked.value or b"")["message"]["content"]))
    assert content["why"] == "moved"
    assert content["actor"] != "Anna"
