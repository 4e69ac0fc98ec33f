"""The page on testing mappings: its cases pass, and the one that fails shows what the page shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.authoring.case_files import parse_cases
from gateway.authoring.cases import run_case
from gateway.authoring.offline import books_of
from gateway.cli import test as testing
from gateway.mapping.loader import load

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "how-to" / "test.md").read_text()
PASSING = re.findall(r"(?<!<!-- fails -->\n)```yaml\n(.*?)```", TEXT, re.DOTALL)
[FAILING] = re.findall(r"<!-- fails -->\n```yaml\n(.*?)```", TEXT, re.DOTALL)
[SHOWN] = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("number", range(len(PASSING)))
def test_the_cases_of_the_page_pass(number: int) -> None:
    [mapping] = [one for one in load(ROOT / "mappings") if one.name == "customer"]
    book = books_of([mapping])["customer"]
    cases = parse_cases(PASSING[number], "docs/how-to/test.md")
    assert {case.name: run_case(case, mapping, book).differences for case in cases} == {c.name: () for c in cases}


def test_the_case_that_fails_shows_what_the_page_shows(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    (tmp_path / "mappings" / "customer" / "customer_test.yaml").write_text(FAILING)
    result = CliRunner().invoke(testing.app, ["customer", "--mappings", str(tmp_path / "mappings"), "-k", "moves"])
    assert result.exit_code == 1
    shown = [re.escape(line).replace("…", ".*").replace("LINE", r"\d+") for line in SHOWN.splitlines()]
    assert re.search(r"(?s)" + ".*?\n".join(shown), result.output), result.output
