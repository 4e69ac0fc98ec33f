"""Runs planned transactions on many connections at once; per aggregate in the order they were planned."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg

from legacy_db.tables import AGGREGATES, ROOTS
from legacy_db.truth import TruthFile
from legacy_db.work import Aggregate, Copy, Pause, Step, Transaction

__all__ = ["Executor", "RunReport"]

_AHEAD = 48  # transactions planned but not yet begun
_LINGER = 0.15  # seconds that a transaction at most waits for another one to begin
_RETRIES = 5


@dataclass(slots=True)
class RunReport:
    """What a run did: counts of transactions, and seconds."""

    committed: int = 0
    rolled_back: int = 0
    overlapping: int = 0
    seconds: float = 0.0


@dataclass(slots=True, eq=False)
class _Ticket:
    number: int
    transaction: Transaction
    after_lock: list[_Ticket] = field(default_factory=list)
    after_end: list[_Ticket] = field(default_factory=list)
    locked: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    overlaps: bool = False


class Executor:
    """Runs tickets in the order given, up to `connections` at once.

    A transaction that touches an aggregate begins once the one planned before it on that aggregate holds its locks; it
    then waits for the row lock as applications do. So meanings and values depend on the plan alone, not on the threads.
    """

    def __init__(self, dsn: str, truth: TruthFile, connections: int = 8) -> None:
        self._dsn = dsn
        self._truth = truth
        self._connections = connections
        self._own = threading.local()
        self._opened: list[psycopg.Connection] = []
        self._begun = threading.Condition()
        self._count = 0
        self._open: set[_Ticket] = set()
        self.report = RunReport()

    def run(
        self,
        transactions: Iterable[Transaction],
        first: int = 1,
        rate: float | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> RunReport:
        """Runs them all, numbered from `first`, at most `rate` a second. Raises what a transaction raised."""
        started, last = time.monotonic(), dict[Aggregate, _Ticket]()
        waiting: list[Future[None]] = []
        with ThreadPoolExecutor(self._connections, thread_name_prefix="legacy") as pool:
            for number, transaction in enumerate(transactions, first):
                ticket = self._ticket(number, transaction, last)
                waiting.append(pool.submit(self._work, ticket))
                if transaction.is_ddl or len(waiting) > _AHEAD:
                    self._await(waiting, 0 if transaction.is_ddl else _AHEAD)
                if progress:
                    progress(number - first + 1)
                if rate:
                    time.sleep(max(0.0, started + (number - first + 1) / rate - time.monotonic()))
            self._await(waiting, 0)
        for connection in self._opened:
            connection.close()
        self.report.seconds = time.monotonic() - started
        return self.report

    @staticmethod
    def _await(waiting: list[Future[None]], leave: int) -> None:
        while len(waiting) > leave:
            waiting.pop(0).result()

    @staticmethod
    def _ticket(number: int, transaction: Transaction, last: dict[Aggregate, _Ticket]) -> _Ticket:
        ticket = _Ticket(number, transaction)
        for aggregate in transaction.touched:
            before = last.get(aggregate)
            if before is not None and before is not ticket:
                born = aggregate in before.transaction.created
                (ticket.after_end if born else ticket.after_lock).append(before)
            last[aggregate] = ticket
        return ticket

    def _work(self, ticket: _Ticket) -> None:
        try:
            for before in ticket.after_lock:
                before.locked.wait()
            for before in ticket.after_end:
                before.done.wait()
            self._attempts(ticket)
        finally:
            # whoever waits must go on, even if this one failed: the failure itself is raised by run()
            ticket.locked.set()
            ticket.done.set()

    def _attempts(self, ticket: _Ticket) -> None:
        transaction, attempt = ticket.transaction, 1
        if transaction.retried:
            self._attempt(ticket, f"{ticket.number}", commit=False, final=False)
            attempt = 2
        while True:
            tx = f"{ticket.number}" if attempt == 1 else f"{ticket.number}.{attempt}"
            try:
                committed = self._attempt(ticket, tx, commit=not transaction.rolls_back, final=True)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
                committed = None
            if committed is not None or attempt >= _RETRIES:
                return
            attempt += 1

    def _attempt(self, ticket: _Ticket, tx: str, *, commit: bool, final: bool) -> bool | None:
        """True: committed; False: rolled back as planned; None: failed, to be tried again."""
        connection, transaction = self._connection(), ticket.transaction
        self._truth.planned(tx, transaction)
        xid = None
        try:
            self._enter(ticket)
            touched = sorted(transaction.touched, key=lambda each: (AGGREGATES.index(each[0]), each[1]))
            xid = self._lock(connection, touched, ddl=transaction.is_ddl)
            self._truth.begun(tx, xid, touched)
            if final:
                ticket.locked.set()
            for step in transaction.steps:
                _perform(connection, step)
            if transaction.lingers:
                self._linger()
            if commit:
                connection.commit()
            else:
                connection.rollback()
        except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
            connection.rollback()
            self._truth.ended(tx, "aborted")
            raise
        except psycopg.OperationalError:
            return self._ask(tx, xid)
        finally:
            self._leave(ticket)
        self._truth.ended(tx, "committed" if commit else "rolledback")
        self._tally(ticket, commit)
        return commit

    def _ask(self, tx: str, xid: str | None) -> bool | None:
        """The connection broke: only the database knows what became of the transaction."""
        self._own.connection = None
        if xid is None:
            return None
        row = self._connection().execute("SELECT pg_xact_status(%s::xid8)", [xid]).fetchone()
        self._connection().rollback()
        committed = bool(row and row[0] == "committed")
        self._truth.ended(tx, "committed" if committed else "aborted")
        return True if committed else None

    @staticmethod
    def _lock(connection: psycopg.Connection, touched: list[Aggregate], *, ddl: bool) -> str:
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

    def _connection(self) -> psycopg.Connection:
        connection: psycopg.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = psycopg.connect(self._dsn, application_name="legacy-applications")
            self._own.connection = connection
            self._opened.append(connection)
        return connection

    def _enter(self, ticket: _Ticket) -> None:
        with self._begun:
            for other in self._open:
                other.overlaps = True
            ticket.overlaps = ticket.overlaps or bool(self._open)
            self._open.add(ticket)
            self._count += 1
            self._begun.notify_all()

    def _leave(self, ticket: _Ticket) -> None:
        with self._begun:
            self._open.discard(ticket)

    def _linger(self) -> None:
        """Stays open until another one has begun, so that a share of the transactions overlaps for certain."""
        if self._connections > 1:
            with self._begun:
                seen = self._count
                self._begun.wait_for(lambda: self._count > seen, timeout=_LINGER)

    def _tally(self, ticket: _Ticket, committed: bool) -> None:
        with self._begun:
            self.report.committed += committed
            self.report.rolled_back += not committed
            self.report.overlapping += ticket.overlaps


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
