"""What a partition's tail keeps, drops and closes (protocol.md 2 and 3)."""

from __future__ import annotations

import pytest

from gateway.authoring.forge import Forge, Position
from gateway.model.change import ChangeEvent
from gateway.model.errors import ConfigError, SourceRegressed
from gateway.model.unit import Duplicate, Taken, Unit
from gateway.pipeline.assemble import Tail, TailRules
from gateway.pipeline.decode import Decoder
from gateway.pipeline.evidence import Evidence

TOPIC = "legacy.customer.raw"
DECODE = Decoder(("customerId",))


class Partition:
    """One partition's log, written and read at once."""

    def __init__(self, hi: Taken | None = None, ts: int = 0, **rules: object) -> None:
        self.evidence = Evidence(rules.get("incarnations", ()))
        self.tail = Tail(TOPIC, 0, TailRules(**rules), self.evidence, hi, ts)
        self.offset = 0

    def row(
        self, tx: int, c: int | None, lsn: int, ts: int = 1000, op: str = "u", city: str = "B", order: int = 1, **more
    ) -> list[Unit]:
        image = {"cust_id": 7, "city": city}
        before = None if op in "cr" else image
        position = Position(tx, c, lsn, ts, order)
        forge = Forge(TOPIC, **more)
        record = forge.change((0, self.offset), {"customerId": 7}, "crm.cust", op, before, image, position)
        self.offset += 1
        return self.tail.add(DECODE(record))

    def tombstone(self) -> list[Unit]:
        record = Forge(TOPIC).record((0, self.offset), {"customerId": 7}, None, 0)
        self.offset += 1
        return self.tail.add(DECODE(record))

    def end(self, tx: int, lsn: int, ts: int = 1000) -> None:
        self.evidence.end("legacy", tx, lsn, ts)


def offsets(units: list[Unit]) -> list[tuple[int, int]]:
    return [(unit.first_offset, unit.next_offset) for unit in units]


def kinds(unit: Unit) -> list[type]:
    return [type(entry) for entry in unit.entries]


def test_a_transaction_stays_open_until_a_row_of_another_one_comes() -> None:
    p = Partition()
    assert p.row(700, 100, 110) == []
    assert p.row(700, 100, 112) == []
    assert p.tail.open_offset == 0
    [unit] = p.row(701, 120, 115)
    assert offsets([unit]) == [(0, 2)]
    assert (unit.tx_id, unit.commit, unit.hi) == (700, 100, Taken(1, 100, 112, 700))
    assert p.tail.open_offset == 2


def test_what_stands_behind_an_open_transaction_waits_for_it() -> None:
    p = Partition()
    assert offsets(p.tombstone()) == [(0, 1)]
    p.row(700, 100, 110)
    assert p.tombstone() == []
    [unit] = p.row(701, 120, 115)
    assert offsets([unit]) == [(1, 3)]


def test_a_row_below_the_last_taken_is_a_duplicate_and_no_successor() -> None:
    p = Partition()
    p.row(700, 100, 110)
    p.row(701, 120, 115)
    assert p.row(700, 100, 110) == []
    assert p.row(701, 120, 115) == []
    [unit] = p.row(702, 130, 125)
    assert kinds(unit) == [ChangeEvent, Duplicate, Duplicate]


def test_rows_of_one_page_share_an_lsn_and_are_told_apart_by_content() -> None:
    p = Partition(keyed=frozenset({"crm.cust"}))
    for order, city in enumerate("ABCABC", 1):
        p.row(700, 100, 110, op="c", city=city, order=order)
    [unit] = p.tail.finish()
    assert kinds(unit) == [ChangeEvent] * 3 + [Duplicate] * 3


def test_equal_rows_of_a_table_without_key_are_told_apart_by_their_order() -> None:
    p = Partition()
    for order in (1, 2, 2):
        p.row(700, 100, 110, op="c", order=order)
    [unit] = p.tail.finish()
    assert kinds(unit) == [ChangeEvent, ChangeEvent, Duplicate]


