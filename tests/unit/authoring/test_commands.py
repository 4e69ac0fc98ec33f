"""`gateway test`, `translate` and `recording show`: what authors see, and the exit status."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.adapters.files import write_recording
from gateway.authoring.forge import Forge, Position
from gateway.authoring.shown import event_json
from gateway.cli import recording, translate
from gateway.cli import test as testing
from tests.unit.authoring.planted import old_replay

MAPPINGS = Path(__file__).parents[3] / "mappings"
RUNNER = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(MAPPINGS, tmp_path / "mappings")
    return tmp_path / "mappings"


def run(app, *arguments: object):
    return RUNNER.invoke(app, list(map(str, arguments)))


def test_all_cases_of_the_repository_pass() -> None:
    result = run(testing.app, "--mappings", MAPPINGS)
    assert result.exit_code == 0, result.output
    assert "cases pass" in result.output


CASES = """cases:
  - case: a wrong expectation
    given:
      - {table: bil.acct, op: update, before: {acct_id: 4, bal: '10.00'}, after: {bal: '0.00'}}
    events: [{event: Nonsense, data: {a: 1}}]
"""


def test_a_failing_case_is_shown_with_its_place_and_difference(folder: Path) -> None:
    (folder / "billing" / "billing_test.yaml").write_text(CASES)
    result = run(testing.app, "billing", "--mappings", folder)
    assert result.exit_code == 1
    assert "billing_test.yaml:2: a wrong expectation" in result.output
    assert "expected Nonsense" in result.output
    assert "0 of 1 cases pass" in result.output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cases: x", "a list is wanted"),
        ("cases:\n  - case: a\n", "`given` is missing"),
        ("cases:\n  - {case: a, givn: []}\n", "did you mean `given`"),
        ("cases:\n  - case: a\n    given: [{table: t, op: updat, before: {}, after: {}}]\n", "did you mean `update`"),
        ("cases:\n  - case: a\n    given: [{table: t, op: insert}]\n", "insert needs `after`"),
        ("cases:\n  - case: a\n    given: [{table: t, op: leaves, before: {}}]\n", "`other`"),
    ],
)
def test_faults_of_a_case_file_are_shown_with_their_place(folder: Path, text: str, told: str) -> None:
    (folder / "billing" / "billing_test.yaml").write_text(text)
    result = run(testing.app, "billing", "--mappings", folder)
    assert result.exit_code == 2
    assert told in result.output
    assert "billing_test.yaml:" in result.output


def test_an_unknown_mapping_is_told(folder: Path) -> None:
    result = run(testing.app, "nothing", "--mappings", folder)
    assert result.exit_code == 2
    assert "customer" in result.output


def recorded(path: Path) -> Path:
    forge = Forge("legacy.billing.raw")
    before = {"pmt_id": 1, "acct_id": 4}
    at = Position(700, 100, 110, 1_700_000_000_000)
    records = [
        forge.change((0, 0), {"accountId": 4}, "bil.nothing", "u", before, before, at),
        forge.record((0, 1), {"accountId": 4}, None, 0),
        forge.record((0, 2), {"accountId": 5}, {}, 0),
    ]
    write_recording(path, records)
    return path


def test_translate_prints_json_lines_and_counts(tmp_path: Path) -> None:
    result = run(translate.app, recorded(tmp_path / "r.jsonl"), "--mappings", MAPPINGS, "--letters")
    assert result.exit_code == 0, result.output
    [letter] = [json.loads(line) for line in result.stdout.splitlines()]
    assert (letter["letter"], letter["record"], letter["key"]) == ("decode", "legacy.billing.raw[0]@2", "5")
    assert "consumed 3" in result.stderr


def test_a_translated_event_names_its_rule_as_its_lineage_does() -> None:
    """`gateway tail` shows the lineage's: one thing has one name."""
    for encoded in old_replay().events[:50]:
        lineage = dict(encoded.headers)["lineage"] or b""
        assert f"rule={event_json(encoded)['rule']}," in lineage.decode()


def test_show_prints_records_and_a_summary(tmp_path: Path) -> None:
    result = run(recording.app, "show", recorded(tmp_path / "r.jsonl.gz"), "--limit", "2")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["offset"] for line in lines] == [0, 1]
    assert lines[0]["value"]["op"] == "u"
    assert "2  legacy.billing.raw" in result.stderr


def test_a_file_that_is_no_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    result = run(translate.app, tmp_path / "x", "--mappings", MAPPINGS)
    assert result.exit_code == 2
    assert "not a recording" in result.stderr
