"""What a perfect gateway would publish: made from the truth, and from the seeded rows for the snapshot."""

from __future__ import annotations

from typing import Any

from legacy_db.codes import CLAIM_STATUS, DECISIONS, KINDS, PURPOSES, ROLES, STATUS
from legacy_db.dates import iso
from legacy_db.oracle import expect
from legacy_db.rows import unpacked
from legacy_db.tables import Row
from legacy_db.truth import TruthTransaction
from legacy_db.world import World

Event = dict[str, Any]


def events(truth: list[TruthTransaction]) -> list[Event]:
    """Business events, each aggregate's in commit order."""
    facts = sorted(expect(truth).facts, key=lambda each: each.ordinal)
    return [
        _event(each.fact.event, each.fact.intent, each.fact.aggregate, each.tx_id, dict(each.fact.data))
        for each in facts
    ]


def states(world: World) -> list[Event]:
    """State events for every row of a snapshot that reconcile needs."""
    rows, found = world.rows, list[Event]()
    for row in rows["crm.cust"].values():
        found.append(_state("CustomerState", "Customer", row["cust_id"], **_customer(row)))
    for row in rows["crm.cust_addr"].values():
        found.append(_state("CustomerAddressState", "Customer", row["cust_id"], **_address(row)))
    for row in rows["crm.cust_cons"].values():
        said = {"purpose": PURPOSES[row["cons_typ"]], "decision": DECISIONS[row["cons_flg"]]}
        found.append(_state("CustomerConsentState", "Customer", row["cust_id"], **said))
    for row in rows["pol.pol"].values():
        issued = {"policyNumber": row["pol_no"], "status": {"A": "active", "C": "cancelled"}[row["sts"]]}
        found.append(_state("PolicyState", "Policy", row["pol_id"], **issued))
    for row in rows["pol.pol_role"].values():
        role = {"role": ROLES[row["role_cd"]], "customerId": row["cust_id"]}
        found.append(_state("PolicyRoleState", "Policy", row["pol_id"], **role))
    for row in rows["bil.acct"].values():
        found.append(_state("BillingAccountState", "BillingAccount", row["acct_id"], balance=str(row["bal"])))
    for row in rows["clm.claim"].values():
        opened = {"claimNumber": row["clm_no"], "status": CLAIM_STATUS[row["sts"]]}
        found.append(_state("ClaimState", "Claim", row["clm_id"], **opened))
    for row in rows["clm.clmnt"].values():
        reached = {"phone": row["tel"] or None, "email": row["eml"] or None}
        found.append(_state("ClaimantState", "Claim", row["clm_id"], claimantId=row["clmnt_id"], **reached))
    return found


def _customer(row: Row) -> Event:
    return {
        "name": row["nm"],
        "firstName": row["fst_nm"] or None,
        "status": STATUS[row["sts"]],
        "deleted": row["del_flg"] == "Y",
        "survivorId": row["surv_id"] or None,
    }


def _address(row: Row) -> Event:
    place = {"street": row["str"], "postcode": row["zip"], "city": row["city"], "country": row["ctry"]}
    return {
        "kind": KINDS[row["addr_typ"]],
        "address": place,
        "check": {"P": "pending", "V": "verified", "R": "rejected"}.get(row["chk"]),
        "previousAddress": unpacked(f"{row['old_plc']:<82}").fields if row["old_plc"] else None,
        "validTo": iso(row["val_to"]),
    }


def _state(name: str, aggregate: str, number: int, /, **values: Any) -> Event:
    return _event(name, "state", (aggregate, number), 1, values)


def _event(name: str, intent: str, aggregate: tuple[str, int], tx_id: int, values: Event) -> Event:
    return {
        "event": name,
        "intent": intent,
        "aggregateType": aggregate[0],
        "aggregateId": aggregate[1],
        "txId": tx_id,
        "data": values,
    }
