"""Every rule, condition and test of the mappings is needed: without it, or turned round, the demo's figures change."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from gateway.adapters.files import read_recording
from gateway.mapping.loader import load
from legacy_db.truth import read_truth
from tests.e2e.conftest import ROOT, DemoRun
from tests.e2e.mutants import mutants
from tests.e2e.trial import Trial

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
