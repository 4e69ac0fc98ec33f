"""The desk an application works at: the world, the seeded random numbers, the business day, and ways to pick a case."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from legacy_db.dates import legacy
from legacy_db.draft import Draft
from legacy_db.people import People, Place
from legacy_db.tables import OPEN, ROOTS, Row
from legacy_db.work import Aggregate, Transaction, Writer
from legacy_db.world import World

__all__ = ["Desk"]

_FIRST_DAY = dt.date(2026, 11, 2)
_A_DAY = 100  # transactions a business day


def _any(row: Row) -> bool:
    return True


@dataclass(slots=True)
class Desk:
    """What a function of an application may use to plan one transaction. Everything random comes from `rng`."""

    world: World
    people: People
    rng: random.Random
    doomed: frozenset[Aggregate] = frozenset()
    number: int = 0
    wants_doomed: bool = False
    opened: list[Draft] = field(default_factory=list)
    application: str = ""
    function: str = ""
    writer: Writer = field(default_factory=lambda: Writer("", ""))

    @property
    def today(self) -> int:
        """The business day, as legacy writes dates."""
        return legacy(_FIRST_DAY + dt.timedelta(days=self.number // _A_DAY))

    def draft(self, label: str | None = None) -> Draft:
        """Opens the transaction that the function is planning; at most one for each call of a function."""
        draft = Draft(self.world, Transaction(label or self.function, self.application, self.writer))
        self.opened.append(draft)
        return draft

    def chance(self, share: float) -> bool:
        """True in that share of the cases, 0 to 1."""
        return self.rng.random() < share

    def place(self) -> Place:
        """A place somewhere."""
        return self.people.place(self.rng)

    def customer(self, fits: Callable[[Row], bool] = _any) -> Row | None:
        """A living customer (active or prospect, not deactivated) that fits, or None if there is none."""
        return self.pick("Customer", lambda row: row["sts"] in ("A", "P") and row["del_flg"] != "Y" and fits(row))

    def policy(self, fits: Callable[[Row], bool] = _any) -> Row | None:
        """An active policy that fits, or None."""
        return self.pick("Policy", lambda row: row["sts"] == "A" and fits(row))

    def pick(self, aggregate: str, fits: Callable[[Row], bool]) -> Row | None:
        """The root row of an aggregate that fits, or None. Never a doomed one; with `wants_doomed`, only those."""
        table = ROOTS[aggregate].name
        rows = self.world.rows[table]
        ids = self.world.ids(table)
        for _ in range(40 if not self.wants_doomed else 0):
            number = self.rng.choice(ids)
            if (aggregate, number) not in self.doomed and fits(rows[number,]):
                return rows[number,]
        rest = [n for n in ids if ((aggregate, n) in self.doomed) == self.wants_doomed and fits(rows[n,])]
        return rows[self.rng.choice(rest),] if rest else None

    def several(self, aggregate: str, count: int, fits: Callable[[Row], bool] = _any) -> list[Row]:
        """Up to `count` different root rows that fit, by id."""
        found: dict[int, Row] = {}
        for _ in range(count * 2):
            row = self.pick(aggregate, fits)
            if row is not None and len(found) < count:
                found[row[ROOTS[aggregate].owner]] = row
        return [found[number] for number in sorted(found)]

    def addresses(self, customer: Row, *kinds: str) -> list[Row]:
        """The customer's open addresses of those kinds (all kinds if none is named) that await no proof."""
        wanted = kinds or ("RES", "BIL", "SHP", "LEG")
        return self.world.of(
            "crm.cust_addr",
            customer["cust_id"],
            lambda row: row["val_to"] == OPEN and row["addr_typ"] in wanted and row["chk"] in ("", "V", "R"),
        )
