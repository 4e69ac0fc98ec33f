"""Who is what on a policy: replaced one by one, or re-pointed because customers were merged or parted again."""

from __future__ import annotations

from legacy_db import rows
from legacy_db.codes import ROLES
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import Row

__all__ = ["replace_holder", "replace_insured", "replace_payer", "repoint"]


def repoint(desk: Desk, draft: Draft, held: Row, party: int, reason: str, intent: str) -> None:
    """Gives a role to another party, with its history line, and states the event."""
    former, policy = held["cust_id"], held["pol_id"]
    history = rows.role_history(desk.world, held, party, reason, desk.today)
    draft.update("pol.pol_role", held, cust_id=party, beg_dt=desk.today)
    draft.insert("pol.role_hist", **history)
    if held["role_cd"] == "HOL":
        draft.fact("PolicyHolderChanged", policy, intent, policyId=policy, holderId=party, formerHolderId=former)
    elif held["role_cd"] == "PAY":
        draft.fact(
            "InvoiceRecipientChanged", policy, intent, policyId=policy, recipientId=party, formerRecipientId=former
        )
    else:
        role = ROLES[held["role_cd"]]
        draft.fact(
            "PolicyPartyChanged",
            policy,
            intent,
            policyId=policy,
            role=role,
            customerId=party,
            formerCustomerId=former,
        )


def _replace(desk: Desk, code: str, reasons: list[str]) -> Draft | None:
    policy = desk.policy()
    if policy is None:
        return None
    held = [row for row in desk.world.of("pol.pol_role", policy["pol_id"]) if row["role_cd"] == code]
    taken = {row["cust_id"] for row in held}
    other = desk.customer(lambda row: row["cust_id"] not in taken)
    if not held or other is None:
        return None
    draft = desk.draft()
    repoint(desk, draft, desk.rng.choice(held), other["cust_id"], desk.rng.choice(reasons), "fact")
    return draft


def replace_holder(desk: Desk) -> Draft | None:
    """The insured thing was sold or inherited."""
    return _replace(desk, "HOL", ["SAL", "INH"])


def replace_payer(desk: Desk) -> Draft | None:
    """Someone else shall get the invoices."""
    return _replace(desk, "PAY", ["REQ", "INH"])


def replace_insured(desk: Desk) -> Draft | None:
    """Someone else is insured."""
    return _replace(desk, "INS", ["REQ", "SAL"])
