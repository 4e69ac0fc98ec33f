"""The back office decides the address edits that await a proof."""

from __future__ import annotations

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.apps.places import state_moved, valid_from
from legacy_db.apps.web_portal import place_of
from legacy_db.codes import KINDS
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import OPEN, Row

__all__ = ["APPLICATIONS"]


def _pending(desk: Desk) -> Row | None:
    def waits(row: Row) -> bool:
        return bool(row["chk"] == "P" and row["val_to"] == OPEN)

    customer = desk.customer(lambda row: bool(desk.world.of("crm.cust_addr", row["cust_id"], waits)))
    return None if customer is None else desk.rng.choice(desk.world.of("crm.cust_addr", customer["cust_id"], waits))


def _accept(desk: Desk) -> Draft | None:
    address = _pending(desk)
    if address is None:
        return None
    draft, day = desk.draft(), valid_from(desk, address)
    derived = rows.coordinates(desk.rng) if desk.chance(0.5) else {}
    draft.update("crm.cust_addr", address, chk="V", old_plc="", val_frm=day, **derived)
    state_moved(draft, address, place_of(address), day)
    return draft


def _refuse(desk: Desk) -> Draft | None:
    address = _pending(desk)
    if address is None:
        return None
    draft, number = desk.draft(), address["cust_id"]
    old = rows.unpacked(f"{address['old_plc']:<82}")
    draft.update("crm.cust_addr", address, chk="R", old_plc="", **old.columns)
    draft.fact("CustomerAddressChangeRejected", number, customerId=number, kind=KINDS[address["addr_typ"]])
    return draft


APPLICATIONS = [
    Application(
        "back-office",
        "BACKOFF",
        ["BO01", "BO02", "BO03"],
        (
            Function("proof accepted", 50, _accept, stamped_badly=True),
            Function("proof refused", 40, _refuse, stamped_badly=True),
        ),
    )
]
