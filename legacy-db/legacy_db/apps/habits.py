"""Habits of the old screens: edits undone, updates of nothing, rollbacks, retries, savepoints, long talks."""

from __future__ import annotations

from collections.abc import Sequence

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.apps import bad_values, billing, call_centre, claims_desk, duplicates, policy_admin, web_portal
from legacy_db.apps.places import another_place
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.work import Pause

__all__ = ["APPLICATIONS"]


def _functions(*modules: Sequence[Application]) -> list[Function]:
    return [function for module in modules for application in module for function in application.functions]


_ON_CUSTOMERS = _functions(call_centre.APPLICATIONS, web_portal.APPLICATIONS, duplicates.APPLICATIONS)
_ANYWHERE = _ON_CUSTOMERS + _functions(policy_admin.APPLICATIONS, billing.APPLICATIONS, claims_desk.APPLICATIONS)
_ON_EXISTING = [
    function
    for function in _ANYWHERE
    if function.name
    in ("move with date", "move, hurried", "name typing error", "note", "payment", "policy endorsed", "claim status")
]


def _some(desk: Desk, functions: list[Function], habit: str) -> Draft | None:
    function = desk.rng.choice(functions)
    draft = function.plan(desk)
    if draft is not None:
        draft.transaction.label = f"{habit}: {function.name}"
    return draft


def _no_op(desk: Desk) -> Draft | None:
    customer = desk.customer(lambda row: bool(desk.addresses(row)))
    if customer is None:
        return None
    draft, number = desk.draft(), customer["cust_id"]
    draft.touch("Customer", number)
    stamp = ", upd_ts = now() + interval '1 second'" if desk.chance(0.5) else ""
    if desk.chance(0.5):
        draft.sql(f"UPDATE crm.cust SET nm = nm, sts = sts, del_flg = del_flg{stamp} WHERE cust_id = %s", number)
    else:
        draft.sql(f"UPDATE crm.cust_addr SET str = str, city = city{stamp} WHERE cust_id = %s", number)
    draft.nothing("nothing changed but perhaps the stamp")
    return draft


def _undone(desk: Desk) -> Draft | None:
    customer = desk.customer(lambda row: bool(desk.addresses(row)))
    if customer is None:
        return None
    draft, address = desk.draft(), desk.rng.choice(desk.addresses(customer))
    draft.touch("Customer", customer["cust_id"])
    place = another_place(desk, address)
    statement = "UPDATE crm.cust_addr SET str = %s, zip = %s, city = %s, ctry = %s WHERE addr_id = %s"
    draft.sql(statement, *place.columns.values(), address["addr_id"])
    draft.pause(0.01)
    draft.sql(statement, address["str"], address["zip"], address["city"], address["ctry"], address["addr_id"])
    draft.nothing("edited and put back")
    return draft


def _inserted_and_deleted(desk: Desk) -> Draft | None:
    customer = desk.customer()
    if customer is None:
        return None
    draft = desk.draft()
    row = rows.address(desk.world, customer["cust_id"], "SHP", desk.place(), desk.today)
    draft.delete("crm.cust_addr", draft.insert("crm.cust_addr", **row))
    draft.nothing("inserted and deleted again")
    return draft


def _rolled_back(desk: Desk) -> Draft | None:
    draft = _some(desk, _ANYWHERE, "rolled back")
    if draft is not None:
        draft.transaction.rolls_back = True
    return draft


def _retried(desk: Desk) -> Draft | None:
    draft = _some(desk, _ON_CUSTOMERS, "rolled back and retried")
    if draft is not None:
        draft.transaction.retried = True
    return draft


def _savepoint(desk: Desk) -> Draft | None:
    draft = _some(desk, [f for f in _ON_EXISTING if f.name.startswith(("move", "name"))], "with a savepoint")
    if draft is None:
        return None
    number = next(number for aggregate, number in draft.transaction.touched if aggregate == "Customer")
    draft.sql("SAVEPOINT second_thoughts")
    draft.sql("UPDATE crm.cust SET sts = 'M', surv_id = 1 WHERE cust_id = %s", number)
    draft.sql("ROLLBACK TO SAVEPOINT second_thoughts")
    return draft


def _long(desk: Desk) -> Draft | None:
    draft = _some(desk, _ANYWHERE, "long")
    if draft is not None:
        steps = draft.transaction.steps
        steps[:] = [each for step in steps[:6] for each in (step, Pause(desk.rng.uniform(0.02, 0.12)))] + steps[6:]
    return draft


def _after_the_damage(desk: Desk) -> Draft | None:
    """Ordinary work on an aggregate that has had, or will have, a bad value."""
    desk.wants_doomed = True
    try:
        return _some(desk, _ON_EXISTING, "on a damaged aggregate")
    finally:
        desk.wants_doomed = False


APPLICATIONS = [
    Application(
        "habits",
        "CCSCREEN",
        [f"CC{number:02d}" for number in range(1, 25)],
        (
            Function("no-op update", 35, _no_op),
            Function("edited and undone", 35, _undone),
            Function("inserted and deleted", 8, _inserted_and_deleted),
            Function("rolled back", 40, _rolled_back, stamped_badly=True),
            Function("rolled back and retried", 15, _retried, stamped_badly=True),
            Function("savepoint", 15, _savepoint, stamped_badly=True),
            Function("long", 20, _long, stamped_badly=True),
            Function("bad value", 14, bad_values.bad_value),
            Function("after the damage", 22, _after_the_damage, stamped_badly=True),
        ),
    )
]
