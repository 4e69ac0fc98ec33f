"""GDPR: a customer's personal values are overwritten for good."""

from __future__ import annotations

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.apps.duplicates import survivors
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import NONE

__all__ = ["APPLICATIONS"]

_NOWHERE = {"str": "XXX", "zip": "00000", "city": "XXX", "lat": None, "lon": None, "geo_q": ""}


def _anonymise(desk: Desk) -> Draft | None:
    keep = survivors(desk)
    customer = desk.customer(lambda row: row["cust_id"] not in keep)
    if customer is None:
        return None
    draft, world, number = desk.draft(), desk.world, customer["cust_id"]
    cleared = {"nm": "ANONYM", "fst_nm": "", "mtch_cd": "", "brth_dt": NONE, "note_txt": ""}
    draft.update("crm.cust", customer, sts="X", **cleared)
    for address in world.of("crm.cust_addr", number):
        draft.update("crm.cust_addr", address, **_NOWHERE, chk="", old_plc="")
    for table in ("crm.cust_cons", "crm.cust_pref"):
        for row in world.of(table, number):
            draft.delete(table, row)
    for line in world.of("crm.cntct_log", number, lambda row: bool(row["txt"])):
        draft.update("crm.cntct_log", line, txt="")
    draft.insert("crm.cntct_log", **rows.log(world, number, desk.today, "L", "GDP"))
    draft.fact("CustomerAnonymised", number, customerId=number)
    return draft


APPLICATIONS = [
    Application("privacy", "GDPRTOOL", ["DPO"], (Function("customer anonymised", 40, _anonymise, stamped_badly=True),))
]
