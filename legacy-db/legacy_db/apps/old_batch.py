"""Nightly batches: scoring, estimates, and an old job that writes what it should not."""

from __future__ import annotations

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import Row

__all__ = ["APPLICATIONS"]


def _living(desk: Desk, most: int) -> list[Row]:
    return desk.several("Customer", desk.rng.randint(2, most), lambda row: row["sts"] in ("A", "P"))


def _old_night(desk: Desk) -> Draft | None:
    customers = _living(desk, 8)
    draft = desk.draft()
    for customer in customers:
        flag = {"del_flg": "N"} if customer["del_flg"] == "" else {}
        code = rows.match_code(customer["nm"], desk.rng)
        draft.update("crm.cust", customer, scor=rows.money(desk.rng, 0, 999), mtch_cd=code, **flag)
    # it pads names, too: the value stays the same to everyone who reads it as text
    numbers = [customer["cust_id"] for customer in customers]
    draft.sql(
        "UPDATE crm.cust SET nm = rtrim(nm) || ' ' WHERE length(rtrim(nm)) < 60 AND cust_id = ANY(%s)",
        numbers,
    )
    draft.nothing("scores, match codes and padding")
    return draft if customers else None


def _scoring(desk: Desk) -> Draft | None:
    customers = _living(desk, 8)
    draft = desk.draft()
    for customer in customers:
        attrs = customer["attrs"]
        segment = desk.rng.choice([letter for letter in "ABCD" if letter != attrs[2]])
        draft.update("crm.cust", customer, scor=rows.money(desk.rng, 0, 999), attrs=attrs[:2] + segment + attrs[3:])
    draft.nothing("marketing scores")
    return draft if customers else None


def _branches(desk: Desk) -> Draft | None:
    customers = _living(desk, 6)
    draft, branch = desk.draft(), f"{desk.rng.randint(61, 99):04d}"
    for customer in customers:
        draft.update("crm.cust", customer, attrs=customer["attrs"][:3] + branch)
    draft.nothing("branches reorganised")
    return draft if customers else None


def _reserves(desk: Desk) -> Draft | None:
    policies = desk.several("Policy", desk.rng.randint(2, 8))
    draft = desk.draft()
    for policy in policies:
        draft.update("pol.pol", policy, rsrv=policy["rsrv"] + rows.money(desk.rng, 1, 100))
    draft.nothing("actuarial estimates")
    return draft if policies else None


def _recount(desk: Desk) -> Draft | None:
    accounts = desk.several("BillingAccount", desk.rng.randint(2, 8))
    draft = desk.draft()
    for account in accounts:
        level = {"dun_lvl": (account["dun_lvl"] + 1) % 5} if desk.chance(0.5) else {}
        draft.update("bil.acct", account, itm_cnt=account["itm_cnt"] + desk.rng.randint(1, 3), **level)
    draft.nothing("counters")
    return draft if accounts else None


APPLICATIONS = [
    Application(
        "old-batch",
        "OLDNIGHT",
        ["BATCH"],
        (
            Function("old nightly job", 25, _old_night, stamped_badly=True),
            Function("scoring", 20, _scoring),
            Function("branches of customers", 10, _branches),
            Function("reserves", 20, _reserves),
            Function("counters", 15, _recount),
        ),
        shared_program="NIGHTRUN",
    )
]
