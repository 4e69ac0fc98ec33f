"""The address-cleansing batch: the post's directory mends, its forwarding file moves, the name check mends names."""

from __future__ import annotations

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.apps.names import rename
from legacy_db.apps.places import NOT_LEGAL, edit_in_place, state_corrected, state_moved
from legacy_db.dates import shifted
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import Row

__all__ = ["APPLICATIONS"]


def _addresses(desk: Desk, kinds: tuple[str, ...], most: int) -> list[Row]:
    customers = desk.several(
        "Customer",
        desk.rng.randint(1, most),
        lambda row: row["sts"] in ("A", "P") and row["del_flg"] != "Y" and bool(desk.addresses(row, *kinds)),
    )
    return [desk.rng.choice(desk.addresses(customer, *kinds)) for customer in customers]


def _directory(desk: Desk) -> Draft | None:
    addresses = _addresses(desk, (*NOT_LEGAL, "LEG"), 3)
    draft = desk.draft()
    for address in addresses:
        checked = {"chk": "V"} if desk.chance(0.5) else {}
        place = edit_in_place(desk, draft, address, **checked)
        _refer(desk, draft, address, "PDIR", desk.today)
        state_corrected(draft, address, place)
    return draft if addresses else None


def _forwarding(desk: Desk) -> Draft | None:
    addresses = _addresses(desk, NOT_LEGAL, 3)
    draft = desk.draft()
    for address in addresses:
        day = shifted(desk.today, -desk.rng.randint(0, 30))
        place = edit_in_place(desk, draft, address)
        _refer(desk, draft, address, "FWDX", day)
        state_moved(draft, address, place, day)
    return draft if addresses else None


def _confirmation(desk: Desk) -> Draft | None:
    addresses = [row for row in _addresses(desk, (*NOT_LEGAL, "LEG"), 4) if row["chk"] != "V"]
    if not addresses:
        return None
    draft = desk.draft()
    for address in addresses:
        draft.update("crm.cust_addr", address, chk="V")
        _refer(desk, draft, address, "PDIR", desk.today)
    draft.nothing("the post directory knows the address as it stands")
    return draft


def _name_check(desk: Desk) -> Draft | None:
    customer = desk.customer()
    if customer is None:
        return None
    draft = desk.draft()
    rename(desk, draft, customer, "CustomerNameCorrected", "correction")
    reference = rows.source_reference(desk.world, customer["cust_id"], "NCHK", "NAM", desk.today)
    draft.insert("crm.src_ref", **reference)
    return draft


def _refer(desk: Desk, draft: Draft, address: Row, source: str, day: int) -> None:
    reference = rows.source_reference(desk.world, address["cust_id"], source, address["addr_typ"], day)
    draft.insert("crm.src_ref", **reference)


APPLICATIONS = [
    Application(
        "address-cleansing",
        "ADDR_CLEAN",
        ["BATCH", "CLEAN"],
        (
            Function("post directory", 75, _directory, stamped_badly=True),
            Function("forwarding file", 65, _forwarding, stamped_badly=True),
            Function("confirmation", 30, _confirmation, stamped_badly=True),
            Function("name check", 30, _name_check, stamped_badly=True),
        ),
        shared_program="NIGHTRUN",
    )
]
