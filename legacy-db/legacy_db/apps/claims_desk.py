"""The claims desk: claims opened, moved on, mended; claimants' telephone and email."""

from __future__ import annotations

from decimal import Decimal

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.codes import CAUSES, CLAIM_STATUS
from legacy_db.dates import iso, shifted
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import Row

__all__ = ["APPLICATIONS"]

_ONWARD = {"O": "A", "A": "SR", "S": "C", "R": "C", "C": "A"}
_BACK = {"A": "O", "S": "A", "R": "A", "C": "S"}


def _open(desk: Desk) -> Draft | None:
    policy = desk.policy() if desk.chance(0.75) else None
    customer = desk.customer()
    if customer is None:
        return None
    draft, number = desk.draft(), desk.world.new_id("clm.claim")
    lost = shifted(desk.today, -desk.rng.randint(0, 60))
    cause, party = desk.rng.choice(list(CAUSES)), customer["cust_id"]
    reference = policy["pol_id"] if policy else party
    draft.insert(
        "clm.claim",
        clm_id=number,
        clm_no=f"C{number:09d}",
        ref_typ="P" if policy else "C",
        ref_no=str(reference),
        sts="O",
        loss_dt=lost,
        rpt_dt=desk.today,
        cause=cause,
        rsv_amt=rows.money(desk.rng, 0, 20_000),
        adj_cd="",
        note_txt="",
    )
    claimants = [_claimant(desk, draft, number) for _ in range(desk.rng.choice([1, 1, 2]))]
    draft.fact(
        "ClaimOpened",
        number,
        claimId=number,
        claimNumber=f"C{number:09d}",
        policyId=reference if policy else None,
        customerId=None if policy else reference,
        lossDate=iso(lost),
        cause=CAUSES[cause],
        claimants=claimants,
    )
    if policy and desk.chance(0.65):
        _note_claimant(desk, draft, policy["pol_id"], party)
    return draft


def _claimant(desk: Desk, draft: Draft, claim: int) -> Row:
    row = rows.claimant(desk.world, desk.people, desk.rng, claim)
    draft.insert("clm.clmnt", **row)
    return {
        "claimantId": row["clmnt_id"],
        "name": row["nm"],
        "phone": row["tel"] or None,
        "email": row["eml"] or None,
    }


def _note_claimant(desk: Desk, draft: Draft, policy: int, party: int) -> None:
    held = desk.world.of("pol.pol_role", policy, lambda row: row["role_cd"] == "CLM" and row["cust_id"] == party)
    if held:
        return
    draft.insert("pol.pol_role", **rows.role(desk.world, policy, party, "CLM", desk.today))
    draft.fact("PolicyPartyAdded", policy, policyId=policy, role="claimant", customerId=party)


def _status(desk: Desk, onward: dict[str, str], reason: str, intent: str, twin: str | None = None) -> Draft | None:
    claim = desk.pick("Claim", lambda row: row["sts"] in onward)
    if claim is None:
        return None
    draft, number, old = desk.draft(), claim["clm_id"], claim["sts"]
    new = desk.rng.choice(onward[old])
    estimate = {"rsv_amt": claim["rsv_amt"] + rows.money(desk.rng, 1, 900)} if desk.chance(0.5) else {}
    noted = {"note_txt": desk.people.note(desk.rng, 100)} if desk.chance(0.3) else {}
    draft.update("clm.claim", claim, sts=new, **estimate, **noted)
    draft.insert(
        "clm.sts_log",
        log_id=desk.world.new_id("clm.sts_log"),
        clm_id=number,
        old_sts=old,
        new_sts=new,
        rsn=reason,
        log_dt=desk.today,
    )
    draft.fact(
        "ClaimStatusChanged",
        number,
        intent,
        twin,
        claimId=number,
        status=CLAIM_STATUS[new],
        formerStatus=CLAIM_STATUS[old],
    )
    return draft


def _progress(desk: Desk) -> Draft | None:
    return _status(desk, _ONWARD, "PRG", "fact")


def _mended(desk: Desk) -> Draft | None:
    return _status(desk, _BACK, "ERR", "correction")


def _old_mask(desk: Desk) -> Draft | None:
    anywhere = {old: "".join(new for new in CLAIM_STATUS if new != old) for old in CLAIM_STATUS}
    # what the clerk meant is drawn last and apart: nothing that is captured depends on it
    draft = _status(desk, anywhere, "", "undetermined", "progress")
    meant = desk.rng.choice(["progress", "mistake mended"])
    if draft is not None:
        draft.retell(twin=meant)
    return draft


def _contact(desk: Desk) -> Draft | None:
    claim = desk.pick("Claim", lambda row: bool(desk.world.of("clm.clmnt", row["clm_id"])))
    if claim is None:
        return None
    draft, number = desk.draft(), claim["clm_id"]
    row = desk.rng.choice(desk.world.of("clm.clmnt", number))
    which = desk.rng.choice(["tel", "eml", "both"])
    values = {
        **({"tel": desk.people.phone(desk.rng)} if which != "eml" else {}),
        **({"eml": desk.people.email(desk.rng)} if which != "tel" else {}),
    }
    draft.update("clm.clmnt", row, **values)
    draft.fact(
        "ClaimantContactChanged",
        number,
        claimId=number,
        claimantId=row["clmnt_id"],
        phone=row["tel"] or None,
        email=row["eml"] or None,
    )
    return draft


def _estimate(desk: Desk) -> Draft | None:
    claims = desk.several("Claim", desk.rng.randint(1, 6))
    draft = desk.draft()
    for claim in claims:
        worker = {"adj_cd": f"ADJ{desk.rng.randint(1, 30):02d}"} if desk.chance(0.5) else {}
        draft.update("clm.claim", claim, rsv_amt=claim["rsv_amt"] + Decimal("10.00"), **worker)
    draft.nothing("an estimate and who works on it")
    return draft if claims else None


APPLICATIONS = [
    Application(
        "claims-desk",
        "CLMDESK",
        [f"CL{number:02d}" for number in range(1, 12)],
        (
            Function("claim opened", 85, _open),
            Function("claim status", 100, _progress, stamped_badly=True),
            Function("claim status mended", 40, _mended, stamped_badly=True),
            Function("claim status, old mask", 50, _old_mask, stamped_badly=True),
            Function("claimant's contact", 50, _contact),
            Function("claim estimates", 25, _estimate),
        ),
    )
]
