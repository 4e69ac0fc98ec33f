"""ENDs that pass while nobody can use them, and a transaction topic whose first question has no answer."""

from __future__ import annotations

from gateway.adapters.log_readers import MarkerTopic
from gateway.adapters.memory import MemoryBroker, MemoryCluster, MemoryLog
from gateway.model.errors import DependencyError
from gateway.pipeline.evidence import Evidence
from gateway.ports import Partition
from gateway.services.worker_fence import EndReader
from gateway.telemetry.totals import TotalsTelemetry

from .test_end_reader import TOPIC, broker_with, end, reader


def test_an_end_that_passed_while_its_partition_was_rebuilt_is_looked_for_again() -> None:
    """Wanted, then not (an abort: the partition is read anew), meanwhile it goes by behind another; wanted again."""
    broker = broker_with(1)
    ends, evidence = reader(broker)
    for _ in range(5):
        ends.poll(frozenset({2}))
    for number in (2, 3):
        broker.append(Partition(TOPIC, 0), None, end(number))
    ends.poll(frozenset())
    assert evidence.end_of("legacy", 1, 2) is None
    for _ in range(5):
        ends.poll(frozenset({2}))
    assert evidence.end_of("legacy", 1, 2) == 200


class LateCluster(MemoryCluster):
    """The first watermark that is asked has no answer."""

    late = 1

    def high_watermark(self, partition: Partition) -> int:
        if self.late:
            self.late -= 1
            raise DependencyError("planted: no answer")
        return super().high_watermark(partition)


def test_a_transaction_topic_that_did_not_answer_is_read_later(monkeypatch) -> None:
    broker: MemoryBroker = broker_with(1, 2)
    evidence = Evidence(())
    markers = MarkerTopic(MemoryLog(broker), LateCluster(broker), TOPIC)
    ends = EndReader(markers, evidence, "legacy", TotalsTelemetry())
    monkeypatch.setattr("gateway.adapters.log_readers._LOOK_AGAIN", 0.0)
    for _ in range(5):
        try:
            ends.poll(frozenset())
        except DependencyError:
            continue
    assert evidence.past("legacy", 1, 150)
