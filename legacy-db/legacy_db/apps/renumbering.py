"""A customer gets another number, in every table: the one change of an aggregate's key."""

from __future__ import annotations

from legacy_db.apps.duplicates import survivors
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import TABLES, Row

__all__ = ["renumber"]


def _may_be_renumbered(desk: Desk) -> Row | None:
    world = desk.world
    referred = {row["ref_no"] for row in world.rows["clm.claim"].values() if row["ref_typ"] == "C"} | {
        str(number) for number in survivors(desk)
    }

    def fits(row: Row) -> bool:
        number = row["cust_id"]
        return str(number) not in referred and not world.roles_of(number) and not world.of("crm.mrg_log", number)

    return desk.customer(fits)


def renumber(desk: Desk) -> Draft | None:
    """Changes `cust_id` in all rows of a customer without roles, merges and claims."""
    customer = _may_be_renumbered(desk)
    if customer is None:
        return None
    draft, old, new = desk.draft(), customer["cust_id"], desk.world.new_id("crm.cust")
    for table in TABLES.values():
        if table.aggregate == "Customer":
            for row in desk.world.of(table.name, old):
                draft.update(table.name, row, cust_id=new)
    for number in (old, new):
        draft.fact("CustomerRenumbered", number, customerId=number, oldCustomerId=old, newCustomerId=new)
    return draft
