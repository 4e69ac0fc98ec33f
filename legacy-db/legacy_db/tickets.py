"""Which transaction waits for which, and which were open at the same time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from legacy_db.work import Aggregate, Transaction

__all__ = ["Queue", "Tally", "Ticket"]

_LINGER = 0.15  # seconds that a transaction at most waits for another one to begin


@dataclass(slots=True, eq=False)
class Ticket:
    """A planned transaction's place in the queues of its aggregates.

    `after_lock`: those it may follow once they hold their locks; `after_end`: those that create what it touches.
    `locked`: holds its locks. `over`: its first attempt has ended, well or (`failed`) not. `done`: no more will come.
    """

    number: int
    transaction: Transaction
    after_lock: list[Ticket] = field(default_factory=list)
    after_end: list[Ticket] = field(default_factory=list)
    locked: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    failed: bool = False
    overlaps: bool = False

    def await_turn(self) -> None:
        """Returns when this transaction may try for its locks."""
        for before in self.after_lock:
            before.locked.wait()
        for before in self.after_end:
            before.done.wait()

    def overtaken(self) -> list[Ticket]:
        """Those before it that failed and are still to be repeated; asked while holding all locks."""
        for before in self.after_lock:
            before.over.wait()
        return [before for before in self.after_lock if before.failed and not before.done.is_set()]

    def end(self) -> None:
        """Lets all who wait go on, however this one ended."""
        for event in (self.locked, self.over, self.done):
            event.set()


class Queue:
    """Gives out tickets: for each aggregate, in the order planned."""

    def __init__(self) -> None:
        self._last: dict[Aggregate, Ticket] = {}

    def ticket(self, number: int, transaction: Transaction) -> Ticket:
        """The next ticket, behind the last one of each aggregate it touches."""
        ticket = Ticket(number, transaction)
        for aggregate in transaction.touched:
            before = self._last.get(aggregate)
            if before is not None and before is not ticket:
                born = aggregate in before.transaction.created
                (ticket.after_end if born else ticket.after_lock).append(before)
            self._last[aggregate] = ticket
        return ticket


class Tally:
    """Counts what is open at once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._begun = 0
        self._open: set[Ticket] = set()

    def enter(self, ticket: Ticket) -> None:
        """A transaction begins; it overlaps with all that are open."""
        with self._changed:
            for other in self._open:
                other.overlaps = True
            ticket.overlaps = ticket.overlaps or bool(self._open)
            self._open.add(ticket)
            self._begun += 1
            self._changed.notify_all()

    def leave(self, ticket: Ticket) -> None:
        """A transaction has ended."""
        with self._changed:
            self._open.discard(ticket)

    def linger(self) -> None:
        """Waits until another one begins, so that a share of the transactions overlaps for certain."""
        with self._changed:
            seen = self._begun
            self._changed.wait_for(lambda: self._begun > seen, timeout=_LINGER)
