"""A new customer with addresses, consents and preferences."""

from __future__ import annotations

from legacy_db import rows
from legacy_db.codes import DECISIONS, KINDS, PURPOSES, STATUS
from legacy_db.dates import iso, shifted
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import Row

__all__ = ["new_customer", "register", "state_registered"]

NewCustomer = dict[str, list[Row]]
"""The rows of one new customer by table."""


def new_customer(desk: Desk) -> NewCustomer:
    """A customer's rows, parents first."""
    rng, world = desk.rng, desk.world
    root = rows.customer(world, desk.people, rng, desk.today, rng.choice("AAAP"))
    number = root["cust_id"]
    kinds = ["RES"] + [kind for kind, share in (("BIL", 0.5), ("SHP", 0.3), ("LEG", 0.4)) if rng.random() < share]
    day = shifted(desk.today, -rng.randint(0, 300))
    made: NewCustomer = {
        "crm.cust": [root],
        "crm.cust_addr": [rows.address(world, number, kind, desk.place(), day) for kind in kinds],
        "crm.cust_cons": [
            {
                "cust_id": number,
                "cons_typ": purpose,
                "cons_flg": rng.choice(["Y", "N", ""]),
                "cons_dt": desk.today,
                "chnl": "W",
            }
            for purpose in rng.sample(list(PURPOSES), rng.randint(0, 3))
        ],
        "crm.cust_pref": [],
    }
    if rng.random() < 0.5:
        made["crm.cust_pref"].append({"cust_id": number, "pref_typ": "CHNL", "pref_val": rng.choice("ETLN")})
    return made


def state_registered(draft: Draft, made: NewCustomer) -> None:
    """States CustomerRegistered for a customer's rows."""
    root = made["crm.cust"][0]
    draft.fact(
        "CustomerRegistered",
        root["cust_id"],
        customerId=root["cust_id"],
        name=root["nm"],
        firstName=root["fst_nm"] or None,
        birthDate=iso(root["brth_dt"]),
        status=STATUS[root["sts"]],
        language=root["attrs"][:2],
        addresses=[_address(row) for row in made["crm.cust_addr"]],
        consents=[
            {"purpose": PURPOSES[row["cons_typ"]], "decision": DECISIONS[row["cons_flg"]]}
            for row in made["crm.cust_cons"]
        ],
    )


def _address(row: Row) -> Row:
    place = {"street": row["str"], "postcode": row["zip"], "city": row["city"], "country": row["ctry"]}
    return {"kind": KINDS[row["addr_typ"]], "address": place, "validFrom": iso(row["val_frm"])}


def register(desk: Desk) -> Draft | None:
    """Registers one customer."""
    draft, made = desk.draft(), new_customer(desk)
    for table, entries in made.items():
        for row in entries:
            draft.insert(table, **row)
    number = made["crm.cust"][0]["cust_id"]
    if desk.chance(0.5):
        draft.insert("crm.cntct_log", **rows.log(desk.world, number, desk.today, "T", "INF"))
    state_registered(draft, made)
    return draft
