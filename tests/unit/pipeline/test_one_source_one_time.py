"""One raw topic is fed by one connector and one database; commit times lie where a calendar has days."""

from __future__ import annotations

import pytest

from gateway.authoring.forge import Forge, Position
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.model.unit import Broken
from gateway.pipeline.assemble import Tail, TailRules
from gateway.pipeline.decode import Decoder
from gateway.pipeline.evidence import Evidence

TOPIC = "legacy.customer.raw"
DECODE = Decoder(("customerId",))


def row(offset: int, position: Position, database: str = "insurer") -> RawRecord:
    forge = Forge(TOPIC, database=database)
    return forge.change((0, offset), {"customerId": 7}, "crm.cust", "c", None, {"cust_id": 7}, position)


def test_rows_of_a_second_database_stop_the_partition_although_the_name_of_the_source_is_right() -> None:
    tail = Tail(TOPIC, 0, TailRules(source_name="legacy"), Evidence())
    tail.add(DECODE(row(0, Position(700, 100, 110, 1000))))
    with pytest.raises(ConfigError, match="legacy/other beside legacy/insurer"):
        tail.add(DECODE(row(1, Position(701, 120, 130, 1001), "other")))


@pytest.mark.parametrize("ts_ms", [-1, 253_402_300_800_000, 10**18])
def test_a_row_whose_commit_time_no_calendar_has_is_broken(ts_ms: int) -> None:
    """Else it would stop its partition when the time is written, or hide from then on that the source went back."""
    broken = DECODE(row(0, Position(700, 100, 110, ts_ms)))
    assert isinstance(broken, Broken)
    assert broken.aggregate_id == "7"
