"""The bench itself, small: its amplifier by what it must keep, its whole path once on a real broker; no timings."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks.amplify import Amplifier, key_columns
from benchmarks.reference import EventStreams
from benchmarks.stages import stages
from gateway.adapters.files import read_recording, write_recording
from gateway.authoring.offline import assemble, replay
from gateway.mapping.loader import load
from gateway.model.record import RawRecord
from gateway.pipeline.markers import parse_end
from gateway.stack import Stack

ROOT = Path(__file__).parents[2]
RECORDING = Path(__file__).parent / "recording.jsonl.gz"
"""The first 250 transactions of a demo run and a few snapshot rows, as Debezium wrote them."""
COPIES = 4
MAPPINGS = load(ROOT / "mappings")


@pytest.fixture(scope="module")
def records() -> list[RawRecord]:
    return list(read_recording(RECORDING))


@pytest.fixture(scope="module")
def amplifier(records: list[RawRecord]) -> Amplifier:
    return Amplifier(records, key_columns(MAPPINGS))


def amplified(amplifier: Amplifier, copies: int) -> list[RawRecord]:
    return [one for place in amplifier.partitions for one in amplifier.records(place, copies)]


def streamed(records: list[RawRecord]) -> list[tuple[RawRecord, dict]]:
    parsed = [(one, json.loads(one.value or b"")) for one in records]
    return [(one, envelope) for one, envelope in parsed if envelope["op"] != "r"]


def commit(row: dict) -> int:
    """``c``; the very first transaction of a connector has none, and comes before all others."""
    return int(json.loads(row["source"]["sequence"])[0] or 0)


def test_the_first_copy_is_the_recording(amplifier: Amplifier, records: list[RawRecord]):
    raw = [one for one in records if not one.topic.endswith(".transaction")]
    assert Counter((one.topic, one.partition, one.key, one.value) for one in amplified(amplifier, 1)) == Counter(
        (one.topic, one.partition, one.key, one.value) for one in raw
    )


def test_positions_grow_in_every_partition_and_transactions_stay_whole(amplifier: Amplifier):
    for place in amplifier.partitions:
        rows = streamed(list(amplifier.records(place, COPIES)))
        positions = [(commit(row), row["source"]["lsn"]) for _, row in rows]
        assert positions == sorted(positions)
        numbers = [row["source"]["txId"] for _, row in rows]
        stretches = [number for n, number in enumerate(numbers) if n == 0 or numbers[n - 1] != number]
        assert len(stretches) == len(set(stretches)), f"a transaction of {place} is torn"


def test_every_transaction_has_its_end_behind_its_rows(amplifier: Amplifier):
    ends = [end for end in map(parse_end, amplifier.markers(COPIES)) if end is not None]
    lsn = {end.tx_id: end.lsn for end in ends}
    assert len(lsn) == len(ends)
    assert [end.lsn for end in ends] == sorted(end.lsn for end in ends)
    for _, row in streamed(amplified(amplifier, COPIES)):
        assert lsn[row["source"]["txId"]] > commit(row)
        assert row["transaction"]["id"].startswith(f"{row['source']['txId']}:")


def test_made_up_ends_do_as_well(records: list[RawRecord], amplifier: Amplifier):
    """A recording without the transaction topic: its ENDs follow from its rows."""
    bare = Amplifier([one for one in records if not one.topic.endswith(".transaction")], key_columns(MAPPINGS))
    made_up = {end.tx_id: end.lsn for end in map(parse_end, bare.markers(2)) if end is not None}
    for _, row in streamed(amplified(bare, 2)):
        assert made_up[row["source"]["txId"]] > commit(row)


def test_every_copy_means_the_same_of_other_aggregates(amplifier: Amplifier):
    """All copies give the recording's events again, under other keys and ids, in the same number for each type."""
    once = replay(assemble(amplified(amplifier, 1), MAPPINGS), MAPPINGS)
    many = replay(assemble(amplified(amplifier, COPIES), MAPPINGS), MAPPINGS)
    facts, states = Counter[str](), Counter[str]()
    for encoded in once.events:
        (states if encoded.event.intent == "state" else facts)[encoded.event.name] += 1
    wanted = Counter({name: count * COPIES for name, count in facts.items()}) + states
    assert Counter(encoded.event.name for encoded in many.events) == wanted
    assert len(many.letters) == COPIES * len(once.letters)
    ids = [dict(encoded.headers)["ce_id"] for encoded in many.events]
    assert len(set(ids)) == len(ids)
    keys = defaultdict[bytes, set[int]](set)
    for number in range(len(many.events)):
        keys[many.events[number].key].add(number)
    assert len(keys) > 3 * len({encoded.key for encoded in once.events if encoded.event.intent != "state"})


def test_copies_are_counted_right(amplifier: Amplifier):
    for wanted in (1, 1000, 5000):
        copies = amplifier.copies(wanted)
        assert len(amplified(amplifier, copies)) == amplifier.count(copies) >= wanted
        assert copies == 1 or amplifier.count(copies - 1) < wanted


EVENTS = [("t", b"1", b"a", b"x"), ("t", b"1", b"b", b"y"), ("t", b"2", b"c", b"z")]


@pytest.mark.parametrize(
    ("other", "differing"),
    [
        (EVENTS, 0),
        ([EVENTS[2], EVENTS[0], EVENTS[1]], 0),
        ([EVENTS[1], EVENTS[0], EVENTS[2]], 1),
        (EVENTS[:2], 1),
        ([*EVENTS, EVENTS[2]], 1),
        ([EVENTS[0], EVENTS[1], ("t", b"2", b"c", b"Z")], 1),
        ([EVENTS[0], EVENTS[1], ("t", b"2", b"C", b"z")], 1),
        ([EVENTS[0], EVENTS[1], ("u", b"2", b"c", b"z")], 2),
    ],
)
def test_streams_differ_by_order_within_a_key_by_id_by_value_and_by_topic(
    other: list[tuple[str, bytes, bytes, bytes]], differing: int
):
    here, there = EventStreams(), EventStreams()
    for one in EVENTS:
        here.add(*one)
    for one in other:
        there.add(*one)
    assert here.difference(there) == differing


@pytest.mark.stack
def test_the_bench_runs_and_its_worker_writes_what_the_reference_says(
    stack: Stack, prefix: str, records: list[RawRecord], tmp_path: Path
):
    """One round over a few thousand records: last line JSON, all keys there, output equal; figures are not judged."""
    name = f'"name":"{prefix}legacy"'.encode()
    mine = [
        replace(one, topic=prefix + one.topic, value=one.value and one.value.replace(b'"name":"legacy"', name))
        for one in records
    ]
    write_recording(tmp_path / "mine.jsonl", mine)
    command = [sys.executable, "-m", "benchmarks", "--recording", str(tmp_path / "mine.jsonl"), "--records", "4000"]
    command += ["--rounds", "1", "--state", str(stack.state), "--keep"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    asked = "passthrough_ratio cpu_multiple records_per_s headers events_per_record interleaved_rounds"
    assert set(asked.split()) <= set(told)
    assert told["records"] >= 4000
    assert told["interleaved_rounds"] == 1
    assert told["output_equal"] is True
    assert told["faults"] == []
    assert "1 rounds, at least 5 count" in told["void"]


def test_stages_are_measured_one_by_one(records: list[RawRecord]):
    assert set(stages(records, MAPPINGS, rounds=1)) == {"decode", "decode_admit_assemble", "interpret_encode"}
