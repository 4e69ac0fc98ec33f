"""Which ENDs of the transaction topic a worker learns of."""

import json

from gateway.adapters.log_readers import MarkerTopic
from gateway.adapters.memory import MemoryBroker, MemoryCluster, MemoryLog
from gateway.pipeline.evidence import Evidence
from gateway.ports import Partition
from gateway.services.worker_fence import EndReader
from gateway.telemetry.totals import TotalsTelemetry

TOPIC = "legacy.transaction"


def end(tx_id: int) -> bytes:
    marker = {"status": "END", "id": f"{tx_id}:{tx_id * 100}", "event_count": 1, "data_collections": None}
    return json.dumps(marker | {"ts_ms": 1_700_000_000_000 + tx_id}).encode()


def reader(broker: MemoryBroker) -> tuple[EndReader, Evidence]:
    evidence = Evidence(())
    markers = MarkerTopic(MemoryLog(broker), MemoryCluster(broker), TOPIC)
    return EndReader(markers, evidence, "legacy", TotalsTelemetry()), evidence


def broker_with(*numbers: int) -> MemoryBroker:
    broker = MemoryBroker()
    broker.create(TOPIC, 1)
    for number in numbers:
        broker.append(Partition(TOPIC, 0), None, end(number))
    return broker


def test_of_each_batch_only_the_last_end_is_learnt() -> None:
    ends, evidence = reader(broker_with(1, 2, 3))
    for _ in range(3):
        ends.poll(frozenset())
    assert (evidence.end_of("legacy", 1, 2), evidence.end_of("legacy", 1, 3)) == (None, 300)


def test_an_end_that_went_by_before_it_was_wanted_is_found_again() -> None:
    ends, evidence = reader(broker_with(*range(1, 40)))
    for _ in range(3):
        ends.poll(frozenset())
    for _ in range(5):
        ends.poll(frozenset({2}))
    assert evidence.end_of("legacy", 1, 2) == 200


def test_an_end_far_back_is_found() -> None:
    ends, evidence = reader(broker_with(*range(1, 3000)))
    for _ in range(3):
        ends.poll(frozenset())
    for _ in range(40):
        ends.poll(frozenset({5}))
    assert evidence.end_of("legacy", 1, 5) == 500
