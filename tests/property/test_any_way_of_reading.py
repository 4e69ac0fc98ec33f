"""The same raw records give the same events, ids, sequences and outcomes, however they are read."""

import random
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.authoring.offline import assemble, replay
from gateway.model.event import OutcomeKind
from gateway.model.record import RawRecord
from tests.property.simulated import BOOK, MAPPING, Output, SimulatedWorker, Source, World

shapes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 25), st.booleans())


def make_world(seed: int, shape: tuple[int, int, int, bool]) -> tuple[World, int]:
    partitions, aggregates, transactions, null_start = shape
    source = Source(random.Random(seed), partitions, aggregates, null_start=null_start)
    return source.run(transactions), partitions


def reference(world: World) -> Output:
    """The whole log read at once, one partition after the other."""
    output = Output()
    by_partition = sorted(world.records, key=lambda record: (record.partition, record.offset))
    ends = [
        RawRecord(
            "legacy.transaction", 0, n, 0, None,
            b'{"status":"END","id":"%d:%d","ts_ms":%d,"event_count":1}' % step.end,
        )
        for n, step in enumerate(world.steps)
        if step.end is not None
    ]  # fmt: skip
    result = replay(assemble([*ends, *by_partition], [MAPPING]), [MAPPING], {MAPPING.name: BOOK})
    for event in result.events:
        output.events[event.source.partition].append(event)
    for letter in result.letters:
        output.letters[letter.partition].append(letter)
    output.outcomes = {(p, offset): outcome for (_, p, offset), outcome in result.outcomes.items()}
    parked = defaultdict(dict)
    for (_, p, aggregate), entry in result.parked.items():
        parked[p][aggregate] = entry
    output.parked = parked
    return output


@given(st.integers(0, 1 << 32), shapes, st.integers(2, 40))
@settings(max_examples=150, deadline=None)
def test_batching_and_interleaving_change_nothing(seed, shape, chunk):
    """Random batches, random interleaving of partitions, ENDs heard early or late: equal output."""
    world, partitions = make_world(seed, shape)
    worker = SimulatedWorker(random.Random(seed + 1), world, partitions, chunk=chunk, crashes=0.0)
    assert worker.run().seen() == reference(world).seen()


@given(st.integers(0, 1 << 32), shapes, st.integers(2, 40))
@settings(max_examples=150, deadline=None)
def test_restarts_at_committed_progress_change_nothing(seed, shape, chunk):
    """A worker that is killed again and again and starts from what it committed: equal output, no outcome twice."""
    world, partitions = make_world(seed, shape)
    worker = SimulatedWorker(random.Random(seed + 2), world, partitions, chunk=chunk, crashes=0.15)
    assert worker.run().seen() == reference(world).seen()


@given(st.integers(0, 1 << 32), shapes)
@settings(max_examples=60, deadline=None)
def test_rewinding_publishes_nothing_twice(seed, shape):
    """A source that sends transactions again: every event id is there once, and as if nothing had been sent twice."""
    world, _ = make_world(seed, shape)
    ids = [dict(event.headers)["ce_id"] for events in reference(world).events.values() for event in events]
    assert len(ids) == len(set(ids))
    if not any(outcome.kind is OutcomeKind.DEAD_LETTERED for outcome in reference(world).outcomes.values()):
        once, _ = make_world_without_rewinds(seed, shape)
        assert sorted(ids) == sorted(once)


def make_world_without_rewinds(seed, shape):
    """Ids of the events of the same transactions, each written once."""
    partitions, aggregates, transactions, null_start = shape
    source = Source(random.Random(seed), partitions, aggregates, null_start=null_start)
    source.run(transactions)
    plain = Source(random.Random(0), partitions, aggregates, null_start=null_start)
    plain._between = lambda: None
    plain._break = lambda partition: None
    for transaction in source.transactions:
        plain.write(transaction)
    ids = [dict(e.headers)["ce_id"] for events in reference(plain.world).events.values() for e in events]
    return ids, plain.world


@given(st.integers(0, 1 << 32), shapes)
@settings(max_examples=60, deadline=None)
def test_every_record_has_exactly_one_outcome_and_counts_add_up(seed, shape):
    """Outcomes cover the records one to one; counters and units add up."""
    world, _ = make_world(seed, shape)
    units = assemble(world.records, [MAPPING])
    result = replay(units, [MAPPING], {MAPPING.name: BOOK})
    assert set(result.outcomes) == {(r.topic, r.partition, r.offset) for r in world.records}
    counters = result.counters
    assert counters.consumed == len(world.records)
    assert counters.consumed == counters.published + counters.ignored + counters.dead_lettered + counters.parked
    assert counters.dead_lettered + counters.parked == len(result.letters)
    for read in result.interpretations:
        account = read.accounting
        assert account.units == account.by_event + account.by_noise + account.bookkeeping + account.unexplained
        assert len(read.unexplained) == account.unexplained
        assert sum(read.noise.values()) == account.by_noise
    published = [o for o in result.outcomes.values() if o.kind is OutcomeKind.PUBLISHED]
    assert bool(published) == bool(result.events)


@given(st.integers(0, 1 << 32), shapes)
@settings(max_examples=40, deadline=None)
def test_sequences_grow_for_each_aggregate(seed, shape):
    """Events of one aggregate stand in the order of their sequences."""
    world, _ = make_world(seed, shape)
    last: dict[bytes, bytes] = {}
    for events in reference(world).events.values():
        for event in events:
            order = dict(event.headers)["ce_sequence"]
            assert order > last.get(event.key, b"")
            last[event.key] = order
