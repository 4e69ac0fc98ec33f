"""Every rule, condition and test of the mappings is needed: without it, or turned round, the demo's figures change."""

import os
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest

from gateway.adapters.files import read_recording
from gateway.authoring.again import evaluate
from gateway.authoring.explain import explain_settled
from gateway.authoring.offline import books_of, replay
from gateway.authoring.settled import gather
from gateway.mapping.loader import load
from legacy_db.truth import read_truth
from tests.e2e.conftest import ROOT, DemoRun
from tests.e2e.mutants import mutants
from tests.e2e.trial import Trial
from tests.unit.authoring.test_explain import every

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

MAPPINGS = {mapping.name: mapping for mapping in load(ROOT / "mappings")}


@pytest.mark.parametrize("name", sorted(MAPPINGS))
def test_every_mutant_of_the_mapping_is_caught(demo_run: DemoRun, name: str) -> None:
    total = len(list(mutants(MAPPINGS[name])))
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        halves = [pool.submit(_survivors, demo_run.state, name, part) for part in range(2)]
        survivors = [survivor for half in halves for survivor in half.result()]
    print(f"{name}: {total} mutants, {len(survivors)} survivors")
    assert total > 0
    assert survivors == []


def _survivors(state: Path, name: str, part: int) -> list[str]:
    trial = Trial(
        MAPPINGS[name], list(read_recording(state / "recording.jsonl.gz")), list(read_truth(state / "truth.jsonl"))
    )
    assert (trial.baseline.missing, trial.baseline.extra, trial.baseline.wrong) == (0, 0, 0)
    return [mutant.name for mutant in list(mutants(MAPPINGS[name]))[part::2] if not trial.caught(mutant)]


def test_explain_answers_for_records_of_the_whole_demo_as_the_worker_did(demo_run: DemoRun) -> None:
    """Each twentieth change set of the demo; GATEWAY_EXPLAIN=all asks about every one."""
    mappings = tuple(MAPPINGS.values())
    books = books_of(mappings)
    stretch = gather(demo_run.recording, mappings, books)
    outcomes = replay(stretch.units, mappings, books).outcomes
    step = 1 if os.environ.get("GATEWAY_EXPLAIN") == "all" else 20
    asked = 0
    for settled in islice(every(stretch), 0, None, step):
        for entry in settled.unit.entries:
            record = entry.record
            told = explain_settled(settled, record)
            wanted = outcomes[record.topic, record.partition, record.offset]
            assert (told.outcome, told.reason) == (str(wanted.kind), wanted.reason), record.place
            asked += 1
        again = evaluate(msgspec.json.decode(msgspec.json.encode(told)), mappings, books)
        assert again is not None
        assert again[0].translation.outcomes == settled.translation.outcomes
        assert again[0].translation.events == settled.translation.events
    print(f"{asked} records explained, of {len(outcomes)}")
    assert asked > len(outcomes) / 40
    assert step > 1 or asked == len(outcomes)
