"""docs/acceptance.md names tests that exist; a promise whose test did not run and pass fails the session."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance import DOCUMENT, lines_without_test, references

ROOT = Path(__file__).parents[3]
TEXT = DOCUMENT.read_text()
ROOT_ONLY = {"tests/e2e/test_stack.py::test_an_ordinary_user_can_do_it_too"}


def defined(path: Path) -> set[str]:
    """Test functions of a file, those of classes with the class before them."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("path", sorted({name.split("::", 1)[0] for name in references(TEXT)}))
def test_every_promised_test_exists(path: str) -> None:
    promised = {name.split("::", 1)[1] for name in references(TEXT) if name.startswith(path + "::")}
    assert promised - defined(ROOT / path) == set()


def test_every_line_names_a_test_and_none_that_may_be_skipped() -> None:
    assert lines_without_test(TEXT) == []
    assert len(references(TEXT)) > 100
    assert not references(TEXT) & ROOT_ONLY


def test_rows_without_a_test_are_found() -> None:
    assert lines_without_test("| line | test |\n| --- | --- |\n| a | `tests/a.py::test_b` |\n| c | soon |\n") == [
        "| c | soon |"
    ]


def test_a_promise_whose_test_did_not_run_fails_the_session() -> None:
    """One test passes, all others of the document did not run: red, and each is named."""
    one = "tests/unit/house/test_acceptance.py::test_rows_without_a_test_are_found"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--acceptance", one]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert "1 passed" in done.stdout
    assert done.returncode == 1
    assert "promised, but did not run and pass: tests/" in done.stdout
