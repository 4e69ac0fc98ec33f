"""Changing where an address is: the ways in which the applications do it, and the facts these amount to."""

from __future__ import annotations

from typing import Any

from legacy_db import rows
from legacy_db.codes import KINDS
from legacy_db.dates import iso, shifted
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.people import Place
from legacy_db.tables import OPEN, Row

__all__ = ["NOT_LEGAL", "another_place", "edit_in_place", "new_row", "state_corrected", "state_moved", "valid_from"]

NOT_LEGAL = ("RES", "BIL", "SHP")


def another_place(desk: Desk, address: Row) -> Place:
    """A place that differs from the address's."""
    while True:
        place = desk.place()
        if any(address[column] != value for column, value in place.columns.items()):
            return place


def valid_from(desk: Desk, address: Row) -> int:
    """A day around today that is not the one the address is valid from already."""
    while (day := shifted(desk.today, desk.rng.randint(-20, 40))) == address["val_frm"]:
        continue
    return day


def edit_in_place(desk: Desk, draft: Draft, address: Row, geocode: float = 0.4, /, **values: Any) -> Place:
    """Overwrites the place of a row, geocoded in the same UPDATE in that share of the cases."""
    place = another_place(desk, address)
    derived = rows.coordinates(desk.rng) if desk.chance(geocode) else {}
    draft.update("crm.cust_addr", address, **place.columns, **derived, **values)
    return place


def new_row(desk: Desk, draft: Draft, address: Row) -> tuple[Place, int]:
    """Closes an open row the day before and inserts a new one of its kind."""
    day = valid_from(desk, address)
    place = another_place(desk, address)
    derived = rows.coordinates(desk.rng) if desk.chance(0.3) else {}
    fresh = rows.address(desk.world, address["cust_id"], address["addr_typ"], place, day, **derived)
    draft.update("crm.cust_addr", address, val_to=shifted(day, -1))
    draft.insert("crm.cust_addr", **(fresh | {"val_to": OPEN}))
    return place, day


def state_moved(
    draft: Draft, address: Row, place: Place, day: int | None, intent: str = "fact", twin: str = ""
) -> None:
    """States a move, or for the legal kind a change of domicile."""
    number = address["cust_id"]
    since = None if day is None else iso(day)
    if address["addr_typ"] == "LEG":
        draft.fact(
            "CustomerLegalDomicileChanged", number, intent, customerId=number, address=place.fields, validFrom=since
        )
        return
    draft.fact(
        "CustomerAddressChanged",
        number,
        intent,
        twin,
        customerId=number,
        kind=KINDS[address["addr_typ"]],
        address=place.fields,
        validFrom=since,
    )


def state_corrected(draft: Draft, address: Row, place: Place) -> None:
    """States a correction of the place."""
    number = address["cust_id"]
    draft.fact(
        "CustomerAddressCorrected",
        number,
        "correction",
        customerId=number,
        kind=KINDS[address["addr_typ"]],
        address=place.fields,
    )
