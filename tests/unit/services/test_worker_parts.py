"""Parts of the worker that can be told apart: state records, END reading, start checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from gateway.adapters.clock import SystemClock
from gateway.adapters.memory import MemoryBroker, MemoryCluster
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError, DependencyError, LetterClass
from gateway.model.letter import ParkEntry
from gateway.pipeline.evidence import Evidence
from gateway.ports import Committed, Partition
from gateway.services import worker_start
from gateway.services.worker_fence import EndReader
from gateway.services.worker_outages import Outages
from gateway.services.worker_start import Waiting, check_topics, look_up_schemas
from gateway.services.worker_state import (
    park_key,
    park_value,
    progress_key,
    progress_value,
    read_memory,
    state_partition,
)
from gateway.settings import Settings
from gateway.telemetry.signals import DependencyAway, DependencyBack, FindingSeen
from gateway.wiring import plan_worker

from .memory_world import COMPILED, IDS, MAPPINGS, PREFIX, Signals

PLACE = Partition("p.thing.raw", 3)


def test_state_records_come_back_as_they_were_and_those_of_other_partitions_are_left_out() -> None:
    entry = ParkEntry(5, 9, 2, 1, LetterClass.DECODE, 77)
    entries = {
        park_key(PLACE, "a|b"): park_value(entry),
        progress_key(PLACE): progress_value(Committed(12, "1{}")),
        park_key(Partition("p.thing.raw", 2), "c"): park_value(entry),
    }
    memory = read_memory(entries, PLACE)
    assert memory.parked == {"a|b": entry}
    assert memory.progress == Committed(12, "1{}")


def test_state_of_a_newer_format_is_refused() -> None:
    newer = park_value(ParkEntry(5, 9, 2, 1, LetterClass.RULE, 1)).replace(b'"v":1', b'"v":2')
    with pytest.raises(ConfigError, match="format 2"):
        read_memory({park_key(PLACE, "a"): newer}, PLACE)


def test_the_state_partition_of_a_raw_partition_never_changes() -> None:
    """These numbers stand in every installation's state topic."""
    assert [state_partition(Partition("legacy.customer.raw", number)) for number in range(4)] == [1, 10, 1, 14]


class Markers:
    """A transaction topic of given values; ``back`` holds what stands further back."""

    def __init__(self, values: Sequence[bytes], back: Sequence[bytes] = ()) -> None:
        self._values, self._back = list(values), list(back)

    def poll(self) -> Sequence[bytes]:
        values, self._values = self._values, []
        return values

    @property
    def at_end(self) -> bool:
        return not self._values

    def again(self) -> None:
        pass

    def earlier(self) -> bool:
        if not self._back:
            return False
        self._values, self._back = self._back, []
        return True

    def close(self) -> None:
        pass


def _end(tx_id: int, lsn: int, status: str = "END") -> bytes:
    return f'{{"status":"{status}","id":"{tx_id}:{lsn}","ts_ms":1,"event_count":1}}'.encode()


def test_only_the_last_end_of_a_batch_counts_and_a_begin_proves_nothing() -> None:
    evidence, signals = Evidence(), Signals()
    reader = EndReader(Markers([_end(1, 100), _end(2, 200), _end(3, 300, "BEGIN")]), evidence, "legacy", signals)
    reader.poll(frozenset())
    assert evidence.past("legacy", 1, 199)
    assert not evidence.past("legacy", 1, 200)
    assert evidence.end_of("legacy", 1, 1) is None


def test_the_end_of_a_wanted_transaction_is_looked_for_further_back() -> None:
    evidence = Evidence()
    reader = EndReader(Markers([_end(9, 900)], back=[_end(4, 400), _end(9, 900)]), evidence, "legacy", Signals())
    for _ in range(4):
        reader.poll(frozenset({4}))
    assert evidence.end_of("legacy", 1, 4) == 400


def test_what_is_no_marker_is_told_and_does_no_harm() -> None:
    evidence, signals = Evidence(), Signals()
    EndReader(Markers([_end(1, 100), b"noise"]), evidence, "legacy", signals).poll(frozenset())
    assert evidence.past("legacy", 1, 99)
    assert isinstance(signals[0], FindingSeen)


class Registry:
    """Knows some contracts; away for the first questions."""

    def __init__(self, known: Mapping[str, int], away: int = 0) -> None:
        self._known, self._away = known, away

    def schema_id(self, subject: str, schema: Mapping[str, object]) -> int:
        if self._away:
            self._away -= 1
            raise DependencyError("away", where="registry")
        if subject not in self._known:
            raise ConfigError(f"{subject} is not registered", where="registry")
        return self._known[subject]

    def schema(self, schema_id: int) -> Mapping[str, object]:
        raise NotImplementedError


def _waiting(signals: Signals) -> Waiting:
    return Waiting(Outages(signals, SystemClock()), lambda: False)


def test_a_start_waits_for_the_registry_and_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_start, "_PAUSE", 0.001)
    signals = Signals()
    known = {f"{PREFIX}thing.events-{name}": number for name, number in IDS.items()}
    assert look_up_schemas(Registry(known, away=5), COMPILED, PREFIX, _waiting(signals)) == IDS
    assert [type(one) for one in signals] == [DependencyAway, DependencyBack]


def test_a_start_names_every_contract_that_is_missing() -> None:
    with pytest.raises(ConfigError) as refused:
        look_up_schemas(Registry({}), load(MAPPINGS), PREFIX, _waiting(Signals()))
    assert all(f"{PREFIX}thing.events-{name}" in str(refused.value) for name in IDS)


def test_a_start_names_every_topic_that_is_missing_or_has_too_few_partitions() -> None:
    broker = MemoryBroker()
    for topic, partitions in (("thing.raw", 4), ("thing.raw.dlq", 2), ("gateway.state", 4)):
        broker.create(PREFIX + topic, partitions)
    plan = plan_worker(Settings(prefix=PREFIX, mappings=MAPPINGS), COMPILED, IDS, 1, fresh=True)
    with pytest.raises(ConfigError) as refused:
        check_topics(MemoryCluster(broker), plan, _waiting(Signals()))
    for told in ("thing.raw.dlq has 2 partitions", "thing.events does not exist", "gateway.state has 4 partitions"):
        assert told in str(refused.value)
