"""The row an event hangs on (language.md 9, protocol.md 7): the anchor's, of a `once` rule the change set's first."""

from gateway.model.event import RowRef
from tests.unit.pipeline.interpreted import (
    ADDRESS,
    CUSTOMER,
    RENAMED,
    Row,
    address,
    customer,
    interpreted,
    mapped,
    noise,
    told,
)

ONCE = mapped(
    told("r", "once: {a: {table: customer, changed: [name]}}")
    + noise("n", "each: {table: address, op: [insert, delete]}")
)
EACH = mapped(told("r", "each: {table: customer, changed: [name]}"))


def hangs_on(mapping, *rows: Row) -> RowRef:
    (event,) = interpreted(mapping, *rows).events
    return event.row


def test_of_each_it_is_the_anchors_row_by_its_first_change() -> None:
    again: Row = (CUSTOMER, "u", customer(nm="Bob"), customer(nm="Cid"))
    rows = ((ADDRESS, "c", None, address()), RENAMED, again)
    assert hangs_on(EACH, *rows) == RowRef(749, 1011, CUSTOMER, ("7",))


def test_of_once_it_is_the_change_sets_first_row() -> None:
    assert hangs_on(ONCE, (ADDRESS, "c", None, address()), RENAMED) == RowRef(749, 1010, ADDRESS, ("1",))
    assert hangs_on(ONCE, (ADDRESS, "d", address(), None), RENAMED) == RowRef(749, 1010, ADDRESS, ("1",))


def test_of_once_it_is_so_though_the_transaction_undid_that_row() -> None:
    rows: tuple[Row, ...] = ((ADDRESS, "c", None, address()), (ADDRESS, "d", address(), None), RENAMED)
    assert hangs_on(ONCE, *rows) == RowRef(749, 1010, ADDRESS, ("1",))


def test_the_key_is_that_of_the_first_changes_image_after_it() -> None:
    mapping = mapped(told("r", "each: {table: address, changed: any}"))
    moved: Row = (ADDRESS, "u", address(addr_id=1), address(addr_id=2))
    again: Row = (ADDRESS, "u", address(addr_id=2), address(addr_id=3))
    assert hangs_on(mapping, moved, again).row_key == ("2",)
