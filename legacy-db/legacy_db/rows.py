"""Rows as the applications write them; every column but the stamp."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from legacy_db.dates import shifted
from legacy_db.people import People, Place
from legacy_db.tables import NONE, OPEN, Row
from legacy_db.world import World

__all__ = ["address", "claimant", "coordinates", "customer", "earlier", "log", "match_code", "merge_log", "money"]
__all__ += ["role", "role_history", "source_reference", "unpacked"]


def money(rng: random.Random, low: int, high: int) -> Decimal:
    """An amount with two decimals, between two whole amounts."""
    return Decimal(rng.randint(low * 100, high * 100)).scaleb(-2)


def match_code(name: str, rng: random.Random | None = None) -> str:
    """The phonetic code of a name (old versions of the routine differ in the last digit)."""
    consonants = "".join(letter for letter in name.upper() if letter in "BCDFGHKLMNPRSTVW")
    return f"{consonants[:6]:X<6}{rng.randint(10, 99) if rng else 10}"


def coordinates(rng: random.Random) -> dict[str, Any]:
    """What geo-enrichment finds for a place."""
    return {
        "lat": Decimal(rng.randint(40_000_000, 63_000_000)).scaleb(-6),
        "lon": Decimal(rng.randint(1_000_000, 20_000_000)).scaleb(-6),
        "geo_q": rng.choice("ABC"),
    }


def customer(world: World, people: People, rng: random.Random, day: int, status: str = "A") -> Row:
    """A new customer, person or organisation."""
    person = rng.random() < 0.85
    name = rng.choice(people.surnames if person else people.companies)
    return {
        "cust_id": world.new_id("crm.cust"),
        "cust_typ": "P" if person else "O",
        "nm": name,
        "fst_nm": rng.choice(people.first_names) if person else "",
        "mtch_cd": match_code(name),
        "brth_dt": rng.randint(1940, 2006) * 10_000 + rng.randint(1, 12) * 100 + rng.randint(1, 28) if person else NONE,
        "attrs": rng.choice(["DE", "DE", "DE", "FR", "IT", "EN"]) + rng.choice("ABCD") + f"{rng.randint(1, 60):04d}",
        "sts": status,
        "surv_id": NONE,
        "del_flg": rng.choice(["", "N"]),
        "del_dt": NONE,
        "scor": money(rng, 0, 999),
        "note_txt": people.note(rng, rng.choice([20, 60, 4000]) if rng.random() < 0.3 else 0),
        "crt_dt": day,
        "ver_no": 1,
    }


def address(world: World, owner: int, kind: str, place: Place, valid_from: int, **values: Any) -> Row:
    """An open address row; `values` override its other columns."""
    row: Row = {"addr_id": world.new_id("crm.cust_addr"), "cust_id": owner, "addr_typ": kind, **place.columns}
    row |= {"lat": None, "lon": None, "geo_q": "", "chk": "", "old_plc": "", "val_frm": valid_from, "val_to": OPEN}
    return row | values


def unpacked(packed: str) -> Place:
    """The place in `old_plc`."""
    return Place(packed[:40].strip(), packed[40:50].strip(), packed[50:80].strip(), packed[80:82])


def log(world: World, owner: int, day: int, channel: str, reason: str, about: str = "", text: str = "") -> Row:
    """A contact-log line."""
    number = world.new_id("crm.cntct_log")
    return {
        "log_id": number,
        "cust_id": owner,
        "log_dt": day,
        "chnl": channel,
        "rsn": reason,
        "obj": about,
        "txt": text,
        "usr": f"CC{number % 40:02d}",
    }


def source_reference(world: World, owner: int, source: str, about: str, effective: int) -> Row:
    """A line saying where a value came from."""
    number = world.new_id("crm.src_ref")
    return {
        "ref_id": number,
        "cust_id": owner,
        "src_cd": source,
        "obj": about,
        "ext_ref": f"{source}-{effective}-{number:06d}"[:20],
        "eff_dt": effective,
    }


def merge_log(world: World, loser: int, survivor: int, act: str, day: int, rng: random.Random) -> Row:
    """A merge-log line of the loser."""
    return {
        "mrg_id": world.new_id("crm.mrg_log"),
        "cust_id": loser,
        "surv_id": survivor,
        "mrg_act": act,
        "mrg_dt": day,
        "mtch_pct": money(rng, 80, 99),
    }


def role(world: World, policy: int, party: int, code: str, day: int) -> Row:
    """A role of a customer on a policy."""
    return {
        "role_id": world.new_id("pol.pol_role"),
        "pol_id": policy,
        "cust_id": party,
        "role_cd": code,
        "beg_dt": day,
    }


def role_history(world: World, held: Row, party: int, reason: str, day: int) -> Row:
    """The line written when a role is re-pointed; `held` is the role before."""
    return {
        "hist_id": world.new_id("pol.role_hist"),
        "pol_id": held["pol_id"],
        "role_id": held["role_id"],
        "role_cd": held["role_cd"],
        "old_cust": held["cust_id"],
        "new_cust": party,
        "rsn": reason,
        "chg_dt": day,
    }


def claimant(world: World, people: People, rng: random.Random, claim: int) -> Row:
    """Someone who claims, with telephone or email or both."""
    mode = rng.choice(["tel", "eml", "both", "both"])
    return {
        "clmnt_id": world.new_id("clm.clmnt"),
        "clm_id": claim,
        "nm": f"{rng.choice(people.first_names)} {rng.choice(people.surnames)}"[:60].strip(),
        "tel": people.phone(rng) if mode != "eml" else "",
        "eml": people.email(rng) if mode != "tel" else "",
    }


def earlier(rng: random.Random, day: int, years: int) -> int:
    """A day within the years before."""
    return shifted(day, -rng.randint(30, 365 * years))