def test_an_equal_position_is_a_duplicate_once_the_last_row_is_settled() -> None:
    p = Partition(hi=Taken(1, 100, 110, 700), ts=1000)
    [unit] = p.row(700, 100, 110, city="other")
    assert kinds(unit) == [Duplicate]
    assert unit.hi == Taken(1, 100, 110, 700)


def test_end_then_the_fence_closes_a_quiet_tail() -> None:
    p = Partition()
    p.row(700, 100, 110)
    assert p.tail.provable() is None
    p.end(700, 120)
    ticket = p.tail.provable()
    assert ticket is not None
    assert offsets(p.tail.close(ticket)) == [(0, 1)]
    assert p.tail.open_offset is None
    assert p.tail.close(ticket) == []


def test_a_later_transaction_elsewhere_is_evidence_but_an_equal_lsn_is_none() -> None:
    p = Partition()
    p.row(700, 100, 110)
    p.end(650, 100)
    assert p.tail.provable() is None
    p.end(720, 101)
    assert p.tail.provable() is not None


def test_a_ticket_closes_only_the_transaction_it_was_given_for() -> None:
    p = Partition()
    p.row(700, 100, 110)
    p.end(700, 120)
    ticket = p.tail.provable()
    p.row(701, 120, 125)
    assert ticket is not None
    assert p.tail.close(ticket) == []


def test_evidence_of_one_incarnation_closes_nothing_of_another() -> None:
    p = Partition(incarnations=((2, 5000),))
    p.end(650, 900, ts=1000)
    p.row(700, 100, 110, ts=6000)
    assert p.tail.provable() is None


def test_evidence_of_a_timeline_that_a_restore_ended_closes_nothing_before_it_is_declared() -> None:
    """Where a partition saw nothing of late, its new rows stand above all it took, and below what others have seen."""
    p = Partition()
    p.end(650, 900, ts=1000)
    p.end(700, 850, ts=900)
    p.row(700, 100, 110, ts=90_000)
    assert p.tail.provable() is None
    p.end(700, 120, ts=90_000)
    assert p.tail.provable() is not None


def test_evidence_that_overlapped_is_evidence() -> None:
    p = Partition()
    p.row(700, 100, 110, ts=1000)
    p.end(650, 140, ts=990)
    assert p.tail.provable() is not None


def test_a_snapshot_row_is_complete_by_itself_and_moves_nothing() -> None:
    p = Partition()
    [unit] = p.row(0, None, 500, op="r", ts=99_000)
    assert (unit.hi, unit.ts) == (None, 0)
    p.row(700, 100, 110)
    assert p.row(0, None, 900, op="r", ts=99_000) == []
    [unit] = p.tail.finish()
    assert (unit.hi, unit.ts) == (Taken(1, 100, 110, 700), 1000)


def test_a_position_that_goes_back_while_its_time_goes_on_stops_the_partition() -> None:
    p = Partition()
    p.row(700, 100, 110, ts=1000)
    with pytest.raises(SourceRegressed, match="went back"):
        p.row(5, 40, 50, ts=2000)


def test_a_declared_incarnation_stands_above_the_one_before() -> None:
    p = Partition(incarnations=((2, 1500),))
    p.row(700, 100, 110, ts=1000)
    [unit] = p.row(5, 40, 50, ts=2000)
    assert unit.tx_id == 700
    [unit] = p.tail.finish()
    assert unit.hi == Taken(2, 40, 50, 5)


@pytest.mark.parametrize("other", [{"source_name": "other"}, {"database": "other"}])
def test_a_second_source_in_one_topic_stops_the_partition(other: dict[str, str]) -> None:
    p = Partition()
    p.row(700, 100, 110)
    with pytest.raises(ConfigError, match="second source"):
        p.row(701, 120, 130, **other)


