"""The web portal: customers edit their own profile; some edits wait for a proof."""

from __future__ import annotations

from legacy_db import rows
from legacy_db.application import Application, Function
from legacy_db.apps.consents import consent_decided
from legacy_db.apps.names import rename
from legacy_db.apps.places import NOT_LEGAL, another_place, edit_in_place, state_moved, valid_from
from legacy_db.apps.registration import register
from legacy_db.codes import CHANNELS, KINDS, SHIPPING
from legacy_db.desk import Desk
from legacy_db.draft import Draft
from legacy_db.people import Place
from legacy_db.tables import Row

__all__ = ["APPLICATIONS", "place_of"]


def place_of(address: Row) -> Place:
    """The place an address row holds."""
    return Place(address["str"], address["zip"], address["city"], address["ctry"])


def _address(desk: Desk) -> Row | None:
    customer = desk.customer(lambda row: bool(desk.addresses(row, *NOT_LEGAL)))
    return None if customer is None else desk.rng.choice(desk.addresses(customer, *NOT_LEGAL))


def move_dated(desk: Desk) -> Draft | None:
    """A move, told with its date."""
    address = _address(desk)
    if address is None:
        return None
    draft, day = desk.draft(), valid_from(desk, address)
    place = edit_in_place(desk, draft, address, 0.6, val_frm=day)
    state_moved(draft, address, place, day)
    return draft


def _first_address(desk: Desk) -> Draft | None:
    customer = desk.customer(lambda row: len(desk.world.of("crm.cust_addr", row["cust_id"])) < 3)
    if customer is None:
        return None
    number = customer["cust_id"]
    held = {row["addr_typ"] for row in desk.world.of("crm.cust_addr", number)}
    free = [kind for kind in NOT_LEGAL if kind not in held]
    if not free:
        return None
    draft, place = desk.draft(), desk.place()
    row = rows.address(desk.world, number, desk.rng.choice(free), place, desk.today)
    draft.insert("crm.cust_addr", **row)
    state_moved(draft, row, place, desk.today)
    return draft


def _profile_place(desk: Desk) -> Draft | None:
    address = _address(desk)
    if address is None:
        return None
    draft = desk.draft()
    place = edit_in_place(desk, draft, address)
    draft.insert(
        "crm.cntct_log", **rows.log(desk.world, address["cust_id"], desk.today, "W", "UPD", address["addr_typ"])
    )
    # what the customer had in mind is drawn last and apart: nothing that is captured depends on it
    meant = desk.rng.choice(["moved", "mended"])
    state_moved(draft, address, place, None, "undetermined", meant)
    return draft


def _profile_name(desk: Desk) -> Draft | None:
    customer = desk.customer()
    if customer is None:
        return None
    draft = desk.draft()
    rename(desk, draft, customer, "CustomerNameChanged", "undetermined", twin=desk.rng.choice(["new", "mended"]))
    draft.insert("crm.cntct_log", **rows.log(desk.world, customer["cust_id"], desk.today, "W", "UPD", "NAM"))
    return draft


def _edit_pending(desk: Desk) -> Draft | None:
    address = _address(desk)
    if address is None:
        return None
    draft, old = desk.draft(), place_of(address)
    place = another_place(desk, address)
    derived = rows.coordinates(desk.rng) if desk.chance(0.3) else {}
    draft.update("crm.cust_addr", address, **place.columns, chk="P", old_plc=old.packed, **derived)
    number = address["cust_id"]
    draft.fact(
        "CustomerAddressChangeRequested",
        number,
        "pending",
        customerId=number,
        kind=KINDS[address["addr_typ"]],
        requested=place.fields,
    )
    return draft


def _preference(desk: Desk, kind: str, values: dict[str, str]) -> tuple[Draft, int, str] | None:
    customer = desk.customer()
    if customer is None:
        return None
    draft, number = desk.draft(), customer["cust_id"]
    known = desk.world.of("crm.cust_pref", number, lambda row: row["pref_typ"] == kind)
    old = known[0]["pref_val"] if known else None
    value = desk.rng.choice([value for value in values if value != old])
    if known:
        draft.update("crm.cust_pref", known[0], pref_val=value)
    else:
        draft.insert("crm.cust_pref", cust_id=number, pref_typ=kind, pref_val=value)
    return draft, number, values[value]


def _shipping(desk: Desk) -> Draft | None:
    chosen = _preference(desk, "SHIP", SHIPPING)
    if chosen is None:
        return None
    draft, number, preference = chosen
    draft.fact("CustomerShippingPreferenceChanged", number, customerId=number, preference=preference)
    return draft


def _channel(desk: Desk) -> Draft | None:
    chosen = _preference(desk, "CHNL", CHANNELS)
    if chosen is None:
        return None
    draft, number, channel = chosen
    draft.fact("CustomerContactPreferenceChanged", number, customerId=number, channel=channel)
    return draft


APPLICATIONS = [
    Application(
        "web-portal",
        "WEBPORTAL",
        ["WEBUSER", "WEBAPI"],
        (
            Function("move with date", 110, move_dated, stamped_badly=True),
            Function("first address of a kind", 35, _first_address, stamped_badly=True),
            Function("profile: place", 85, _profile_place, stamped_badly=True),
            Function("profile: name", 60, _profile_name, stamped_badly=True),
            Function("address edit awaiting proof", 90, _edit_pending, stamped_badly=True),
            Function("shipping preference", 45, _shipping),
            Function("contact preference", 40, _channel),
            Function("registration on the web", 55, register, stamped_badly=True),
            Function("consent on the web", 50, consent_decided),
        ),
    )
]
