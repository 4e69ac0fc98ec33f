"""Consents decided one by one."""

from __future__ import annotations

from legacy_db.codes import DECISIONS, PURPOSES
from legacy_db.desk import Desk
from legacy_db.draft import Draft

__all__ = ["consent_decided", "state_consent"]


def state_consent(draft: Draft, customer: int, purpose: str, flag: str) -> None:
    """States CustomerConsentUpdated from legacy's codes."""
    draft.fact(
        "CustomerConsentUpdated",
        customer,
        customerId=customer,
        purpose=PURPOSES[purpose],
        decision=DECISIONS[flag],
    )


def consent_decided(desk: Desk) -> Draft | None:
    """One to three purposes decided anew, inserted or updated."""
    customer = desk.customer()
    if customer is None:
        return None
    draft, number = desk.draft(), customer["cust_id"]
    for purpose in desk.rng.sample(list(PURPOSES), desk.rng.choice([1, 1, 1, 2, 3])):
        known = desk.world.of("crm.cust_cons", number, lambda row, typ=purpose: row["cons_typ"] == typ)  # type: ignore[misc]
        old = known[0]["cons_flg"] if known else None
        flag = desk.rng.choice([flag for flag in ("Y", "N", "") if flag != old])
        decided = {"cons_flg": flag, "cons_dt": desk.today, "chnl": desk.rng.choice("TWL")}
        if known:
            draft.update("crm.cust_cons", known[0], **decided)
        else:
            draft.insert("crm.cust_cons", cust_id=number, cons_typ=purpose, **decided)
        state_consent(draft, number, purpose, flag)
    return draft
