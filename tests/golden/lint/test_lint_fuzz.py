"""Mapping files changed at random: lint finds or accepts them, and never fails.

``GATEWAY_FUZZ=10000`` sets how many; then none may take over a second.
"""

from __future__ import annotations

import functools
import os
import random
import time
from pathlib import Path

import pytest

import gateway.mapping.loader as loader
from gateway.mapping.lints.formatting import formatted
from gateway.mapping.lints.recorded import Schema
from gateway.mapping.lints.run import Options, lint_loaded
from gateway.mapping.nodes import Map, Node, Seq
from gateway.mapping.reader import read_text
from gateway.model.errors import ConfigError
from tests.golden.lint.test_lint_mutants import options
from tests.golden.lint.trees import plain, quoted, replaced, scalars, written

HERE = Path(__file__).parent
FILES = {name: Path("mappings") / name / f"{name}.yaml" for name in ("billing", "claim", "customer", "policy")}
ROOT = HERE.parents[2]
COUNT = int(os.environ.get("GATEWAY_FUZZ", "150"))
WORDS = (
    "null",
    "true",
    "row",
    "after",
    "before",
    "[]",
    "{}",
    "",
    "{{",
    "}}",
    "{{ after.x }}",
    "x" * 300,
    "🦊",
    "0",
    "-1",
    "any",
)


def changed_text(text: str, chance: random.Random) -> str:
    """A few characters, lines or words changed, doubled or taken out."""
    for _ in range(chance.randint(1, 4)):
        place, kind = chance.randrange(len(text)), chance.randrange(5)
        if kind == 0:
            text = text[:place] + text[place + chance.randint(1, 12) :]
        elif kind == 1:
            text = text[:place] + chance.choice("{}[]:,#&*!|>'\"%@`\t\n -\x00\u2028é") + text[place:]
        elif kind == 2:
            other = chance.randrange(len(text))
            text = text[:place] + text[other : other + chance.randint(1, 80)] + text[place:]
        elif kind == 3:
            lines = text.split("\n")
            chance.shuffle(lines[place % len(lines) :])
            del lines[place % len(lines)]
            text = "\n".join(lines) or "x"
        else:
            text = text[:place] + chance.choice(WORDS) + text[place:]
    return text


def changed_tree(root: Node, chance: random.Random) -> str:
    """Values replaced by others of the same file, or by shapes that do not belong there."""
    places = list(scalars(root))
    for _ in range(chance.randint(1, 3)):
        path, _ = chance.choice(places)
        _, other = chance.choice(places)
        shapes: list[Node | None] = [other, quoted(chance.choice(WORDS)), plain("null"), None]
        shapes += [Seq((other,), other.mark), Map(((plain("x"), other),), other.mark), Map((), other.mark)]
        path = path[: chance.randint(1, len(path))]
        try:
            root = replaced(root, path, chance.choice(shapes))
        except (AssertionError, IndexError):
            continue
    return written(root)


def judge(text: str, name: str, schema: Schema | None) -> None:
    loaded, shared = loader.inspect_text(text, ROOT / "mappings", f"{name}/{name}.yaml")
    for finding in lint_loaded(loaded, shared, Options(schema, cases=False)):
        assert finding.line >= 1 and finding.column >= 1 and finding.what and finding.mend
    try:
        once = formatted(text)
    except ConfigError:
        return
    assert formatted(once) == once


def test_changed_files_never_make_lint_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "read_contract", functools.cache(loader.read_contract))
    chance = random.Random(11)
    texts = {name: (ROOT / path).read_text() for name, path in FILES.items()}
    roots = {name: read_text(text, name)[0] for name, text in texts.items()}
    slowest = 0.0
    for number in range(COUNT):
        name = chance.choice(list(FILES))
        root = roots[name]
        assert root is not None
        text = changed_tree(root, chance) if number % 2 else changed_text(texts[name], chance)
        start = time.process_time()
        judge(text, name, options().schema)
        slowest = max(slowest, time.process_time() - start)
    print(f"\n{COUNT} files, the slowest took {slowest:.3f} s of CPU")
    if "GATEWAY_FUZZ" in os.environ:
        assert slowest < 1.0
