"""What a worker learns of its topics' limits when it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.adapters.clock import SystemClock
from gateway.model.capture import TopicFacts, TopicSpec
from gateway.model.errors import ConfigError
from gateway.services.worker_limits import UNKNOWN, batch_size, largest_records, written_topics
from gateway.services.worker_outages import Outages
from gateway.services.worker_start import Waiting
from gateway.settings import Settings
from gateway.wiring import plan_worker

from .memory_world import COMPILED, IDS, PREFIX, Signals

PUBLIC, LETTERS = f"{PREFIX}thing.events", f"{PREFIX}thing.raw.dlq"


class Described:
    """Topics and what they take; refuses to tell where there are none."""

    def __init__(self, topics: Mapping[str, int]) -> None:
        self.topics = topics

    def describe(self, specs: Sequence[TopicSpec]) -> Mapping[str, TopicFacts]:
        if not self.topics:
            raise ConfigError("not authorized")
        assert all(set(spec.config) == {"max.message.bytes"} for spec in specs)
        asked = {spec.name for spec in specs}
        return {name: TopicFacts(1, {"max.message.bytes": str(n)}) for name, n in self.topics.items() if name in asked}


def ask(topics: Mapping[str, int]) -> Mapping[str, int]:
    waiting = Waiting(Outages(Signals(), SystemClock()), lambda: False)
    return largest_records(Described(topics), written_topics(COMPILED, PREFIX), waiting)


def test_what_topics_take_is_asked_and_where_that_is_refused_the_brokers_default_is_assumed() -> None:
    assert written_topics(COMPILED, PREFIX) == [PUBLIC, LETTERS]
    largest = ask({PUBLIC: 2_000_000, LETTERS: 5_000_000, "another": 1})
    assert largest == {PUBLIC: 2_000_000, LETTERS: 5_000_000}
    assert ask({}) == {PUBLIC: UNKNOWN, LETTERS: UNKNOWN}
    settings = Settings(prefix=PREFIX, record_max_bytes=3_000_000)
    plan = plan_worker(settings, COMPILED, IDS, 1, fresh=True, largest=largest)
    limits = next(iter(plan.topics.values())).book.limits
    assert (limits.largest(PUBLIC), limits.largest(LETTERS), limits.largest("x")) == (2_000_000, 3_000_000, 3_000_000)


def test_several_small_records_never_become_a_batch_that_is_too_large() -> None:
    assert batch_size({PUBLIC: 2_000_000}) == {"batch.size": "262144"}
    assert batch_size({PUBLIC: 2_000_000, LETTERS: 100_000}) == {"batch.size": "100000"}
