"""Evidence and fence (protocol.md 2, P2): what proves that the tail of a quiet partition is complete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.model.errors import RecordError
from gateway.pipeline.assemble import Ticket
from gateway.pipeline.evidence import Evidence
from gateway.pipeline.markers import End, parse_end
from gateway.ports import Clock, Cluster, MarkerReader, Partition
from gateway.telemetry.signals import FindingSeen, Telemetry

__all__ = ["EndReader", "Fence"]

_ASK_EVERY = 0.02


class EndReader:
    """Feeds ``Evidence`` from the transaction topic: of each batch only the last END, since W is a maximum."""

    def __init__(self, markers: MarkerReader, evidence: Evidence, source_name: str, telemetry: Telemetry) -> None:
        self._markers = markers
        self._evidence = evidence
        self._source = source_name
        self._telemetry = telemetry
        self._found_any = False
        self._looking_for: set[tuple[int, bool]] = set()
        self._looked_for: set[tuple[int, bool]] = set()

    def poll(self, wanted: frozenset[int], followed: frozenset[int] = frozenset()) -> None:
        """Take what arrived. ``wanted``: transactions whose own END is needed, since their ``c`` is null (3.3).

        Behind those that are ``followed`` a row of the next transaction was seen, so their END stands in the topic, if
        ever it will: where a search that began after that does not find it, the evidence says so.
        """
        searches = {(one, one in followed) for one in wanted}
        if searches - self._looking_for:
            # Their ENDs may have gone by when nobody wanted them, in a batch of which only the last END was read.
            self._markers.again()
        self._looking_for = searches  # one that is not wanted for a while may be missed meanwhile: look again then
        self._looked_for &= searches
        latest = True
        for value in reversed(self._markers.poll()):
            end = self._parse(value)
            if end is None:
                continue
            if latest or end.tx_id in wanted:
                self._evidence.end(self._source, end.tx_id, end.lsn, end.ts_ms)
            self._found_any, latest = True, False
            if not wanted:
                break
        missed = searches - self._looked_for
        if self._markers.at_end and (not self._found_any or missed) and not self._markers.earlier():
            self._looked_for |= searches  # the whole topic was read; from here on new ENDs are enough
            for tx_id, is_followed in missed:
                if is_followed:
                    self._evidence.no_end(self._source, tx_id)

    def _parse(self, value: bytes) -> End | None:
        try:
            return parse_end(value)
        except RecordError as error:
            self._telemetry.emit(FindingSeen(f"transaction topic: {error.what}", 1))
            return None


class Fence:
    """High watermarks asked after the evidence was seen (protocol.md R2); at most one question in 20 ms."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster = cluster
        self._clock = clock
        self._asked_at = float("-inf")
        self._asked: dict[Partition, Ticket] = {}
        self._known: dict[Partition, tuple[Ticket, int]] = {}

    def ask(self, tickets: Mapping[Partition, Ticket], also: Iterable[Partition] = ()) -> None:
        """Ask about partitions whose ticket has no answer yet, and about ``also`` (for their lag)."""
        now = self._clock.monotonic()
        open_ones = {one: ticket for one, ticket in tickets.items() if self._known.get(one, (None,))[0] != ticket}
        places = sorted({*open_ones, *also})
        if not places or self._cluster.waiting or now < self._asked_at + _ASK_EVERY:
            return
        self._asked_at = now
        self._asked = open_ones
        self._cluster.ask(places)

    def answers(self) -> Mapping[Partition, int]:
        """High watermarks that came in."""
        found = self._cluster.answers()
        for place, offset in found.items():
            if place in self._asked:
                self._known[place] = (self._asked.pop(place), offset)
        return found

    def passed(self, place: Partition, ticket: Ticket, position: int) -> bool:
        """Whether ``position`` has reached the watermark that was asked after this ticket was given."""
        known = self._known.get(place)
        return known is not None and known[0] == ticket and position >= known[1]

    def forget(self, place: Partition) -> None:
        """Nothing asked before holds any more."""
        self._known.pop(place, None)
        self._asked.pop(place, None)
