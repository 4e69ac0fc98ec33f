"""Mutants of the shipped mappings: at least 95 of 100 are caught by lint or by the mapping's cases; survivors are told.

``GATEWAY_MUTANTS=all`` tries every one instead of a seeded sample.
"""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway.mapping.loader as loader
from gateway.authoring.case_files import Case, read_cases
from gateway.authoring.cases import run_case
from gateway.authoring.offline import books_of
from gateway.cli.lint_schema import schema_of_file
from gateway.mapping.lints.run import Options, lint_folder, lint_loaded
from gateway.mapping.nodes import Node
from gateway.mapping.reader import read_text
from gateway.model.errors import ConfigError
from tests.golden.lint.mutations import Mutant, mutants
from tests.golden.lint.trees import written

ROOT = Path(__file__).parents[3]
MAPPINGS = ROOT / "mappings"
NAMES = ("billing", "claim", "customer", "policy")
SAMPLE, SEED = 320, 5


@functools.cache
def options() -> Options:
    return Options(schema_of_file(ROOT / "tests" / "e2e" / "recording.jsonl.gz"), cases=False)


@functools.cache
def root_of(name: str) -> Node:
    root, _ = read_text((MAPPINGS / name / f"{name}.yaml").read_text(), name)
    assert root is not None
    return root


def judged(name: str, root: Node) -> tuple[set[tuple[str, str]], loader.LoadedFile]:
    loaded, shared = loader.inspect_text(written(root), MAPPINGS, f"{name}/{name}.yaml")
    return {(each.lint.code, each.what) for each in lint_loaded(loaded, shared, options())}, loaded


@functools.cache
def cases_of(name: str) -> tuple[Case, ...]:
    return read_cases(MAPPINGS / name / f"{name}_test.yaml")


@functools.cache
def accepted(name: str) -> frozenset[tuple[str, str]]:
    return frozenset(judged(name, root_of(name))[0])


def caught(name: str, mutant: Mutant) -> str:
    """Who catches it: lint or a case; empty for a survivor."""
    found, loaded = judged(name, mutant.root)
    if found - accepted(name):
        return "lint"
    assert loaded.mapping is not None
    book = books_of([loaded.mapping])[loaded.mapping.name]
    for case in cases_of(name):
        try:
            if run_case(case, loaded.mapping, book).differences:
                return "case"
        except ConfigError:
            return "case"
    return ""


def chosen() -> Iterator[tuple[str, Mutant]]:
    """A sample in which every operator has its turn."""
    every = [(name, mutant) for name in NAMES for mutant in mutants(root_of(name))]
    random.Random(SEED).shuffle(every)
    if os.environ.get("GATEWAY_MUTANTS") == "all":
        yield from every
        return
    turns: dict[str, list[tuple[str, Mutant]]] = {}
    for name, mutant in every:
        turns.setdefault(mutant.operator, []).append((name, mutant))
    first = [each for turn in turns.values() for each in turn[:5]]
    kept = {id(mutant) for _, mutant in first}
    yield from first
    yield from [each for each in every if id(each[1]) not in kept][: SAMPLE - len(first)]


def test_nothing_is_found_in_the_shipped_mappings() -> None:
    assert lint_folder(MAPPINGS) == ()


def test_mutants_are_caught_by_lint_or_by_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "read_contract", functools.cache(loader.read_contract))
    by: dict[str, int] = {}
    survivors = []
    for name, mutant in chosen():
        who = caught(name, mutant)
        by[who or "nobody"] = by.get(who or "nobody", 0) + 1
        if not who:
            survivors.append(f"{name}: {mutant.operator}: {mutant.where}"[:200])
    total = sum(by.values())
    print(f"\n{total} mutants: {by}", *survivors, sep="\n  survives: ")
    assert total >= 300
    assert len(survivors) <= total * 0.05, "\n".join(survivors)
