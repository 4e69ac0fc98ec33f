"""Billing: the billing run, single invoices, payments one by one and from the bank's file, reversals."""

from __future__ import annotations

from decimal import Decimal

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.codes import METHODS
from legacy_db.dates import iso, shifted
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.tables import Row

__all__ = ["APPLICATIONS", "pay"]


def _invoice(desk: Desk, draft: Draft, account: Row) -> None:
    number, amount = account["acct_id"], rows.money(desk.rng, 20, 600)
    invoice, due = desk.world.new_id("bil.inv"), shifted(desk.today, 30)
    balance = account["bal"] + amount
    reminded = {"dun_lvl": (account["dun_lvl"] + 1) % 4} if desk.chance(0.2) else {}
    counted = {"itm_cnt": account["itm_cnt"] + 1} if desk.chance(0.8) else {}
    row = {"inv_id": invoice, "acct_id": number, "inv_no": f"I{invoice:010d}", "amt": amount}
    draft.insert("bil.inv", **row, due_dt=due, sts="O")
    draft.update("bil.acct", account, bal=balance, lst_inv=desk.today, **reminded, **counted)
    draft.fact(
        "InvoiceIssued",
        number,
        accountId=number,
        invoiceId=invoice,
        invoiceNumber=row["inv_no"],
        amount=str(amount),
        dueOn=iso(due),
        balance=str(balance),
    )


def _run(desk: Desk) -> Draft | None:
    accounts = desk.several("BillingAccount", 30)
    draft = desk.draft()
    for place, account in enumerate(accounts):
        _invoice(desk, draft, account)
        if place % 10 == 5:
            draft.pause(0.05)
    return draft if accounts else None


def _single_invoice(desk: Desk) -> Draft | None:
    account = desk.pick("BillingAccount", lambda row: True)
    if account is None:
        return None
    draft = desk.draft()
    _invoice(desk, draft, account)
    return draft


def pay(desk: Desk, draft: Draft, account: Row, method: str | None = None) -> None:
    """Books one payment on an account: an open invoice if there is one, else on account."""
    number = account["acct_id"]
    open_ones = desk.world.of("bil.inv", number, lambda row: row["sts"] == "O")
    invoice = desk.rng.choice(open_ones) if open_ones and desk.chance(0.7) else None
    amount = invoice["amt"] if invoice else rows.money(desk.rng, 5, 400)
    method = method or desk.rng.choice(list(METHODS))
    payment, balance = desk.world.new_id("bil.pay"), account["bal"] - amount
    draft.insert(
        "bil.pay",
        pay_id=payment,
        acct_id=number,
        pay_typ="P",
        amt=amount,
        pay_dt=desk.today,
        meth=method,
        rsn="",
        orig_pay=0,
    )
    counted = {"itm_cnt": account["itm_cnt"] + 1} if desk.chance(0.6) else {}
    draft.update("bil.acct", account, bal=balance, **counted)
    if invoice:
        draft.update("bil.inv", invoice, sts="P")
    draft.fact(
        "PaymentReceived",
        number,
        accountId=number,
        paymentId=payment,
        amount=str(amount),
        paidOn=iso(desk.today),
        method=METHODS.get(method),
        balance=str(balance),
    )


def _payment(desk: Desk) -> Draft | None:
    account = desk.pick("BillingAccount", lambda row: True)
    if account is None:
        return None
    draft = desk.draft()
    pay(desk, draft, account)
    return draft


def _bank_file(desk: Desk) -> Draft | None:
    accounts = desk.several("BillingAccount", desk.rng.randint(10, 25))
    draft = desk.draft()
    for account in accounts:
        pay(desk, draft, account, "B")
    draft.pause(0.1)
    return draft if accounts else None


def _reversible(desk: Desk, account: int) -> list[Row]:
    payments = desk.world.of("bil.pay", account)
    taken_back = {row["orig_pay"] for row in payments if row["pay_typ"] == "R"}
    return [row for row in payments if row["pay_typ"] == "P" and row["pay_id"] not in taken_back]


def _reverse(desk: Desk) -> Draft | None:
    account = desk.pick("BillingAccount", lambda row: bool(_reversible(desk, row["acct_id"])))
    if account is None:
        return None
    draft, number = desk.draft(), account["acct_id"]
    original = desk.rng.choice(_reversible(desk, number))
    reason = desk.rng.choice(["RT", "MB"])
    reversal, balance = desk.world.new_id("bil.pay"), account["bal"] + original["amt"]
    draft.insert(
        "bil.pay",
        pay_id=reversal,
        acct_id=number,
        pay_typ="R",
        amt=original["amt"],
        pay_dt=desk.today,
        meth=original["meth"],
        rsn=reason,
        orig_pay=original["pay_id"],
    )
    counted = {"itm_cnt": account["itm_cnt"] + 1} if desk.chance(0.6) else {}
    draft.update("bil.acct", account, bal=balance, **counted)
    settled = desk.world.of("bil.inv", number, lambda row: row["sts"] == "P" and row["amt"] == original["amt"])
    if settled:
        draft.update("bil.inv", settled[0], sts="O")
    draft.fact(
        "PaymentReversed",
        number,
        "fact" if reason == "RT" else "correction",
        accountId=number,
        paymentId=reversal,
        reversedPaymentId=original["pay_id"],
        amount=str(Decimal(original["amt"])),
        balance=str(balance),
    )
    return draft


APPLICATIONS = [
    Application(
        "billing",
        "BILLRUN",
        ["BILL", "BATCH"],
        (
            Function("billing run", 5, _run),
            Function("single invoice", 45, _single_invoice),
            Function("payment", 140, _payment),
            Function("bank file", 6, _bank_file),
            Function("payment reversed", 75, _reverse),
        ),
        shared_program="NIGHTRUN",
    )
]
