"""Changed case files: each is read or refused with its place, never a traceback; --update makes any of them pass."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from gateway.authoring.case_files import parse_cases
from gateway.authoring.case_hints import hints
from gateway.authoring.case_update import updated
from gateway.authoring.cases import CaseResult, run_case
from gateway.authoring.offline import books_of
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError

ROOT = Path(__file__).parents[3]
[CUSTOMER] = [mapping for mapping in load(ROOT / "mappings") if mapping.name == "customer"]
BOOK = books_of([CUSTOMER])["customer"]
FILES = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "how-to" / "test.md").read_text(), re.DOTALL)
WORDS = ("null", "none", "-1", "9" * 20, "true", "message", "[]", "{}", "steps", "given", "then", "é", "'")


def changed(text: str, chance: random.Random) -> str:
    """The text with a word replaced, or a line twice or left out."""
    lines = text.split("\n")
    line = chance.randrange(len(lines))
    kind = chance.randrange(4)
    if kind == 0:
        return "\n".join([*lines[:line], *lines[line + 1 :]])
    if kind == 1:
        return "\n".join([*lines[:line], chance.choice(lines), *lines[line:]])
    words = re.findall(r"\w+", text)
    return text.replace(chance.choice(words), chance.choice([*words, *WORDS]), 1)


def results(text: str) -> list[CaseResult]:
    return [run_case(case, CUSTOMER, BOOK) for case in parse_cases(text, "x_test.yaml")]


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_file_is_refused_with_its_place_or_made_to_pass(seed: int) -> None:
    chance = random.Random(seed)
    refused = passing = 0
    for _ in range(80):
        text = changed(changed(chance.choice(FILES), chance), chance)
        try:
            failed = [result for result in results(text) if result.differences]
        except ConfigError as error:
            assert "x_test.yaml:" in str(error)
            refused += 1
            continue
        assert all(isinstance(hints(step, each.case, CUSTOMER, BOOK), tuple) for each in failed for step in each.steps)
        assert [result.differences for result in results(updated(text, failed)) if result.differences] == []
        passing += 1
    assert refused > 5
    assert passing > 5
