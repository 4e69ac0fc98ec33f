"""Dates that are none and codes nobody knows: what these transactions write cannot be translated."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from legacy_db import rows
from legacy_db.apps.billing import pay
from legacy_db.apps.places import another_place
from legacy_db.desk import Desk
from legacy_db.draft import Draft

__all__ = ["bad_value"]

_NO_DATE = 20261399


def _customer(desk: Desk) -> Draft | None:
    customer = desk.pick("Customer", lambda row: True)
    if customer is None:
        return None
    draft, number = desk.draft(), customer["cust_id"]
    addresses = desk.world.of("crm.cust_addr", number)
    kind = desk.rng.choice(["type", "date", "check", "consent"])
    if kind == "type" or not addresses:
        draft.insert("crm.cust_addr", **rows.address(desk.world, number, "TMP", desk.place(), desk.today))
    elif kind == "date":
        place = another_place(desk, addresses[0])
        draft.update("crm.cust_addr", addresses[0], **place.columns, val_frm=_NO_DATE)
    elif kind == "check":
        draft.update("crm.cust_addr", addresses[0], chk="Z")
    else:
        _consent(desk, draft, number)
    draft.untranslatable("Customer", number)
    return draft


def _consent(desk: Desk, draft: Draft, number: int) -> None:
    known = desk.world.of("crm.cust_cons", number)
    if known:
        draft.update("crm.cust_cons", known[0], cons_flg="U", cons_dt=desk.today)
    else:
        draft.insert("crm.cust_cons", cust_id=number, cons_typ="EML", cons_flg="U", cons_dt=desk.today, chnl="W")


def _policy(desk: Desk) -> Draft | None:
    policy = desk.pick("Policy", lambda row: row["sts"] != "Z")
    if policy is None:
        return None
    draft = desk.draft()
    draft.update("pol.pol", policy, sts="Z", cncl_dt=desk.today)
    draft.untranslatable("Policy", policy["pol_id"])
    return draft


def _invoice(desk: Desk) -> Draft | None:
    account = desk.pick("BillingAccount", lambda row: True)
    if account is None:
        return None
    draft, number, invoice = desk.draft(), account["acct_id"], desk.world.new_id("bil.inv")
    row = {"inv_id": invoice, "acct_id": number, "inv_no": f"I{invoice:010d}", "amt": Decimal("10.00")}
    draft.insert("bil.inv", **row, due_dt=20260230, sts="O")
    draft.update("bil.acct", account, bal=account["bal"] + Decimal("10.00"), lst_inv=desk.today)
    draft.untranslatable("BillingAccount", number)
    return draft


def _bank_file(desk: Desk) -> Draft | None:
    """One account of the file has a method that nobody knows; the others' payments are good."""
    account = desk.pick("BillingAccount", lambda row: True)
    desk.wants_doomed = False
    others = desk.several("BillingAccount", 6)
    if account is None:
        return None
    draft = desk.draft()
    pay(desk, draft, account, "Q")
    draft.transaction.facts.clear()
    for other in others:
        pay(desk, draft, other, "B")
    draft.untranslatable("BillingAccount", account["acct_id"])
    return draft


def _claim(desk: Desk) -> Draft | None:
    claim = desk.pick("Claim", lambda row: row["sts"] != "Z")
    if claim is None:
        return None
    draft = desk.draft()
    draft.update("clm.claim", claim, sts="Z")
    draft.untranslatable("Claim", claim["clm_id"])
    return draft


_KINDS: tuple[Callable[[Desk], Draft | None], ...] = (_customer, _customer, _policy, _invoice, _bank_file, _claim)


def bad_value(desk: Desk) -> Draft | None:
    """Writes a bad value to one of the few aggregates chosen for it."""
    desk.wants_doomed = True
    try:
        return desk.rng.choice(_KINDS)(desk)
    finally:
        desk.wants_doomed = False
