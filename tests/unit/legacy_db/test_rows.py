"""What the applications plan, looked at without a database."""

from __future__ import annotations

import random
import re

from legacy_db.apps import applications
from legacy_db.desk import Desk
from legacy_db.facts import EVENTS
from legacy_db.people import People
from legacy_db.schedule import Planner
from legacy_db.seeding import seed_world


def test_a_plan_of_3000_has_every_event_and_amounts_of_two_places() -> None:
    """Each event type occurs at least 20 times, and every decimal of the truth has two decimal places."""
    rng = random.Random(4)
    desk = Desk(seed_world(4, 600), People(4), rng)
    facts = [fact for each in Planner(desk, applications(""), 3_000) if not each.rolls_back for fact in each.facts]
    counted = {name: sum(fact.event == name for fact in facts) for name in EVENTS}
    assert min(counted.values()) >= 20, counted
    amounts = [
        fact.data[name] for fact in facts for name, kind in EVENTS[fact.event].fields.items() if kind == "decimal"
    ]
    assert len(amounts) > 500
    assert all(re.fullmatch(r"-?\d+\.\d\d", amount) for amount in amounts)
