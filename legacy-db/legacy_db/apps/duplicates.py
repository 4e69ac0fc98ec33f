"""Duplicate customers are merged; mistaken merges are parted again."""

from __future__ import annotations

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.apps.roles import repoint
from legacy_db.dates import iso
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import NONE, Row

__all__ = ["APPLICATIONS", "survivors"]


def survivors(desk: Desk) -> set[int]:
    """Customers in whom another one lives on."""
    return {row["surv_id"] for row in desk.world.rows["crm.cust"].values() if row["surv_id"] != NONE}


def _merge(desk: Desk) -> Draft | None:
    keep, wants_roles = survivors(desk), desk.chance(0.75)

    def may_go(row: Row) -> bool:
        number = row["cust_id"]
        return (
            row["sts"] == "A"
            and number not in keep
            and not desk.world.of("crm.mrg_log", number)
            and bool(desk.world.roles_of(number)) == wants_roles
        )

    loser = desk.customer(may_go)
    survivor = loser and desk.customer(lambda row: row["sts"] == "A" and row["cust_id"] != loser["cust_id"])
    if loser is None or survivor is None:
        return None
    draft, gone, stays = desk.draft(), loser["cust_id"], survivor["cust_id"]
    draft.update("crm.cust", loser, sts="M", surv_id=stays)
    draft.insert("crm.mrg_log", **rows.merge_log(desk.world, gone, stays, "M", desk.today, desk.rng))
    draft.update("crm.cust", survivor, note_txt=f"Merged with {gone}. {survivor['note_txt']}".strip()[:6000])
    draft.fact("CustomerMerged", gone, "merge", customerId=gone, survivorId=stays, mergedOn=iso(desk.today))
    for held in desk.world.roles_of(gone):
        repoint(desk, draft, held, stays, "MRG", "merge")
    return draft


def _unmerge(desk: Desk) -> Draft | None:
    loser = desk.pick("Customer", lambda row: row["sts"] == "M")
    if loser is None:
        return None
    draft, back, stays = desk.draft(), loser["cust_id"], loser["surv_id"]
    draft.update("crm.cust", loser, sts="A", surv_id=NONE)
    draft.insert("crm.mrg_log", **rows.merge_log(desk.world, back, stays, "U", desk.today, desk.rng))
    draft.fact("CustomerUnmerged", back, "correction", customerId=back, formerSurvivorId=stays)
    for held in _moved_by_merge(desk, back, stays):
        repoint(desk, draft, held, back, "UNM", "correction")
    return draft


def _moved_by_merge(desk: Desk, loser: int, survivor: int) -> list[Row]:
    """The roles that came from the loser with the merge and are still the survivor's."""
    moved = {
        row["role_id"]
        for row in desk.world.rows["pol.role_hist"].values()
        if row["rsn"] == "MRG" and row["old_cust"] == loser and row["new_cust"] == survivor
    }
    return [row for row in desk.world.roles_of(survivor) if row["role_id"] in moved]


APPLICATIONS = [
    Application(
        "duplicates",
        "DUPMERGE",
        ["DQTEAM", "BATCH"],
        (
            Function("customers merged", 60, _merge, stamped_badly=True),
            Function("merge undone", 32, _unmerge, stamped_badly=True),
        ),
        shared_program="NIGHTRUN",
    )
]
