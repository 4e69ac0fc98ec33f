"""The DBA: bulk UPDATE and COPY, a column added, rows renumbered, logs purged, odd statements nobody can explain."""

from __future__ import annotations

from legacy_db.application import Application, Function
from legacy_db.apps.consents import state_consent
from legacy_db.apps.registration import new_customer, state_registered
from legacy_db.dates import shifted
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import NONE, OPEN, Row

__all__ = ["APPLICATIONS"]


def _load(desk: Desk) -> Draft | None:
    draft = desk.draft()
    made = [new_customer(desk) for _ in range(desk.rng.randint(15, 25))]
    for table in made[0]:
        loaded = [row for customer in made for row in customer[table]]
        if loaded:
            draft.copy(table, loaded)
    for customer in made:
        state_registered(draft, customer)
    return draft


def _reset_consents(desk: Desk) -> Draft | None:
    def given(row: Row) -> bool:
        return bool(row["cons_typ"] == "TEL" and row["cons_flg"] == "Y")

    customers = desk.several("Customer", 30, lambda row: bool(desk.world.of("crm.cust_cons", row["cust_id"], given)))
    consents = [row for customer in customers for row in desk.world.of("crm.cust_cons", customer["cust_id"], given)]
    if not consents:
        return None
    draft = desk.draft()
    draft.update_many("crm.cust_cons", consents, cons_flg="", cons_dt=desk.today)
    for row in consents:
        state_consent(draft, row["cust_id"], "TEL", "")
    return draft


def _branches(desk: Desk) -> Draft | None:
    policies = desk.several("Policy", 40)
    draft = desk.draft()
    draft.update_many("pol.pol", policies, brnch=f"{desk.rng.randint(100, 999):04d}")
    draft.nothing("branches reorganised in bulk")
    return draft


def _renumber_rows(desk: Desk) -> Draft | None:
    customers = desk.several("Customer", desk.rng.randint(1, 4), lambda row: bool(desk.addresses(row)))
    draft = desk.draft()
    for customer in customers:
        for row in desk.addresses(customer):
            draft.update_unstamped("crm.cust_addr", row, addr_id=desk.world.new_id("crm.cust_addr"))
    draft.nothing("address rows renumbered")
    return draft if customers else None


def _purge(desk: Desk) -> Draft | None:
    customers = desk.several("Customer", 6, lambda row: bool(desk.world.of("crm.cntct_log", row["cust_id"])))
    draft = desk.draft()
    for customer in customers:
        draft.delete("crm.cntct_log", desk.world.of("crm.cntct_log", customer["cust_id"])[0])
    draft.nothing("old lines of the contact log purged")
    return draft if customers else None


def _add_column(desk: Desk) -> Draft | None:
    draft = desk.draft()
    draft.transaction.is_ddl = True
    draft.sql("ALTER TABLE crm.cust ADD COLUMN IF NOT EXISTS mkt_opt char(1)")
    draft.nothing("DDL")
    desk.world.has_mkt_opt = True
    return draft


def _marketing_flag(desk: Desk) -> Draft | None:
    customer = desk.customer()
    if customer is None or not desk.world.has_mkt_opt:
        return None
    draft = desk.draft()
    draft.touch("Customer", customer["cust_id"])
    draft.sql("UPDATE crm.cust SET mkt_opt = %s WHERE cust_id = %s", desk.rng.choice("YN"), customer["cust_id"])
    draft.nothing("a column that came with the DDL")
    return draft


def _odd_statement(desk: Desk) -> Draft | None:
    kind = desk.rng.choice(["birth", "type", "iban", "end", "report", "reference"])
    if kind in ("birth", "type"):
        row = desk.customer(lambda row: row["brth_dt"] != NONE)
        values: Row = {"brth_dt": shifted(row["brth_dt"], 1)} if row else {}
        values |= {"cust_typ": "O" if row and row["cust_typ"] == "P" else "P"} if kind == "type" else {}
        return _odd(desk, "crm.cust", row, values)
    if kind == "iban":
        account = desk.pick("BillingAccount", lambda row: True)
        return _odd(desk, "bil.acct", account, {"iban": f"DE{desk.rng.randint(10**19, 10**20 - 1)}"})
    if kind == "end":
        return _odd(
            desk, "pol.pol", desk.policy(lambda row: row["end_dt"] == OPEN), {"end_dt": shifted(desk.today, 900)}
        )
    if kind == "report":
        claim = desk.pick("Claim", lambda row: True)
        return _odd(desk, "clm.claim", claim, {"rpt_dt": shifted(claim["rpt_dt"], 1)} if claim else {})
    return _odd_delete(desk)


def _odd(desk: Desk, table: str, row: Row | None, values: Row) -> Draft | None:
    if row is None:
        return None
    draft = desk.draft()
    draft.update_unstamped(table, row, **values)
    for aggregate, number in draft.transaction.touched:
        draft.unexplained(aggregate, number, len(values))
    draft.nothing("an odd statement on columns that no function changes")
    return draft


def _odd_delete(desk: Desk) -> Draft | None:
    customer = desk.customer(lambda row: bool(desk.world.of("crm.src_ref", row["cust_id"])))
    if customer is None:
        return None
    draft, number = desk.draft(), customer["cust_id"]
    draft.delete("crm.src_ref", desk.world.of("crm.src_ref", number)[0])
    draft.unexplained("Customer", number, 1)
    draft.nothing("a source reference deleted by hand")
    return draft


APPLICATIONS = [
    Application(
        "dba",
        "PSQL",
        ["DBA"],
        (
            Function("bulk load by COPY", 3, _load),
            Function("telephone consents reset in bulk", 3, _reset_consents),
            Function("branches of policies in bulk", 3, _branches),
            Function("address rows renumbered", 20, _renumber_rows, stamped_badly=True),
            Function("contact log purged", 5, _purge),
            Function("column added", 1, _add_column),
            Function("marketing flag", 15, _marketing_flag),
            Function("odd statement", 14, _odd_statement),
        ),
    )
]
