"""Thousands of schedules of crashes, zombies, rebalances, late markers and duplicates: nothing is ever wrong.

Another seed, or more schedules: GATEWAY_SIMULATION_SEED=7 GATEWAY_SIMULATION_SCHEDULES=20000. A schedule that breaks
something is printed with its seed and with as few steps as break it.
"""

from __future__ import annotations

import os

import pytest

from .machine import run

SEED = int(os.environ.get("GATEWAY_SIMULATION_SEED", "1"))
SCHEDULES = int(os.environ.get("GATEWAY_SIMULATION_SCHEDULES", "2000"))
SHARES = 4


@pytest.mark.parametrize("share", range(SHARES))
def test_whatever_happens_each_record_is_settled_once_and_each_change_set_is_published_whole(share: int) -> None:
    machine = run(SEED * SHARES + share, SCHEDULES // SHARES)
    assert machine.schedules >= SCHEDULES // SHARES
    if SCHEDULES >= 2_000:
        assert {strike.split()[0] for strike in machine.struck} == {"crash", "doubt", "pause", "refuse"}
