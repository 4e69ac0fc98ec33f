"""Policy administration: issue, endorse, cancel; also the civil registry's feed, domiciles and new customer numbers."""

from __future__ import annotations

from decimal import Decimal

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.apps.names import rename
from legacy_db.apps.places import edit_in_place, new_row, state_moved, valid_from
from legacy_db.apps.renumbering import renumber
from legacy_db.apps.roles import replace_holder, replace_insured, replace_payer
from legacy_db.codes import COVERAGES, ENDORSEMENTS, FREQUENCIES, PRODUCTS, REASONS, ROLES
from legacy_db.dates import iso, shifted
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import NONE, OPEN, Row

__all__ = ["APPLICATIONS"]


def _civil_registry(desk: Desk) -> Draft | None:
    customer = desk.customer()
    if customer is None:
        return None
    draft = desk.draft()
    rename(desk, draft, customer, "CustomerNameChanged")
    reference = rows.source_reference(desk.world, customer["cust_id"], "CIVR", "NAM", desk.today)
    draft.insert("crm.src_ref", **reference)
    return draft


def _domicile(desk: Desk) -> Row | None:
    customer = desk.customer(lambda row: bool(desk.addresses(row, "LEG")))
    return None if customer is None else desk.addresses(customer, "LEG")[0]


def _domicile_dated(desk: Desk) -> Draft | None:
    address = _domicile(desk)
    if address is None:
        return None
    draft, day = desk.draft(), valid_from(desk, address)
    state_moved(draft, address, edit_in_place(desk, draft, address, val_frm=day), day)
    return draft


def _domicile_new_row(desk: Desk) -> Draft | None:
    address = _domicile(desk)
    if address is None:
        return None
    draft = desk.draft()
    place, day = new_row(desk, draft, address)
    state_moved(draft, address, place, day)
    return draft


def _issue(desk: Desk) -> Draft | None:
    holder = desk.customer()
    if holder is None:
        return None
    rng, world, draft = desk.rng, desk.world, desk.draft()
    number, product = world.new_id("pol.pol"), rng.choice(list(COVERAGES))
    policy = draft.insert("pol.pol", **_policy(desk, number, product))
    party = holder["cust_id"]
    payer = _other(desk, party) if desk.chance(0.3) else party
    parties = [("HOL", party), ("PAY", payer), ("INS", party)]
    if desk.chance(0.4):
        parties.append(("INS", _other(desk, party)))
    for code, customer in parties:
        draft.insert("pol.pol_role", **rows.role(world, number, customer, code, policy["beg_dt"]))
    for code in COVERAGES[product]:
        draft.insert("pol.pol_cov", **_coverage(desk, number, code))
    account = world.new_id("bil.acct")
    draft.insert(
        "bil.acct", acct_id=account, pol_id=number, bal=Decimal("0.00"), lst_inv=NONE, dun_lvl=0, itm_cnt=0, iban=""
    )
    draft.fact(
        "PolicyIssued",
        number,
        policyId=number,
        policyNumber=policy["pol_no"],
        product=PRODUCTS[product],
        validFrom=iso(policy["beg_dt"]),
        premium=str(policy["prem"]),
        paymentFrequency=FREQUENCIES[policy["pay_frq"]],
        parties=[{"role": ROLES[code], "customerId": customer} for code, customer in parties],
    )
    draft.fact("BillingAccountOpened", account, accountId=account, policyId=number, balance="0.00")
    return draft


def _policy(desk: Desk, number: int, product: str) -> Row:
    return {
        "pol_id": number,
        "pol_no": f"{product}{number:08d}",
        "prod_cd": product,
        "sts": "A",
        "beg_dt": shifted(desk.today, desk.rng.randint(0, 60)),
        "end_dt": OPEN,
        "cncl_dt": NONE,
        "cncl_rsn": "",
        "prem": rows.money(desk.rng, 60, 2400),
        "pay_frq": desk.rng.choice("MQY"),
        "brnch": f"{desk.rng.randint(1, 60):04d}",
        "rsrv": Decimal("0.00"),
    }


