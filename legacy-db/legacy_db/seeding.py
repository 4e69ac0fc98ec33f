"""Seed data: a believable portfolio, loaded with COPY."""

from __future__ import annotations

import random
from decimal import Decimal

import psycopg

from legacy_db import rows
from legacy_db.codes import COVERAGES, PURPOSES
from legacy_db.dates import shifted
from legacy_db.people import People
from legacy_db.tables import NONE, OPEN, TABLES, Row
from legacy_db.world import World

__all__ = ["seed_rows", "seed_world"]

_DAY = 20261101
_STAMPS = (("CC07", "CCSCREEN"), ("WEBUSER", "WEBPORTAL"), ("BATCH", "OLDNIGHT"), ("PA02", "POLADM"), ("", ""))


class _Seeder:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"seed/{seed}")
        self.people = People(seed)
        self.world = World()

    def put(self, table: str, row: Row) -> Row:
        target = TABLES[table]
        if target.versioned:
            row = {**row, "ver_no": self.rng.randint(1, 9)}
        if target.stamped:
            user, program = self.rng.choice(_STAMPS)
            row = {**row, "upd_usr": user, "upd_pgm": program}
        ordered = {column: row[column] for column in target.columns}
        self.world.put(target, ordered)
        return ordered

    def customer(self) -> Row:
        rng, world = self.rng, self.world
        created = rows.earlier(rng, _DAY, 20)
        status = "P" if rng.random() < 0.08 else "A"
        row = rows.customer(world, self.people, rng, created, status)
        if rng.random() < 0.04:
            row |= {"del_flg": "Y", "del_dt": rows.earlier(rng, _DAY, 2)}
        return self.put("crm.cust", row)

    def addresses(self, owner: int) -> None:
        rng = self.rng
        for kind, share in (("RES", 1.0), ("BIL", 0.35), ("SHP", 0.3), ("LEG", 0.3)):
            if rng.random() < share:
                self.address(owner, kind)

    def address(self, owner: int, kind: str) -> None:
        rng, world, since = self.rng, self.world, rows.earlier(self.rng, _DAY, 8)
        if rng.random() < 0.1:
            ended = {"val_to": shifted(since, -1), "chk": rng.choice(["", "V"])}
            place = self.people.place(rng)
            self.put("crm.cust_addr", rows.address(world, owner, kind, place, shifted(since, -900), **ended))
        values: Row = dict(rows.coordinates(rng)) if rng.random() < 0.7 else {}
        values["chk"] = rng.choice(["", "", "V"])
        if kind != "LEG" and rng.random() < 0.03:
            values |= {"chk": "P", "old_plc": self.people.place(rng).packed.rstrip(" ")}
        self.put("crm.cust_addr", rows.address(world, owner, kind, self.people.place(rng), since, **values))

    def choices(self, owner: int) -> None:
        rng = self.rng
        for purpose in PURPOSES:
            if rng.random() < 0.6:
                flag = rng.choice(["Y", "Y", "N", ""])
                day = rows.earlier(rng, _DAY, 4) if flag else NONE
                row = {"cust_id": owner, "cons_typ": purpose, "cons_flg": flag, "cons_dt": day, "chnl": "W"}
                self.put("crm.cust_cons", row)
        for kind, values in (("SHIP", "HPO"), ("CHNL", "ETLN")):
            if rng.random() < 0.35:
                self.put("crm.cust_pref", {"cust_id": owner, "pref_typ": kind, "pref_val": rng.choice(values)})
        if rng.random() < 0.3:
            text = rng.choice(self.people.texts)
            self.put("crm.cntct_log", rows.log(self.world, owner, rows.earlier(rng, _DAY, 3), "T", "INF", "", text))
        if rng.random() < 0.1:
            day = rows.earlier(rng, _DAY, 3)
            self.put("crm.src_ref", rows.source_reference(self.world, owner, "PDIR", "RES", day))

    def policy(self, holder: int, others: list[int]) -> None:
        rng, world = self.rng, self.world
        number, product = world.new_id("pol.pol"), rng.choice(list(COVERAGES))
        begins = rows.earlier(rng, _DAY, 10)
        gone = rng.random() < 0.05
        self.put(
            "pol.pol",
            {
                "pol_id": number,
                "pol_no": f"{product}{number:08d}",
                "prod_cd": product,
                "sts": "C" if gone else "A",
                "beg_dt": begins,
                "end_dt": OPEN,
                "cncl_dt": shifted(begins, 20) if gone else NONE,
                "cncl_rsn": rng.choice("RNS") if gone else "",
                "prem": rows.money(rng, 60, 2400),
                "pay_frq": rng.choice("MQY"),
                "brnch": f"{rng.randint(1, 60):04d}",
                "rsrv": rows.money(rng, 0, 9000),
            },
        )
        parties = [("HOL", holder), ("PAY", rng.choice([holder, holder, others[0]])), ("INS", holder)]
        parties += [("INS", others[1])] if rng.random() < 0.3 and others[1] != holder else []
        for code, party in parties:
            self.put("pol.pol_role", rows.role(world, number, party, code, begins))
        for code in COVERAGES[product]:
            coverage = {"cov_id": world.new_id("pol.pol_cov"), "pol_id": number, "cov_cd": code}
            coverage |= {"sum_ins": rows.money(rng, 5_000, 900_000), "ded": rows.money(rng, 0, 1_000)}
            self.put("pol.pol_cov", coverage)
        self.account(number)

    def account(self, policy: int) -> None:
        rng, world, number = self.rng, self.world, self.world.new_id("bil.acct")
        balance, count = Decimal("0.00"), 0
        for _ in range(rng.randint(0, 2)):
            invoice, amount = world.new_id("bil.inv"), rows.money(rng, 20, 600)
            day, paid = rows.earlier(rng, _DAY, 1), rng.random() < 0.7
            row = {"inv_id": invoice, "acct_id": number, "inv_no": f"I{invoice:010d}", "amt": amount, "due_dt": day}
            self.put("bil.inv", {**row, "sts": "P" if paid else "O"})
            balance, count = balance + amount, count + 1
            if paid:
                payment = {"pay_id": world.new_id("bil.pay"), "acct_id": number, "pay_typ": "P", "amt": amount}
                self.put("bil.pay", {**payment, "pay_dt": day, "meth": rng.choice("BCD"), "rsn": "", "orig_pay": 0})
                balance, count = balance - amount, count + 1
        self.put(
            "bil.acct",
            {
                "acct_id": number,
                "pol_id": policy,
                "bal": balance,
                "lst_inv": NONE,
                "dun_lvl": 0,
                "itm_cnt": count,
                "iban": "",
            },
        )

    def claim(self, policies: int, customers: int) -> None:
        rng, world, number = self.rng, self.world, self.world.new_id("clm.claim")
        on_policy, lost = rng.random() < 0.8, rows.earlier(self.rng, _DAY, 3)
        self.put(
            "clm.claim",
            {
                "clm_id": number,
                "clm_no": f"C{number:09d}",
                "ref_typ": "P" if on_policy else "C",
                "ref_no": str(rng.randint(1, policies if on_policy else customers)),
                "sts": rng.choice("OOAASRC"),
                "loss_dt": lost,
                "rpt_dt": shifted(lost, 3),
                "cause": rng.choice(["FI", "WA", "TH", "CO", "OT"]),
                "rsv_amt": rows.money(rng, 0, 20_000),
                "adj_cd": "",
                "note_txt": self.people.note(rng, 3000) if rng.random() < 0.05 else "",
            },
        )
        for _ in range(rng.choice([1, 1, 2])):
            self.put("clm.clmnt", rows.claimant(world, self.people, rng, number))

    def merges(self, customers: list[int]) -> None:
        """A few customers merged in earlier years, their roles long since the survivors'."""
        rng = self.rng
        for number in customers:
            row = self.world.get("crm.cust", number)
            survivor = rng.randint(1, len(self.world.ids("crm.cust")))
            other = self.world.get("crm.cust", survivor)
            if self.world.roles_of(number) or survivor == number or other["sts"] != "A" or row["sts"] != "A":
                continue
            row |= {"sts": "M", "surv_id": survivor}
            day = rows.earlier(rng, _DAY, 3)
            self.put("crm.mrg_log", rows.merge_log(self.world, number, survivor, "M", day, rng))


def seed_world(seed: int, customers: int) -> World:
    """The seed data as a world: the same for the same seed and number of customers (at least 20)."""
    seeder = _Seeder(seed)
    numbers = [int(seeder.customer()["cust_id"]) for _ in range(customers)]
    for number in numbers:
        seeder.addresses(number)
        seeder.choices(number)
    holders = numbers[: max(2, customers * 6 // 10)]
    policies = customers * 7 // 10
    for _ in range(policies):
        seeder.policy(seeder.rng.choice(holders), [seeder.rng.choice(holders) for _ in range(2)])
    for _ in range(customers // 4):
        seeder.claim(policies, customers)
    seeder.merges(seeder.rng.sample(numbers, max(4, customers // 30)))
    return seeder.world


def seed_rows(connection: psycopg.Connection, world: World) -> int:
    """Loads a world into empty tables and returns the number of rows. Raises psycopg.Error, e.g. if rows are there."""
    total = 0
    for table in TABLES.values():
        statement = f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for row in world.rows[table.name].values():
                copy.write_row([row[column] for column in table.columns])
                total += 1
    return total
