"""A command asks the broker again before it says that it is away; the worker, which tells of it at once, does not."""

import pytest

from gateway.adapters.kafka_cluster import KafkaCluster
from gateway.model.errors import DependencyError
from gateway.ports import Partition

NOWHERE = "127.0.0.1:9"


class Slow(KafkaCluster):
    """Fails so many times before it answers."""

    def __init__(self, failures: int, patience: float) -> None:
        super().__init__(NOWHERE, {"log_level": "0"}, patience)
        self.failures = failures

    def _one_now(self, partition: Partition, spec: object) -> int:
        self.failures -= 1
        if self.failures >= 0:
            raise DependencyError("no leader yet", where=NOWHERE)
        return 7


def test_a_question_is_asked_again_for_as_long_as_patience_goes(capsys: pytest.CaptureFixture[str]) -> None:
    assert Slow(2, patience=20).low_watermark(Partition("raw", 0)) == 7
    assert capsys.readouterr().out == ""  # where commands print their results


def test_without_patience_it_is_told_at_once() -> None:
    slow = Slow(1, patience=0)
    with pytest.raises(DependencyError, match="no leader yet"):
        slow.low_watermark(Partition("raw", 0))
    assert slow.failures == 0