def test_two_transactions_with_one_predecessor_are_two_writers() -> None:
    p = Partition()
    p.row(700, 100, 110)
    with pytest.raises(ConfigError, match="same predecessor"):
        p.row(701, 100, 111)


def test_a_transaction_above_the_memory_limit_halts_the_partition_uncut() -> None:
    p = Partition(max_bytes=2000)
    with pytest.raises(ConfigError, match="unit_max_bytes"):
        for lsn in range(110, 200):
            p.row(700, 100, lsn)


def test_the_limit_counts_what_waits_and_not_what_went() -> None:
    p = Partition(max_bytes=2000)
    for tx in range(700, 750):
        p.row(tx, tx * 10, tx * 10 + 1)
    assert 0 < p.tail.held_bytes < 2000


def test_a_total_order_that_goes_back_on_taken_rows_is_told() -> None:
    p = Partition(keyed=frozenset({"crm.cust"}))
    p.row(700, 100, 110, order=5)
    p.row(700, 100, 111, order=1)
    assert p.tail.finish()[0].restarted
    p.row(701, 120, 130, order=5)
    p.row(701, 120, 130, order=1)
    assert not p.tail.finish()[0].restarted


def null_first(p: Partition) -> None:
    p.row(700, None, 110)
    p.row(700, None, 112)


def test_a_transaction_without_predecessor_waits_for_its_end() -> None:
    p = Partition()
    null_first(p)
    assert p.tail.unresolved == 700
    assert p.row(701, 120, 130) == []
    p.end(700, 120)
    ticket = p.tail.provable()
    assert ticket is not None
    units = p.tail.close(ticket)
    assert offsets(units) == [(0, 2)]
    assert units[0].commit == 119
    assert p.tail.open_offset == 2


def test_without_markers_the_next_row_tells_where_it_stands() -> None:
    p = Partition(markers=False)
    null_first(p)
    [unit] = p.row(701, 120, 130)
    assert (unit.commit, unit.hi) == (119, Taken(1, 119, 112, 700))


def test_a_repeated_transaction_without_predecessor_is_dropped() -> None:
    p = Partition(hi=Taken(1, 300, 310, 720), ts=1000)
    null_first(p)
    p.end(700, 120)
    units = p.tail.close(p.tail.provable())
    assert [kinds(unit) for unit in units] == [[Duplicate], [Duplicate]]


def test_the_last_transaction_again_without_predecessor_is_compared_by_lsn() -> None:
    p = Partition(hi=Taken(1, 100, 110, 700), ts=1000)
    null_first(p)
    p.end(700, 120)
    units = p.tail.close(p.tail.provable())
    assert [kinds(unit) for unit in units] == [[Duplicate], [ChangeEvent]]
    assert units[1].commit == 100


def test_an_old_transaction_in_a_new_timeline_without_predecessor_stops_the_partition() -> None:
    p = Partition(hi=Taken(1, 300, 310, 720), ts=500)
    null_first(p)
    p.end(700, 120)
    with pytest.raises(SourceRegressed):
        p.tail.close(p.tail.provable())


def test_the_end_of_a_recording_closes_what_waits() -> None:
    p = Partition()
    null_first(p)
    p.row(701, 120, 130)
    units = p.tail.finish()
    assert [unit.tx_id for unit in units] == [700, 701]
    assert [unit.commit for unit in units] == [119, 120]
    assert p.tail.held_records == 0


def test_an_open_transaction_is_not_cut_by_a_repeated_one_without_predecessor() -> None:
    p = Partition()
    null_first(p)
    p.end(700, 120)
    p.row(701, 120, 130)
    assert p.tail.unresolved is None
    p.evidence = p.tail._evidence = Evidence()  # a new process: it has heard no END yet
    p.row(700, None, 112)
    p.row(701, 120, 131)
    p.end(701, 140)
    assert p.tail.provable() is None
    p.end(700, 120)
    [unit] = p.tail.close(p.tail.provable())
    assert kinds(unit) == [ChangeEvent, Duplicate, ChangeEvent]
