"""What the Kafka client raises is told apart, however it reaches us."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from gateway.adapters.kafka_client import error_of


def test_an_exception_of_the_client_holds_its_error() -> None:
    assert error_of(KafkaException(KafkaError(KafkaError._FENCED))).code() == KafkaError._FENCED


def test_a_fatal_error_that_a_callback_turned_into_a_system_error_is_still_that_error() -> None:
    """As seen of a fenced producer: CPython complains that a call ran while the client's exception was set."""
    raised = SystemError("<built-in function isinstance> returned a result with an exception set")
    raised.__cause__ = KafkaException(KafkaError(KafkaError._FENCED))
    assert error_of(raised).code() == KafkaError._FENCED


def test_any_other_system_error_is_our_own_bug() -> None:
    with pytest.raises(SystemError, match="something else"):
        error_of(SystemError("something else"))
