"""A new or mended name: what call centre, portal, registry feed and name check have in common."""

from __future__ import annotations

from legacy_db import rows
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import Row

__all__ = ["rename"]


def rename(desk: Desk, draft: Draft, customer: Row, event: str, intent: str = "fact", twin: str | None = None) -> None:
    """Gives the customer another name (in place, the match code mostly with it) and states the event."""
    person = customer["cust_typ"] == "P"
    name = _another(desk, customer["nm"], desk.people.surnames if person else desk.people.companies)
    first = customer["fst_nm"]
    if person and desk.chance(0.25):
        first = _another(desk, first, desk.people.first_names)
    derived = {"mtch_cd": rows.match_code(name, desk.rng)} if desk.chance(0.7) else {}
    draft.update("crm.cust", customer, nm=name, fst_nm=first, **derived)
    number = customer["cust_id"]
    draft.fact(event, number, intent, twin, customerId=number, name=name, firstName=first or None)


def _another(desk: Desk, old: str, pool: list[str]) -> str:
    while (name := desk.rng.choice(pool)) == old:
        continue
    return name
