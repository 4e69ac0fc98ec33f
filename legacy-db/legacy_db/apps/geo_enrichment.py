"""Geo-enrichment writes coordinates beside addresses, a few customers at a time."""

from __future__ import annotations

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.desk import Desk
from legacy_db.draft import Draft

__all__ = ["APPLICATIONS"]


def _enrich(desk: Desk) -> Draft | None:
    draft = desk.draft()
    for customer in desk.several("Customer", desk.rng.randint(1, 8), lambda row: row["sts"] in ("A", "P")):
        for address in desk.addresses(customer):
            draft.update("crm.cust_addr", address, **rows.coordinates(desk.rng))
    draft.nothing("coordinates are derived from the address")
    return draft if draft.transaction.steps else None


APPLICATIONS = [
    Application(
        "geo-enrichment",
        "GEO_BATCH",
        ["GEO"],
        (Function("geo-enrichment", 60, _enrich, stamped_badly=True),),
        shared_program="NIGHTRUN",
    )
]
