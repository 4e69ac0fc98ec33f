"""A short selection of the fault laboratory, and what proves that the laboratory bites: bugs planted in the gateway."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.stack import Stack

from .lab.registry import FAULTS
from .lab.results import Result
from .lab.runner import strike

pytestmark = pytest.mark.stack


def _tried(stack: Stack, name: str, strikes: int, seed: int, folder: Path, bug: str = "") -> Result:
    result = strike(stack, FAULTS[name], strikes, seed, folder, bug)
    print(f"seed {seed}", *result.notes, sep="\n")
    return result


@pytest.mark.parametrize("name", [one.name for one in FAULTS.values() if one.few])
def test_a_fault_costs_nothing_but_time(stack: Stack, tmp_path: Path, seed: int, name: str) -> None:
    wanted = FAULTS[name].few
    result = _tried(stack, name, wanted, seed, tmp_path)
    assert not result.failed
    assert result.strikes >= wanted
    assert result.records > 0


def test_without_the_guard_a_lost_answer_doubles_what_was_committed(stack: Stack, tmp_path: Path, seed: int) -> None:
    result = _tried(stack, "answer-lost-after-commit", 2, seed, tmp_path, "no-guard")
    assert result.extra > 0


def test_the_last_stable_offset_for_the_high_watermark_tears_transactions(
    stack: Stack, tmp_path: Path, seed: int
) -> None:
    result = _tried(stack, "marker-delayed", 2, seed, tmp_path, "lso")
    assert result.torn > 0


def test_without_dedup_rows_told_again_are_events_again(stack: Stack, tmp_path: Path, seed: int) -> None:
    result = _tried(stack, "rows-told-again", 1, seed, tmp_path, "no-dedup")
    assert result.extra > 0


def test_an_id_that_depends_on_who_writes_it_is_found(stack: Stack, tmp_path: Path, seed: int) -> None:
    result = _tried(stack, "killed-amid-produce", 2, seed, tmp_path, "wrong-id")
    assert any(note.startswith("told under two ids") for note in result.notes)


def test_a_slow_commit_that_is_trusted_lets_a_late_copy_end_another_transaction(
    stack: Stack, tmp_path: Path, seed: int
) -> None:
    result = _tried(stack, "wire-commit-delayed", 3, seed, tmp_path, "no-suspicion")
    assert result.extra + result.missing + result.torn > 0
