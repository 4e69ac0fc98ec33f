"""Column types, null_when, decode, otherwise and parts: from raw JSON values to domain values."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.mapping.columns import decoding, nulling, reader_of
from gateway.mapping.kinds import Kind
from gateway.mapping.loader import load_text
from gateway.model.values import MISSING, UNREADABLE, UNSENT

FAULTS = Path(__file__).parents[2] / "golden/mapping/faults"


@pytest.mark.parametrize(
    ("type_", "raw", "value"),
    [
        ("text", "ab  ", "ab"),
        ("text", "   ", None),
        ("text", "", None),
        ("text", " a", " a"),
        ("text", 5, "5"),
        ("text", True, "true"),
        ("text", None, None),
        ("text", ["a"], UNREADABLE),
        ("raw", "ab  ", "ab  "),
        ("raw", "  ", "  "),
        ("int", 5, 5),
        ("int", " 0042 ", 42),
        ("int", "-7", -7),
        ("int", "", None),
        ("int", "1.5", UNREADABLE),
        ("int", True, UNREADABLE),
        ("int", "١", UNREADABLE),
        ("int", 10**38, UNREADABLE),
        ("int", "9" * 38, int("9" * 38)),
        ("decimal(9,2)", "1.50", Decimal("1.50")),
        ("decimal(9,2)", "1.5", Decimal("1.50")),
        ("decimal(9,2)", "1.500", Decimal("1.50")),
        ("decimal(9,2)", "1.555", UNREADABLE),
        ("decimal(9,2)", "12345678.00", UNREADABLE),
        ("decimal(9,2)", 3, Decimal("3.00")),
        ("decimal(9,2)", "1e3", UNREADABLE),
        ("decimal(9,2)", "NaN", UNREADABLE),
        ("decimal(38,0)", "9" * 38, Decimal("9" * 38)),
        ("bool", True, True),
        ("bool", "false", False),
        ("bool", 1, UNREADABLE),
        ("bytes", "YWI=", b"ab"),
        ("bytes", "Y", UNREADABLE),
        ("bytes", 5, UNREADABLE),
        ("date", "2026-01-02Z", dt.date(2026, 1, 2)),
        ("date", "2026-01-02", dt.date(2026, 1, 2)),
        ("date", "2026-02-30", UNREADABLE),
        ("date", 1, dt.date(1970, 1, 2)),
        ("date", 10**12, UNREADABLE),
        ("date(yyyymmdd)", 20260102, dt.date(2026, 1, 2)),
        ("date(yyyymmdd)", "20260102", dt.date(2026, 1, 2)),
        ("date(yyyymmdd)", 20261399, UNREADABLE),
        ("date(yyyymmdd)", 2060102, UNREADABLE),
        ("date(yyyymmdd)", 0, UNREADABLE),
        ("date(yyyymmdd)", None, None),
        ("date(yymmdd)", "490102", dt.date(2049, 1, 2)),
        ("date(yymmdd)", "500102", dt.date(1950, 1, 2)),
        ("date(yymmdd)", 10203, dt.date(2001, 2, 3)),
        ("date(ddmmyyyy)", 2012026, dt.date(2026, 1, 2)),
        ("date(yyyyddd)", 2024366, dt.date(2024, 12, 31)),
        ("date(yyyyddd)", 2025366, UNREADABLE),
        ("timestamp", "2026-01-02T03:04:05Z", dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
        ("timestamp", "2026-01-02T03:04:05.123456Z", dt.datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=dt.UTC)),
        ("timestamp", "2026-01-02T03:04:05+02:00", dt.datetime(2026, 1, 2, 1, 4, 5, tzinfo=dt.UTC)),
        ("timestamp", "2026-01-02T03:04:05.1234567Z", UNREADABLE),
        ("timestamp", "2026-01-02T25:04:05Z", UNREADABLE),
        ("timestamp", 5, UNREADABLE),
    ],
)
def test_a_raw_value_is_read_by_the_columns_type(type_: str, raw: object, value: object) -> None:
    found = reader_of(type_)
    assert found is not None
    got = found[1](raw)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize("type_", ["varchar", "decimal", "decimal(39,0)", "decimal(2,3)", "date(yyyy)", "int(4)", ""])
def test_an_unknown_type_is_none(type_: str) -> None:
    assert reader_of(type_) is None


def test_null_when_compares_raw_values_as_text() -> None:
    read = nulling(reader_of("date(yyyymmdd)")[1], frozenset({"0", "99991231"}))  # type: ignore[index]
    assert [read(raw) for raw in (0, 99991231, "99991231 ", 20260102)] == [None, None, None, dt.date(2026, 1, 2)]


def test_decode_cuts_trailing_blanks_and_leaves_null_null_unless_listed() -> None:
    read = decoding({"A": "active", "": "blank"})
    assert [read(raw) for raw in ("A ", "   ", None, "X", 5)] == ["active", "blank", None, UNREADABLE, UNREADABLE]
    assert decoding({None: "none"})(None) == "none"


def test_otherwise_is_for_unlisted_codes() -> None:
    read = decoding({"A": "active"}, otherwise="other")
    assert [read(raw) for raw in ("A", "X", None)] == ["active", "other", None]


def test_a_missing_column_is_missing_and_a_placeholder_stays_unsent() -> None:
    table = load_text((FAULTS / "good.yaml").read_text(), FAULTS, "good.yaml").tables["crm.cust"]
    row = table.read({"cust_id": 1, "nm": UNSENT})
    assert (row["customerId"], row["name"], row["status"]) == (1, UNSENT, MISSING)


@pytest.mark.parametrize(
    ("kind", "number", "policy"),
    [("P", "00042", 42), ("C", "00042", None), ("P", "abc", UNREADABLE), ("P", UNSENT, UNSENT), ("C", UNSENT, None)],
)
def test_a_part_is_computed_from_the_packed_value_and_its_neighbours(kind: str, number: object, policy: object) -> None:
    table = load_text((FAULTS / "good.yaml").read_text(), FAULTS, "good.yaml").tables["crm.cust"]
    assert table.read({"cust_id": 1, "ref_kd": kind, "ref_no": number})["policyId"] == policy


def test_types_of_columns_are_those_of_the_language() -> None:
    assert reader_of("decimal(9,6)")[0] is Kind.DECIMAL  # type: ignore[index]
    assert reader_of("raw")[0] is Kind.TEXT  # type: ignore[index]
