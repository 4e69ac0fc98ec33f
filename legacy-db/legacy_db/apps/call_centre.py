"""The call centre: moves and mended typing errors told on the telephone, names, deactivations, consents."""

from __future__ import annotations

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.apps.consents import consent_decided
from legacy_db.apps.names import rename
from legacy_db.apps.places import NOT_LEGAL, edit_in_place, new_row, state_corrected, state_moved, valid_from
from legacy_db.apps.registration import register
from legacy_db.dates import iso
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import NONE, Row

__all__ = ["APPLICATIONS"]


def _log(desk: Desk, draft: Draft, customer: int, reason: str, about: str = "") -> None:
    text = desk.rng.choice(desk.people.texts) if desk.chance(0.5) else ""
    channel = desk.rng.choice("TTTL")
    draft.insert("crm.cntct_log", **rows.log(desk.world, customer, desk.today, channel, reason, about, text))


def _address(desk: Desk, *kinds: str) -> Row | None:
    customer = desk.customer(lambda row: bool(desk.addresses(row, *kinds)))
    return None if customer is None else desk.rng.choice(desk.addresses(customer, *kinds))


def _move_new_row(desk: Desk) -> Draft | None:
    address = _address(desk, *NOT_LEGAL)
    if address is None:
        return None
    draft = desk.draft()
    place, day = new_row(desk, draft, address)
    if desk.chance(0.6):
        _log(desk, draft, address["cust_id"], "MOV", address["addr_typ"])
    state_moved(draft, address, place, day)
    return draft


def _move_hurried(desk: Desk) -> Draft | None:
    address = _address(desk, *NOT_LEGAL)
    if address is None:
        return None
    draft = desk.draft()
    place = edit_in_place(desk, draft, address)
    _log(desk, draft, address["cust_id"], "MOV", address["addr_typ"])
    state_moved(draft, address, place, desk.today)
    return draft


def _both_moved(desk: Desk) -> Draft | None:
    customer = desk.customer(lambda row: len(desk.addresses(row, "RES", "BIL")) == 2)
    if customer is None:
        return None
    draft = desk.draft()
    for address in desk.addresses(customer, "RES", "BIL"):
        day = valid_from(desk, address)
        state_moved(draft, address, edit_in_place(desk, draft, address, val_frm=day), day)
    _log(desk, draft, customer["cust_id"], "MOV", "RES")
    return draft


def _place_typo(desk: Desk) -> Draft | None:
    address = _address(desk)
    if address is None:
        return None
    draft = desk.draft()
    place = edit_in_place(desk, draft, address)
    _log(desk, draft, address["cust_id"], "TYP", address["addr_typ"])
    state_corrected(draft, address, place)
    return draft


def _name(desk: Desk, reason: str, event: str, intent: str) -> Draft | None:
    customer = desk.customer()
    if customer is None:
        return None
    draft = desk.draft()
    rename(desk, draft, customer, event, intent)
    _log(desk, draft, customer["cust_id"], reason, "NAM")
    return draft


def _name_deed(desk: Desk) -> Draft | None:
    return _name(desk, "NAM", "CustomerNameChanged", "fact")


def _name_typo(desk: Desk) -> Draft | None:
    return _name(desk, "TYP", "CustomerNameCorrected", "correction")


def _deactivate(desk: Desk) -> Draft | None:
    customer = desk.customer()
    if customer is None:
        return None
    draft, number = desk.draft(), customer["cust_id"]
    derived = {"scor": rows.money(desk.rng, 0, 10)} if desk.chance(0.5) else {}
    draft.update("crm.cust", customer, del_flg="Y", del_dt=desk.today, **derived)
    _log(desk, draft, number, "DEA")
    draft.fact("CustomerDeactivated", number, customerId=number, deactivatedOn=iso(desk.today))
    return draft


def _reactivate(desk: Desk) -> Draft | None:
    customer = desk.pick("Customer", lambda row: row["del_flg"] == "Y" and row["sts"] in ("A", "P"))
    if customer is None:
        return None
    draft, number = desk.draft(), customer["cust_id"]
    draft.update("crm.cust", customer, del_flg="N", del_dt=NONE)
    _log(desk, draft, number, "REA")
    draft.fact("CustomerReactivated", number, customerId=number)
    return draft


def _enquiry(desk: Desk) -> Draft | None:
    customer = desk.customer()
    if customer is None:
        return None
    draft = desk.draft()
    _log(desk, draft, customer["cust_id"], "INF", desk.rng.choice(["", "RES", "NAM"]))
    draft.nothing("a conversation without consequences")
    return draft


def _note(desk: Desk) -> Draft | None:
    customer = desk.customer()
    if customer is None:
        return None
    draft = desk.draft()
    draft.update("crm.cust", customer, note_txt=desk.people.note(desk.rng, desk.rng.choice([80, 300, 5000])))
    draft.nothing("free text of a clerk")
    return draft


APPLICATIONS = [
    Application(
        "call-centre",
        "CCSCREEN",
        [f"CC{number:02d}" for number in range(1, 25)],
        (
            Function("move, new row", 85, _move_new_row, stamped_badly=True),
            Function("move, hurried", 50, _move_hurried, stamped_badly=True),
            Function("both addresses moved", 30, _both_moved, stamped_badly=True),
            Function("address typing error", 60, _place_typo, stamped_badly=True),
            Function("name changed by deed", 45, _name_deed, stamped_badly=True),
            Function("name typing error", 40, _name_typo, stamped_badly=True),
            Function("customer deactivated", 45, _deactivate, stamped_badly=True),
            Function("customer reactivated", 35, _reactivate, stamped_badly=True),
            Function("registration by telephone", 35, register, stamped_badly=True),
            Function("consent by telephone", 40, consent_decided),
            Function("enquiry", 35, _enquiry),
            Function("note", 25, _note),
        ),
    )
]