def _coverage(desk: Desk, policy: int, code: str) -> Row:
    return {
        "cov_id": desk.world.new_id("pol.pol_cov"),
        "pol_id": policy,
        "cov_cd": code,
        "sum_ins": rows.money(desk.rng, 5_000, 900_000),
        "ded": rows.money(desk.rng, 0, 1_000),
    }


def _other(desk: Desk, party: int) -> int:
    other = desk.customer(lambda row: row["cust_id"] != party)
    return party if other is None else int(other["cust_id"])


def _endorse(desk: Desk) -> Draft | None:
    policy = desk.policy()
    if policy is None:
        return None
    draft, number, kind = desk.draft(), policy["pol_id"], desk.rng.choice(list(ENDORSEMENTS))
    before = policy["prem"]
    after = before + rows.money(desk.rng, 1, 90)
    added = _terms(desk, draft, number, kind)
    count = 1 + len(desk.world.of("pol.endrs", number))
    day = shifted(desk.today, desk.rng.randint(0, 30))
    draft.insert(
        "pol.endrs",
        endr_id=desk.world.new_id("pol.endrs"),
        pol_id=number,
        endr_no=count,
        endr_typ=kind,
        eff_dt=day,
        prem_bef=before,
        prem_aft=after,
        txt=desk.rng.choice(desk.people.texts),
    )
    derived = {"rsrv": rows.money(desk.rng, 0, 9000)} if desk.chance(0.4) else {}
    draft.update("pol.pol", policy, prem=after, **derived)
    draft.fact(
        "PolicyEndorsed",
        number,
        policyId=number,
        endorsementNumber=count,
        kind=ENDORSEMENTS[kind],
        effectiveFrom=iso(day),
        premium=str(after),
        insuredAdded=added,
    )
    return draft


def _terms(desk: Desk, draft: Draft, number: int, kind: str) -> list[int]:
    coverages = desk.world.of("pol.pol_cov", number)
    if kind == "COV":
        draft.update("pol.pol_cov", coverages[0], sum_ins=coverages[0]["sum_ins"] + rows.money(desk.rng, 100, 9000))
    elif kind == "DED":
        draft.update("pol.pol_cov", coverages[0], ded=coverages[0]["ded"] + rows.money(desk.rng, 10, 300))
    elif kind == "INS":
        held = {row["cust_id"] for row in desk.world.of("pol.pol_role", number) if row["role_cd"] == "INS"}
        other = desk.customer(lambda row: row["cust_id"] not in held)
        if other is not None:
            draft.insert("pol.pol_role", **rows.role(desk.world, number, other["cust_id"], "INS", desk.today))
            return [other["cust_id"]]
    return []


def _cancel(desk: Desk) -> Draft | None:
    policy = desk.policy()
    if policy is None:
        return None
    draft, number, reason = desk.draft(), policy["pol_id"], desk.rng.choice(list(REASONS))
    day = shifted(desk.today, desk.rng.randint(0, 60))
    derived = {"rsrv": Decimal("0.01") + policy["rsrv"]} if desk.chance(0.5) else {}
    draft.update("pol.pol", policy, sts="C", cncl_dt=day, cncl_rsn=reason, **derived)
    draft.fact("PolicyCancelled", number, policyId=number, cancelledOn=iso(day), reason=REASONS[reason])
    return draft


APPLICATIONS = [
    Application(
        "policy-administration",
        "POLADM",
        [f"PA{number:02d}" for number in range(1, 9)],
        (
            Function("civil registry feed", 30, _civil_registry, stamped_badly=True),
            Function("domicile with date", 35, _domicile_dated, stamped_badly=True),
            Function("domicile, new row", 30, _domicile_new_row, stamped_badly=True),
            Function("policy issued", 70, _issue),
            Function("policy endorsed", 105, _endorse),
            Function("policy cancelled", 45, _cancel, stamped_badly=True),
            Function("holder replaced", 40, replace_holder),
            Function("payer replaced", 40, replace_payer),
            Function("insured replaced", 40, replace_insured),
            Function("customer renumbered", 28, renumber),
        ),
    )
]
