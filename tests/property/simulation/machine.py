"""Schedules: what the applications, the connector, the broker and the workers do, step by step."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from .connector import BREAKABLE, RAW, TRANSACTIONS
from .oracle import Found
from .world import CALLS, Shape, Strike, World

__all__ = ["Simulation", "run"]

_SLOTS = st.integers(0, 2)
_CHANGES = st.integers(0, 191).map(lambda n: (n % 8, n // 8 % 3, {6: "poison", 7: "broken"}.get(n // 24, "row")))
"""Box, item, kind: one number, since drawing takes most of the time."""
_TURNS = st.integers(0, 8).map(lambda n: (n % 3, (2_000, 1, 3)[n // 3]))
_SHAPES = st.builds(Shape, st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.booleans(), st.booleans())
_EVENTS = st.sampled_from(["start", "kill", "leave", "expel", "expel and hear", "rebalance", "wake", "time out"])
_STRIKES = st.sampled_from(
    [(call, what, nth) for nth in (0, 0, 1) for what in ("doubt", "crash", "refuse") for call in CALLS[1:]]
    + [("commit", "doubt", 0), ("answer", "doubt", 0)] * 6
)
_PAUSES = st.sampled_from([(how, rounds) for rounds in (0, 3, 6, 12) for how in ("", "heard", "twin", "heard twin")])
_ARRIVE = st.sampled_from(["ends", "rows", "all", "none"])


def _step(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


_STEPS = st.one_of(
    _step("write", changes=st.lists(_CHANGES, min_size=1, max_size=5), ship=st.integers(0, 7)),
    _step("ship", count=st.integers(1, 8), arrive=_ARRIVE),
    _step("cut", changes=st.lists(_CHANGES, min_size=2, max_size=4), first=st.integers(1, 3), arrive=_ARRIVE),
    _step("strike", slot=_SLOTS, strike=_STRIKES),
    _step("work", turns=st.lists(_TURNS, min_size=1, max_size=6)),
    _step("write", changes=st.lists(_CHANGES, min_size=1, max_size=3), ship=st.just(9)),
    _step("strike", slot=_SLOTS, strike=_STRIKES),
    _step("pause", slot=_SLOTS, call=st.sampled_from(CALLS[:6]), how=_PAUSES),
    _step("befall", slot=_SLOTS, event=_EVENTS),
    _step("rewind", entries=st.integers(1, 9)),
    _step("hold", count=st.integers(1, 6), commit=st.booleans()),
    _step("between", box=st.integers(0, 7), tombstone=st.booleans()),
    _step("marker", which=st.integers(0, 7)),
)
"""One rule takes them all: left to itself, hypothesis switches half of its rules off, and most schedules do little."""


class Simulation(RuleBasedStateMachine):
    """One schedule; hypothesis chooses its steps, and makes those that break something as few as it can."""

    schedules: ClassVar[int] = 0
    struck: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        type(self).schedules += 1
        self.world: World | None = None

    @initialize(shape=_SHAPES)
    def begin(self, shape: Shape) -> None:
        self.world = World(shape)

    @rule(step=_STEPS)
    def step(self, step: tuple[str, dict[str, Any]]) -> None:
        name, arguments = step
        if "slot" in arguments:
            arguments = {**arguments, "slot": arguments["slot"] % self.world.shape.workers}
        getattr(self, name)(**arguments)

    def write(self, changes: list[tuple[int, int, str]], ship: int) -> None:
        """A database transaction; some of what is not shipped yet follows, and is seen at once."""
        page = len(changes) > 1 and changes[0][1] == changes[1][1]
        connector = self.world.connector
        blind = self.world.shape.blind and not connector.history
        self.world.oracle.wrote(connector.write(changes, page, blind))
        if ship:
            connector.ship(ship)
            self.world.deliver_all()

    def ship(self, count: int, arrive: str) -> None:
        """A Kafka transaction of the connector, whose end shows in some of its partitions only."""
        self.world.connector.ship(count)
        for number in reversed(range(len(self.world.broker.under_way))):
            place = self.world.broker.under_way[number][1]
            topic = {TRANSACTIONS: "ends", RAW: "rows"}.get(place.topic if place else "", "")
            if arrive in ("all", topic):
                self.world.deliver(number)

    def cut(self, changes: list[tuple[int, int, str]], first: int, arrive: str) -> None:
        """A database transaction in two Kafka transactions: the first is there, the end of the second is under way."""
        self.write(changes, first)
        self.ship(9, arrive)

    def hold(self, count: int, commit: bool) -> None:
        """The open Kafka transaction of the connector ends; the next one is under way."""
        self.world.connector.decide(commit)
        self.world.connector.begin(count)

    def rewind(self, entries: int) -> None:
        self.world.connector.rewind(entries)

    def between(self, box: int, tombstone: bool) -> None:
        self.world.connector.between("tombstone" if tombstone or box in BREAKABLE else "snapshot", box, 0)

    def marker(self, which: int) -> None:
        self.world.deliver(which)

    def work(self, turns: list[tuple[int, int]]) -> None:
        for slot, most in turns:
            self.world.turn(slot, most)

    def strike(self, slot: int, strike: tuple[str, str, int]) -> None:
        """Something befalls a worker amid one of its next turns."""
        call, what, nth = strike
        self.world.strike(slot, Strike(call, nth, what))

    def pause(self, slot: int, call: str, how: tuple[str, int]) -> None:
        """The worker sleeps amid a call; the group goes on without it, perhaps with a successor of the same id."""
        rounds, twin = how[1], "twin" in how[0]

        def others() -> None:
            self.world.expel(slot, "heard" in how[0])
            if twin:
                self.world.start(slot)
            elif len(self.world.slots) == 1:
                self.world.start(3)
            for _ in range(rounds):
                self.world.rounds(1, without=None if twin else slot)
                self.world.deliver(0)

        self.world.strike(slot, Strike(call, 0, "pause", others))

    def befall(self, slot: int, event: str) -> None:
        """What happens to a worker between two of its turns."""
        world = self.world
        happen = {
            "start": lambda: world.start(slot),
            "kill": lambda: world.kill(slot),
            "leave": lambda: world.leave(slot),
            "expel": lambda: world.expel(slot, heard=False),
            "expel and hear": lambda: world.expel(slot, heard=True),
            "rebalance": world.group.rebalance,
            "wake": world.wake,
            "time out": world.time_out,
        }
        happen[event]()

    @invariant()
    def nothing_is_wrong(self) -> None:
        if self.world is not None:
            self.world.rounds(self.world.shape.pace)
            self.world.oracle.look()

    def teardown(self) -> None:
        if self.world is not None and sys.exc_info()[0] is None:  # what was found before is not hidden by more
            self.world.settle()
            self.world.oracle.at_the_end()
            type(self).struck.update(self.world.struck)


def run(number: int, schedules: int, *, shrink: bool = True, steps: int = 16) -> type[Simulation]:
    """Run so many schedules, the same ones for the same ``number``; gives the machine, which has counted.

    Found if something is wrong.
    """
    machine = seed(number)(type("Simulation", (Simulation,), {"schedules": 0, "struck": Counter()}))
    chosen = settings(
        max_examples=schedules,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(machine, settings=chosen)
    except Found as found:
        found.add_note(f"seed {number}, {schedules} schedules of {steps} steps; found by the oracle `{found.oracle}`")
        raise
    return machine
