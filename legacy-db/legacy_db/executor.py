"""Runs planned transactions on many connections at once; per aggregate in the order they were planned."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import psycopg

from legacy_db.tables import AGGREGATES, ROOTS
from legacy_db.tickets import Queue, Tally, Ticket
from legacy_db.truth import TruthFile
from legacy_db.work import Aggregate, Copy, Pause, Step, Transaction

__all__ = ["Executor", "RunReport"]

_AHEAD = 48  # transactions planned but not yet ended
_ATTEMPTS = 8
_TO_REPEAT = (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable)


@dataclass(slots=True)
class RunReport:
    """What a run did: counts of transactions, and seconds."""

    committed: int = 0
    rolled_back: int = 0
    overlapping: int = 0
    seconds: float = 0.0


class Executor:
    """Runs transactions in the order given, up to `connections` at once.

    A transaction that touches an aggregate begins once the one planned before it on that aggregate holds its locks; it
    then waits for the row lock as applications do. So meanings and values depend on the plan alone, not on the threads.
    """

    def __init__(self, dsn: str, truth: TruthFile, connections: int = 8) -> None:
        self._dsn = dsn
        self._truth = truth
        self._connections = connections
        self._own = threading.local()
        self._opened: list[psycopg.Connection] = []
        self._lock_report = threading.Lock()
        self._tally = Tally()
        self.report = RunReport()

    def run(
        self,
        transactions: Iterable[Transaction],
        first: int = 1,
        rate: float | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> RunReport:
        """Runs them all, numbered from `first`, at most `rate` a second; `progress` gets how many were handed out.

        Raises psycopg.Error if the database refuses or stays away, RuntimeError if one fails again and again.
        """
        started, queue, waiting = time.monotonic(), Queue(), list[Future[None]]()
        with ThreadPoolExecutor(self._connections, thread_name_prefix="legacy") as pool:
            for count, transaction in enumerate(transactions, 1):
                waiting.append(pool.submit(self._work, queue.ticket(first + count - 1, transaction)))
                # DDL is awaited, for others may be planned on it
                _await(waiting, 0 if transaction.is_ddl else _AHEAD)
                if progress:
                    progress(count)
                if rate:
                    time.sleep(max(0.0, started + count / rate - time.monotonic()))
            _await(waiting, 0)
        for connection in self._opened:
            connection.close()
        self.report.seconds = time.monotonic() - started
        return self.report

    def _work(self, ticket: Ticket) -> None:
        try:
            ticket.await_turn()
            self._attempts(ticket)
        finally:
            # whoever waits must go on, even if this one failed: the failure itself is raised by run()
            ticket.end()

    def _attempts(self, ticket: Ticket) -> None:
        transaction, number = ticket.transaction, str(ticket.number)
        names = [number, *(f"{number}.{attempt}" for attempt in range(2, _ATTEMPTS + 1))]
        if transaction.retried:
            self._attempt(ticket, names.pop(0), commit=False, final=False)
        for tx in names:
            if self._attempt(ticket, tx, commit=not transaction.rolls_back, final=True):
                return
            ticket.failed = True
            ticket.over.set()
            for before in ticket.after_lock:
                before.done.wait()
        raise RuntimeError(f"transaction {number} ({transaction.label}) failed {_ATTEMPTS} times")

    def _attempt(self, ticket: Ticket, tx: str, *, commit: bool, final: bool) -> bool:
        """Whether it ended as planned; if not, it is to be tried again."""
        connection, transaction = self._connection(), ticket.transaction
        self._truth.planned(tx, transaction)
        xid = None
        try:
            self._tally.enter(ticket)
            touched = sorted(transaction.touched, key=lambda each: (AGGREGATES.index(each[0]), each[1]))
            xid = _lock(connection, touched, ddl=transaction.is_ddl)
            if ticket.overtaken():
                connection.rollback()
                self._truth.ended(tx, "aborted")
                return False
            self._truth.begun(tx, xid, touched)
            if final:
                ticket.locked.set()
            self._perform(connection, transaction)
            if commit:
                connection.commit()
            else:
                connection.rollback()
        except _TO_REPEAT:
            connection.rollback()
            self._truth.ended(tx, "aborted")
            return False
        except psycopg.OperationalError:
            return self._ask(tx, xid, ticket)
        finally:
            self._tally.leave(ticket)
        self._ended(tx, "committed" if commit else "rolledback", ticket)
        return True

    def _perform(self, connection: psycopg.Connection, transaction: Transaction) -> None:
        for step in transaction.steps:
            _perform(connection, step)
        if transaction.lingers and self._connections > 1:
            self._tally.linger()

    def _ask(self, tx: str, xid: str | None, ticket: Ticket) -> bool:
        """The connection broke: only the database knows what became of the transaction."""
        self._own.connection = None
        connection = self._connection()
        outcome = "aborted" if xid is None else _status(connection, xid)
        self._ended(tx, outcome, ticket)
        return outcome == "committed" or ticket.transaction.rolls_back

    def _ended(self, tx: str, outcome: str, ticket: Ticket) -> None:
        self._truth.ended(tx, outcome)
        with self._lock_report:
            self.report.committed += outcome == "committed"
            self.report.rolled_back += outcome == "rolledback"
            self.report.overlapping += ticket.overlaps

    def _connection(self) -> psycopg.Connection:
        connection: psycopg.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = psycopg.connect(self._dsn, application_name="legacy-applications")
            self._own.connection = connection
            self._opened.append(connection)
        return connection


def _status(connection: psycopg.Connection, xid: str) -> str:
    """Committed or aborted; a backend that was cut off may take a moment to end."""
    while True:
        row = connection.execute("SELECT pg_xact_status(%s::xid8)", [xid]).fetchone()
        connection.rollback()
        if row is None or row[0] != "in progress":
            return "committed" if row and row[0] == "committed" else "aborted"
        time.sleep(0.02)


def _await(waiting: list[Future[None]], leave: int) -> None:
    while len(waiting) > leave:
        waiting.pop(0).result()


def _lock(connection: psycopg.Connection, touched: list[Aggregate], *, ddl: bool) -> str:
    """Locks the root rows in key order and returns the transaction's id."""
    if ddl:
        connection.execute("SET LOCAL lock_timeout = '5s'")
    for kind in AGGREGATES:
        ids = [number for aggregate, number in touched if aggregate == kind]
        if ids:
            root = ROOTS[kind]
            query = f"SELECT 1 FROM {root.name} WHERE {root.owner} = ANY(%s) ORDER BY {root.owner} FOR UPDATE"
            connection.execute(query.encode(), [ids])
    row = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
    if row is None:
        raise psycopg.OperationalError("pg_current_xact_id gave no row")
    return str(row[0])


def _perform(connection: psycopg.Connection, step: Step) -> None:
    if isinstance(step, Pause):
        time.sleep(step.seconds)
    elif isinstance(step, Copy):
        statement = f"COPY {step.table.name} ({', '.join(step.columns)}) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for row in step.rows:
                copy.write_row([row[column] for column in step.columns])
    else:
        connection.execute(step.text.encode(), step.values)
