"""The control log as a whole: what counts of it, and what follows from it."""

from __future__ import annotations

from gateway.bridge.commands import Command, Kind
from gateway.bridge.history import History


def history(*commands: Command) -> History:
    found = History()
    for number, command in enumerate(commands):
        found.add(number * 2, command)  # a commit marker stands behind each
    return found


def command(name: str, kind: Kind, **more: object) -> Command:
    return Command(name, kind, "me", "why", ("all",), **more)  # type: ignore[arg-type]


def test_commands_from_an_offset_on_in_their_order_each_once() -> None:
    found = history(command("a", Kind.PAUSE), command("b", Kind.RESUME), command("a", Kind.PAUSE))
    assert [(at, one.id) for at, one in found.since(0)] == [(0, "a"), (2, "b")]
    assert [(at, one.id) for at, one in found.since(1)] == [(2, "b")]
    assert list(found.since(3)) == []


def test_the_first_decision_of_a_barrier_holds_and_none_of_an_unknown_one_counts() -> None:
    found = history(
        command("early", Kind.COMMIT, barrier="p"),
        command("p", Kind.PREPARE, cut=(1, 5), version="v"),
        command("no", Kind.CANCEL, barrier="p"),
        command("yes", Kind.COMMIT, barrier="p"),
    )
    assert found.decision("p") is Kind.CANCEL
    assert found.committed() == []
    assert found.decision("q") is None
