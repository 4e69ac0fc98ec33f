"""`gateway test`: what it shows, its reports for machines, --update and what --watch runs again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from xml.etree import ElementTree

import pytest
from case_worlds import mapping_in, shop
from typer.testing import CliRunner

from gateway.cli import test as testing
from gateway.cli.test_watch import affected, changes

CASES = """background:
  s.cust: [{id: 7, nm: Meier, born: 0, sts: A}]
  s.addr: [{aid: 1, id: 7, str: Gasse 1, cty: Bern, geo: a}]
cases:
  - case: she moves
    given: [{table: s.addr, op: update, after: {aid: 1, cty: Oslo}}]
    events: [{event: Moved, data: {city: Rom, street: Gasse 1}}]
  - case: she is renamed
    steps:
      - given: [{table: s.cust, op: update, after: {id: 7, nm: Na}}]
        then: [{event: Renamed}]
      - step: and once more
        given: [{table: s.cust, op: update, after: {id: 7, nm: Ni, stts: x}}]
        then: [{event: Registered}]
  - case: geocoded
    given: [{table: s.addr, op: update, after: {aid: 1, geo: b}}]
    then: none
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shop(tmp_path / "mappings", CASES)


def run(folder: Path, *arguments: object):
    return CliRunner().invoke(testing.app, [*map(str, arguments), "--mappings", str(folder)])


def test_a_failing_case_shows_fields_beside_each_other_and_the_rule(folder: Path) -> None:
    result = run(folder)
    assert result.exit_code == 1
    assert "shop_test.yaml:5: she moves" in result.output
    assert "event 1 (Moved), by rule moved" in result.output
    assert '      data.city  "Rom"     "Oslo"' in result.output
    assert "shop: 1 of 3 cases pass" in result.output


def test_a_missing_event_shows_the_nearest_and_where_its_rule_stopped(folder: Path) -> None:
    result = run(folder)
    assert "step 2: and once more (line 12)" in result.output
    assert "expected Registered, nearest is Renamed by rule renamed" in result.output
    assert "hint: rule registered (shop/shop.yaml:28) stopped: `op: insert` (the row's is update" in result.output
    assert "hint: s.cust has no column stts in shop; did you mean `sts`?" in result.output


def test_a_column_left_out_is_told_where_a_rule_reads_it(folder: Path) -> None:
    given = (
        "cases:\n  - case: a\n    given: [{table: s.addr, op: update, before: {aid: 1, id: 7}, after: {cty: Rom}}]\n"
    )
    result = run(shop(folder, given + "    events: [{event: Moved}]\n"))
    assert "name it in the row, in `rows` or in `defaults`" in result.output
    assert "s.addr.str" in result.output


def test_cases_are_chosen_by_a_part_of_their_name(folder: Path) -> None:
    assert run(folder, "-k", "GEO").exit_code == 0
    assert "1 of 1 cases pass" in run(folder, "-k", "geo").output


def test_json_is_all_that_stands_on_stdout(folder: Path) -> None:
    result = run(folder, "-o", "json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["passed"], told["failed"]) == (1, 1, 2)
    [shown] = told["mappings"]
    assert shown["unfired"] == ["registered"]
    moved = shown["cases"][0]
    assert (moved["case"], moved["line"], moved["passed"]) == ("she moves", 5, False)
    assert moved["differences"] == ["event 1 (Moved).data.city: expected 'Rom', got 'Oslo'"]


# What the schema of Ant's junitreport demands of each element: its attributes, and the order of its children.
ATTRIBUTES = {
    "testsuites": set(),
    "testsuite": {"id", "name", "package", "hostname", "timestamp", "tests", "failures", "errors", "time"},
    "properties": set(),
    "testcase": {"name", "classname", "time"},
    "failure": {"type", "message"},
    "system-out": set(),
    "system-err": set(),
}


def test_the_junit_report_has_the_form_that_ci_systems_read(folder: Path, tmp_path: Path) -> None:
    assert run(folder, "--junit", tmp_path / "out" / "cases.xml").exit_code == 1
    root = ElementTree.parse(tmp_path / "out" / "cases.xml").getroot()
    assert {each.tag: set(each.attrib) for each in root.iter()} == ATTRIBUTES
    [suite] = root
    assert [each.tag for each in suite] == ["properties", *["testcase"] * 3, "system-out", "system-err"]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "2", "0")
    failure = suite.find("testcase/failure")
    assert failure is not None and "data.city: expected 'Rom', got 'Oslo'" in (failure.text or "")


def test_update_writes_what_came_out_and_shows_it(folder: Path) -> None:
    result = run(folder, "--update")
    assert result.exit_code == 0, result.output
    assert "-    events: [{event: Moved, data: {city: Rom, street: Gasse 1}}]" in result.output
    assert "+    events: [{event: Moved, data: {city: Oslo, street: Gasse 1}}]" in result.output
    assert "3 of 3 cases pass" in result.output
    assert run(folder).exit_code == 0


def test_json_stays_alone_on_stdout_beside_an_update(folder: Path) -> None:
    result = run(folder, "--update", "-o", "json")
    assert json.loads(result.stdout)["failed"] == 0
    assert "+    events: [{event: Moved, data: {city: Oslo, street: Gasse 1}}]" in result.stderr


@pytest.mark.parametrize("arguments", [("--watch", "-o", "json"), ("--watch", "--update"), ("-k", "nothing like it")])
def test_what_cannot_be_done_is_told(folder: Path, arguments: tuple[str, ...]) -> None:
    assert run(folder, *arguments).exit_code == 2


def test_a_report_that_cannot_be_written_is_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(folder, "--junit", tmp_path / "file" / "cases.xml")
    assert result.exit_code == 2
    assert "cannot write the report" in result.output


def test_a_change_runs_its_own_mapping_and_a_shared_one_all(folder: Path) -> None:
    loaded = [mapping_in(folder)]
    own, shared = folder / "shop" / "shop_test.yaml", folder / "shared" / "codes.yaml"
    assert affected(frozenset({own}), folder, loaded, []) == ["shop"]
    assert affected(frozenset({own}), folder, loaded, ["other"]) == []
    assert affected(frozenset({folder / "shop" / "events" / "Moved.v1.avsc"}), folder, loaded, []) == ["shop"]
    assert affected(frozenset({shared}), folder, loaded, []) == ["shop"]


def test_watching_begins_at_once_hears_of_a_change_and_ends_when_told(folder: Path) -> None:
    stop = Event()
    heard = changes(folder, stop)
    assert next(heard) is None
    own = folder / "shop" / "shop_test.yaml"
    seen: set[Path] = set()
    while own not in seen:
        own.write_text(own.read_text() + "\n")
        seen |= next(heard) or set()
    stop.set()
    assert list(heard) == []


def test_ctrl_c_ends_watching_without_a_word_of_error(folder: Path) -> None:
    command = [sys.executable, "-m", "gateway.cli.main", "test", "--watch", "--mappings", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None and watching.stderr is not None
        while "waiting for changes" not in (line := watching.stdout.readline()):
            assert line, watching.stderr.read()
        watching.send_signal(signal.SIGINT)
        assert watching.stdout.read().endswith("ended\n")
        assert (watching.wait(30), watching.stderr.read()) == (0, "")
