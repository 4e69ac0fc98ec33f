"""A group is usable in any list of columns (language.md 2)."""

import pytest

from gateway.mapping.compiled import RowOp
from gateway.model.errors import ConfigError
from tests.unit.pipeline.interpreted import ADDRESS, TABLES, mapped, noise, told

PLACE = ("street", "city")


def test_in_row() -> None:
    mapping = mapped(noise("n", "each: {table: address, op: insert}"), TABLES.replace("[addressId]", "[kind, place]"))
    assert mapping.tables[ADDRESS].row == ("kind", *PLACE)


def test_in_changed_and_explains() -> None:
    mapping = mapped(
        told("a", "each: {table: address, changed: place}")
        + told("b", "each: {table: address, changed: [kind], explains: [place]}")
    )
    first, second = (rule.anchor for rule in mapping.rules)
    assert first is not None
    assert second is not None
    assert (first.ops, first.changed, first.takes) == ({RowOp.UPDATE}, {*PLACE}, {*PLACE})
    assert second.takes == {"kind", *PLACE}


def test_in_same_each_column_once() -> None:
    match = "each: {table: address, op: insert}\n    with: {old: {table: address, op: delete, same: [city, place]}}"
    assert mapped(told("a", match)).rules[0].companions[0].same == ("city", "street")


def test_a_column_of_a_group_in_same_that_the_anchor_lacks_is_a_fault() -> None:
    match = "each: {table: customer, op: insert}\n    with: {old: {table: address, op: delete, same: [place]}}"
    with pytest.raises(ConfigError) as caught:
        mapped(told("a", match))
    assert ["has no column" in fault.what for fault in caught.value.faults] == [True, True]
