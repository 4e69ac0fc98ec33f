"""A partition that the client forgets to fetch does not stand still for ever."""

import pytest

from gateway.adapters.kafka_client import topic_partition
from gateway.adapters.kafka_source import KafkaSource
from gateway.ports import Partition
from gateway.stack import Stack
from tests.contract.test_ports_kafka import Owner
from tests.contract.worlds import KafkaWorld, eventually


@pytest.mark.stack
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_partition_that_stays_silent_after_its_start_is_started_again(stack: Stack, protocol: str) -> None:
    world = KafkaWorld(stack.endpoints.bootstrap, protocol)
    place = Partition(world.topic(), 0)
    world.put(place, b"a", b"b")
    source = world.source()
    assert isinstance(source, KafkaSource)
    owner = Owner(source, [place.topic])
    owner.settle(1)
    source.start(place, 1)
    source._consumer.pause([topic_partition(place)])  # behind its back: what the client did by itself
    found = eventually(lambda: source.take(10, 0.05).records or None, 15)
    assert [record.value for record in found] == [b"b"]
    world.close()


@pytest.mark.stack
def test_a_partition_paused_on_purpose_is_left_alone(stack: Stack) -> None:
    world = KafkaWorld(stack.endpoints.bootstrap)
    place = Partition(world.topic(), 0)
    world.put(place, b"a")
    source = world.source()
    owner = Owner(source, [place.topic])
    owner.settle(1)
    source.start(place, 0)
    source.pause(place)
    assert not any(source.take(10, 0.1).records for _ in range(50))
    source.resume(place)
    assert eventually(lambda: source.take(10, 0.05).records or None, 15)[0].value == b"a"
    world.close()
