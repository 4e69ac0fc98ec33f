"""One partition's tail: duplicates are dropped, rows are gathered to their transaction, units leave in offset order.

At most one transaction is open (protocol.md R3). Whatever stands behind its first row waits for it: outcomes are
settled by offset (R1). A unit is never cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.model.change import ChangeEvent
from gateway.model.errors import ConfigError
from gateway.model.position import SourcePosition
from gateway.model.unit import Decoded, Duplicate, Entry, Taken, Unit
from gateway.pipeline.admit import Incarnations, Standing, check_source, incarnation_of, judge
from gateway.pipeline.evidence import Evidence
from gateway.pipeline.opened import Opened, Ticket
from gateway.pipeline.page import Page
from gateway.pipeline.spool import Entries

__all__ = ["Tail", "TailRules", "Ticket"]

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TailRules:
    """What the tails of one raw topic share. ``max_bytes``: keys and values that may wait in one tail.

    ``spool``: makes the place where entries of a partition wait, which raises SpillFull when it is full (None: memory).

    ``source_name``: the only ``source.name`` allowed (None: the first one seen). ``keyed``: tables (``schema.table``)
    whose rows have a key, so that two equal rows at one LSN are one row. ``markers``: ENDs of the transaction topic
    will be heard; without them the ``c`` of a transaction whose predecessor is not known is told by the row after it.
    """

    incarnations: Incarnations = ()
    source_name: str | None = None
    max_bytes: int = 256 * _MEGABYTE
    keyed: frozenset[str] = frozenset()
    markers: bool = True
    spool: Callable[[tuple[str, int]], Entries] | None = None


class Tail:
    """The reducer of one partition. ``hi``/``ts`` come from the committed progress; after an error it is unusable.

    ``until``: offset of the last record of the first unit, which was published in part and must be the same again.
    """

    def __init__(
        self,
        topic: str,
        partition: int,
        rules: TailRules,
        evidence: Evidence,
        hi: Taken | None = None,
        ts: int = 0,
        until: int | None = None,
    ) -> None:
        self._topic, self._partition = topic, partition
        self._rules, self._evidence = rules, evidence
        self._source = (rules.source_name, "") if rules.source_name else None
        self._hi, self._ts = hi, ts
        self._page = Page(rules.keyed)
        self._open: Opened | None = None
        self._unresolved: Opened | None = None
        self._behind = self._waiting_room()
        self._units: list[Unit] = []
        self._bytes = self._arriving = 0
        self._until = until

    def _waiting_room(self) -> Entries:
        make = self._rules.spool
        return [] if make is None else make((self._topic, self._partition))

    # -- what waits ----

    @property
    def open_offset(self) -> int | None:
        """First offset that is not settled; None when nothing waits."""
        waiting = self._open or self._unresolved
        return waiting.first_offset if waiting else None

    @property
    def open_since_ms(self) -> int | None:
        """Record timestamp (ms) of the first row that waits."""
        waiting = self._open or self._unresolved
        return waiting.since_ms if waiting else None

    @property
    def held_records(self) -> int:
        """Records that wait."""
        opened = [waiting for waiting in (self._open, self._unresolved) if waiting]
        return sum(len(waiting.entries) for waiting in opened) + len(self._behind)

    @property
    def held_bytes(self) -> int:
        """Bytes of keys and values that wait."""
        return self._bytes

    @property
    def unresolved(self) -> int | None:
        """Transaction id of a waiting transaction whose ``c`` is null: its END is needed (protocol.md 3.3)."""
        return self._unresolved.tx_id if self._unresolved else None

    @property
    def followed(self) -> bool:
        """Whether the next row behind ``unresolved`` has a ``c``: where there is no END to be found, that tells."""
        return self._next_commit() is not None

    def _next_commit(self) -> int | None:
        rows = (row.source for row in self._behind if type(row) is ChangeEvent and not row.source.snapshot)
        first = next(rows, None)
        return first.commit if first is not None and self._unresolved is not None else None

    # -- records in ----

    def add(self, decoded: Decoded) -> list[Unit]:
        """Take the next record of the partition; units that it completed (P1), in offset order.

        ConfigError: a second source, interleaved transactions, too large a transaction. SourceRegressed: protocol 3.4.
        SpillFull: read the partition again from its committed offset, later.
        """
        self._weigh(decoded)
        if self._behind:
            self._hear_end()
        if self._behind or self._is_beyond(decoded):
            self._behind.append(decoded)
        else:
            self._take(decoded)
            self._close_at(decoded)
        units, self._units = self._units, []
        return units

    def _is_beyond(self, decoded: Decoded) -> bool:
        """Whether it stands behind the unit that must be the same again, which is still open."""
        return self._until is not None and decoded.record.offset > self._until

    def _close_at(self, decoded: Entry) -> None:
        if self._until is not None and decoded.record.offset >= self._until and self._unresolved is None:
            self._until = None
            self._close(None)

    def _take(self, decoded: Entry) -> None:
        if type(decoded) is not ChangeEvent or decoded.source.snapshot:
            self._single(decoded)
            return
        check_source(decoded, self._source or (decoded.source.name, ""))
        if self._source is None or not self._source[1]:
            self._source = (decoded.source.name, decoded.source.database)
        incarnation = incarnation_of(decoded.source.ts_ms, self._rules.incarnations)
        if decoded.source.commit is None:
            self._without_commit(decoded, incarnation)
        else:
            self._with_commit(decoded, incarnation, decoded.source.commit)

    def _with_commit(self, change: ChangeEvent, incarnation: int, commit: int) -> None:
        self._evidence.row(change.source.name, incarnation, commit, change.source.ts_ms)
        waiting = self._unresolved
        if waiting is not None:
            if waiting.is_of(change, incarnation):
                self._resolve(commit, known=True)
            else:
                end = self._end_of(waiting)
                if end is None and self._rules.markers:
                    self._behind.append(change)
                    return
                self._resolve(commit if end is None else end)
        self._row(change, incarnation, commit)

    def _row(self, change: ChangeEvent, incarnation: int, commit: int) -> None:
        hi = self._hi
        position = SourcePosition(incarnation, commit, change.source.lsn)
        standing = judge(change, position, None if hi is None else hi[:3], self._ts)
        if standing is not Standing.ABOVE and (
            standing is Standing.BELOW or self._open is None or not self._page.is_new(change)
        ):
            self._single(Duplicate(change.record))
            return
        opened = self._open
        if opened is None:
            opened = self._start(change, incarnation, commit)
        elif opened.tx_id != change.source.tx_id or opened.commit != commit or opened.incarnation != incarnation:
            self._check_apart(opened, change, incarnation, commit)
            self._close(change.record.offset)
            opened = self._start(change, incarnation, commit)
        order = change.source.total_order
        if order is not None:
            opened.restarted |= order < opened.order
            opened.order = order
        opened.entries.append(change)
        self._page.take(change, same_position=standing is Standing.EQUAL)
        self._hi = Taken(incarnation, commit, change.source.lsn, opened.tx_id)
        self._ts = max(self._ts, change.source.ts_ms)

    def _start(self, change: ChangeEvent, incarnation: int, commit: int) -> Opened:
        self._open = Opened(change, incarnation, commit, self._hi, self._waiting_room())
        return self._open

    def _single(self, entry: Entry) -> None:
        """A record that is complete by itself: settled at once, or with the open transaction that it stands behind."""
        waiting = self._unresolved or self._open
        if waiting is not None:
            waiting.entries.append(entry)
            return
        offset = entry.record.offset
        size, self._bytes = self._bytes, 0
        self._units.append(
            Unit(
                self._topic, self._partition, offset, offset + 1, (entry,), None, 0, 0, self._hi, self._hi, self._ts,
                size_bytes=size,
            )
        )  # fmt: skip

    def _check_apart(self, opened: Opened, change: ChangeEvent, incarnation: int, commit: int) -> None:
        if opened.incarnation == incarnation and opened.commit == commit:
            raise ConfigError(
                f"rows of transactions {opened.tx_id} and {change.source.tx_id} have the same predecessor {commit}",
                where=change.record.place,
                hint="two writers feed this topic, or its records were copied: one raw topic, one connector",
            )

    def _weigh(self, decoded: Decoded) -> None:
        record = decoded.record
        self._arriving = len(record.key or b"") + len(record.value or b"")
        self._bytes += self._arriving
        if self._bytes > self._rules.max_bytes and self.open_offset is not None:
            waiting = self._open or self._unresolved
            raise ConfigError(
                f"transaction {waiting.tx_id if waiting else '?'} has more than "
                f"{self._rules.max_bytes / _MEGABYTE:.0f} MB in this partition and is never cut",
                where=record.place,
                hint="raise unit_max_bytes (there must be as much room in spill_folder), then restart",
            )

    # -- transactions whose predecessor is not known (protocol.md 3.3) ----

    def _without_commit(self, change: ChangeEvent, incarnation: int) -> None:
        waiting = self._unresolved
        if waiting is None and self._open is not None and self._open.is_of(change, incarnation):
            self._row(change, incarnation, self._open.commit or 0)
        elif waiting is None:
            self._unresolved = Opened(change, incarnation, None, self._hi, self._waiting_room())
            self._unresolved.entries.append(change)
        elif waiting.is_of(change, incarnation):
            waiting.entries.append(change)
        else:
            self._behind.append(change)

    def _end_of(self, waiting: Opened) -> int | None:
        """LSN of the transaction's END. It is the same for every partition; the next row's ``c`` need not be."""
        end = self._evidence.end_of(waiting.source_name, waiting.incarnation, waiting.tx_id, waiting.ts_ms)
        if (
            end is None
            and waiting is self._unresolved
            and self._evidence.has_no_end(waiting.source_name, waiting.tx_id)
        ):
            return self._next_commit()
        return end

    def _hear_end(self) -> None:
        """Go on with what waits behind an unresolved transaction, once its END was heard."""
        end = self._end_of(self._unresolved) if self._unresolved else None
        if end is not None:
            self._resolve(end)

    def _resolve(self, value: int, *, known: bool = False) -> None:
        """Settle the unresolved transaction's ``c``: ``value`` is its commit LSN ``e``, or ``c`` if ``known``."""
        waiting, self._unresolved = self._unresolved, None
        if waiting is None:
            return
        hi = self._hi
        repeated = not known and hi is not None and (waiting.incarnation, value) <= (hi.incarnation, hi.commit)
        commit = value if known else value - 1
        if hi is not None and hi.tx_id == waiting.tx_id and hi.incarnation == waiting.incarnation:
            commit = hi.commit
        for entry in waiting.entries:
            if type(entry) is not ChangeEvent or entry.source.snapshot:
                self._single(entry)
            elif repeated:
                self._repeat(entry)
            else:
                self._row(entry, waiting.incarnation, commit)
        if waiting.entries:
            self._close_at(waiting.entries[-1])
        behind, self._behind = self._behind, self._waiting_room()
        for decoded in behind:
            self._behind.append(decoded) if self._behind else self._take(decoded)

    def _repeat(self, change: ChangeEvent) -> None:
        """A row of a transaction that was settled as a whole before: checked like any position below ``hi``."""
        if self._hi is not None:
            judge(change, SourcePosition(0, 0, 0), self._hi[:3], self._ts)
        self._single(Duplicate(change.record))

    # -- completeness ----

    def provable(self) -> Ticket | None:
        """P2 (a): a ticket if the connector is known to be past the open transaction; ask the watermark *after*."""
        waiting = self._open or self._unresolved
        if waiting is None or (self._unresolved is not None and self._end_of(self._unresolved) is None):
            return None  # what stands behind an unresolved transaction may belong to the open one
        ended = self._end_of(waiting) is not None
        name, incarnation, commit = waiting.source_name, waiting.incarnation, waiting.commit
        if not ended and (commit is None or not self._evidence.past(name, incarnation, commit, waiting.ts_ms)):
            return None
        return waiting.ticket

    def close(self, ticket: Ticket) -> list[Unit]:
        """P2 (c): the position has reached the high watermark asked after ``ticket`` was given. Units, in offset order.

        None are given if the ticket's transaction is no longer the open one.
        """
        waiting = self._open or self._unresolved
        if waiting is None or ticket != waiting.ticket:
            return []
        self._hear_end()
        opened = self._open
        if opened is not None and self._unresolved is None and opened.ticket[:2] == ticket[:2]:
            self._close(None)
        units, self._units = self._units, []
        return units

    def finish(self) -> list[Unit]:
        """The end of a recording: what waits is complete, since nothing will follow. Not for live partitions."""
        while self._open or self._unresolved:
            if self._unresolved:
                self._resolve(self._end_at_last(self._unresolved))
            else:
                self._close(None)
        units, self._units = self._units, []
        return units

    def _end_at_last(self, waiting: Opened) -> int:
        """The best that a recording without the END tells: the ``c`` of the next transaction, else the last LSN."""
        end = self._end_of(waiting)
        if end is not None:
            return end
        later = [
            row.source.commit for row in self._behind if type(row) is ChangeEvent and row.source.commit is not None
        ]
        rows = [row.source.lsn for row in waiting.entries if type(row) is ChangeEvent and not row.source.snapshot]
        return later[0] if later else max(rows) + 1

    def _close(self, next_offset: int | None) -> None:
        opened, self._open = self._open, None
        if opened is None:
            return
        rest = self._arriving
        if next_offset is None:
            next_offset, rest = opened.entries[-1].record.offset + 1, 0
        held, self._bytes = self._bytes - rest, rest
        self._units.append(
            Unit(
                self._topic, self._partition, opened.first_offset, next_offset, opened.sealed(), opened.tx_id,
                opened.incarnation, opened.commit or 0, opened.before, self._hi, self._ts, opened.restarted, held,
            )
        )  # fmt: skip
