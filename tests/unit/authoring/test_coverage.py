"""Coverage over records whose every change is known: who took what, what never happened, what is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.adapters.files import read_recording
from gateway.authoring.coverage import NOBODY, cover
from gateway.authoring.coverage_report import MappingReport, Report, Share, report_of
from gateway.authoring.coverage_text import as_json, text
from gateway.authoring.offline import assemble, books_of, replay
from gateway.cli.coverage import app, floors
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from tests.unit.pipeline.interpreted import CUSTOMER, TABLES, Row, customer, mapped, noise, recorded, told

ROOT = Path(__file__).parents[3]
RECORDING = ROOT / "tests/e2e/recording.jsonl.gz"
RULES = (
    told("merged", "each: {table: customer, where: {status: {to: merged}}}")
    + told("renamed", "each: {table: customer, changed: [name]}", more="    when: row.status == 'active'\n")
    + told("added", "each: {table: customer, op: insert}")
    + noise("amounts", "each: {table: customer, changed: [amount]}")
)


def reported(*rows: Row, rules: str = RULES) -> MappingReport:
    """One change set of these rows, covered."""
    mapping = mapped(rules)
    units = assemble(recorded(rows), [mapping])
    [found] = report_of(cover(units, [mapping], books_of([mapping])), "rows").mappings
    return found


def changed(**values: object) -> Row:
    return (CUSTOMER, "u", customer(), customer(**values))


def test_each_change_is_counted_for_who_took_it() -> None:
    found = reported(changed(nm="Bob", amt="2.00", ref_kd="C", upd_pgm="X"))
    [table] = [one for one in found.tables if one.table == "customer"]
    lines = {line.column: line for line in table.columns}
    assert (lines["name"].by_event, lines["amount"].by_noise, lines["changedBy"].bookkeeping) == (1, 1, 1)
    assert lines["refKind"].unexplained == 1
    assert lines["refKind"].takers == ((NOBODY, 1),)
    assert found.explained == Share(found.explained.whole - 3, found.explained.whole)


def test_rows_that_come_and_go_are_changes_by_their_operation() -> None:
    found = reported((CUSTOMER, "c", None, customer()))
    [table] = [one for one in found.tables if one.table == "customer"]
    assert table.operations["insert"].by_event == 1
    gone = reported((CUSTOMER, "d", customer(), None))
    assert next(one for one in gone.tables if one.table == "customer").operations["delete"].unexplained == 1


def test_rules_that_never_fired_say_where_they_stopped() -> None:
    rules = {one.rule: one for one in reported(changed(nm="Bob")).rules}
    assert (rules["renamed"].fired, rules["merged"].fired) == (1, 0)
    assert "status: {to: merged}" in rules["merged"].stops[0][0]
    assert rules["added"].stops == (), "no row was an insert: nothing came to it"


def test_a_test_that_went_one_way_only_is_told() -> None:
    [renamed] = [one for one in reported(changed(nm="Bob")).rules if one.rule == "renamed"]
    verdicts = {test.text: test.verdict for test in renamed.tests}
    assert "never false" in verdicts.values()
    both = reported(changed(nm="Bob"), rules=RULES.replace("row.status == 'active'", "row.status == 'merged'"))
    assert "never true" in {test.verdict for rule in both.rules for test in rule.tests}


def test_turns_of_codes_that_nobody_took_are_named() -> None:
    found = reported(changed(sts="M"), rules=noise("amounts", "each: {table: customer, changed: [amount]}"))
    [turn] = [one for one in found.turns if one.column == "status"]
    assert (turn.before, turn.after, turn.count, turn.unmatched) == ("active", "merged", 1, 1)
    taken = reported(changed(sts="M"))
    assert [one.takers for one in taken.turns if one.column == "status"] == [(("merged", 1),)]


def test_turns_of_flags_are_told_as_those_of_codes() -> None:
    flagged = TABLES.replace(
        "upd_pgm: {as: changedBy", "del: {as: deleted, decode: {Y: true, N: false}}\n      upd_pgm: {as: changedBy", 1
    )
    mapping = mapped(RULES, flagged)
    rows = (CUSTOMER, "u", customer(**{"del": "N"}), customer(**{"del": "Y"}))
    units = assemble(recorded([rows]), [mapping])
    [found] = report_of(cover(units, [mapping], books_of([mapping])), "rows").mappings
    [turn] = [one for one in found.turns if one.column == "deleted"]
    assert (turn.before, turn.after, turn.unmatched) == (False, True, 1)


def test_codes_that_no_record_had_are_named() -> None:
    assert ("customer", "status", ("merged",)) in reported(changed(nm="Bob")).unseen


def test_what_fails_is_counted_apart_and_explains_nothing() -> None:
    found = reported(changed(amt="much"))
    assert dict(found.failed) == {"decode": 1}
    assert found.explained == Share(0, 0)


# -- over a recording ----


@pytest.fixture(scope="module")
def report() -> Report:
    mappings = load(ROOT / "mappings")
    units = assemble(read_recording(RECORDING), mappings)
    return report_of(cover(units, mappings, books_of(mappings)), "recording")


def test_its_figures_are_those_of_the_translation(report: Report) -> None:
    mappings = load(ROOT / "mappings")
    units = assemble(read_recording(RECORDING), mappings)
    result = replay(units, mappings)
    accounts = [one.accounting for one in result.interpretations]
    assert report.explained.whole == sum(one.units for one in accounts)
    assert report.explained.whole - report.explained.part == sum(one.unexplained for one in accounts)
    lines = [line for one in report.mappings for table in one.tables for line in table.operations.values()]
    assert sum(line.by_event for line in lines) == sum(one.by_event for one in accounts)
    assert sum(line.by_noise for line in lines) == sum(one.by_noise for one in accounts)
    assert sum(rule.fired for one in report.mappings for rule in one.rules if rule.event) == len(result.events)
    assert report.records == sum(len(unit.entries) for unit in units)


def test_columns_and_operations_add_up_and_takers_too(report: Report) -> None:
    for mapping in report.mappings:
        for table in mapping.tables:
            updates = table.operations.get("update")
            assert sum(line.units for line in table.columns) == (updates.units if updates else 0)
            for line in (*table.columns, *table.operations.values()):
                assert sum(count for _, count in line.takers) == line.units


def test_text_and_json_say_the_same(report: Report) -> None:
    lines = list(text(report))
    found = json.loads(json.dumps(as_json(report)))
    assert found["records"] == report.records
    assert any(f"{report.explained.part:,} of {report.explained.whole:,}" in line for line in lines)
    never = [rule["rule"] for one in found["mappings"] for rule in one["rules"] if not rule["fired"]]
    assert sum("never fired" in line for line in lines) >= min(len(never), 1)


# -- the command ----

MAPPINGS = {"GATEWAY_MAPPINGS": str(ROOT / "mappings")}


def test_the_command_prints_and_writes_a_page(tmp_path: Path) -> None:
    page = tmp_path / "coverage.html"
    done = CliRunner().invoke(app, ["--recording", str(RECORDING), "--html", str(page)], env=MAPPINGS)
    assert done.exit_code == 0, done.output
    assert "changes explained" in done.stdout
    html = page.read_text()
    assert "<script src" not in html and "http://" not in html and "What the rules explain" in html


@pytest.mark.parametrize(("floor", "status"), [("10", 0), ("explained=10,rules=10", 0), ("rules=100", 1), ("100", 1)])
def test_less_than_is_asked_for_ends_with_1(floor: str, status: int) -> None:
    done = CliRunner().invoke(app, ["--recording", str(RECORDING), "--fail-under", floor, "-o", "json"], env=MAPPINGS)
    assert done.exit_code == status, done.output
    assert bool(json.loads(done.stdout)["missed"]) == bool(status)


def test_one_mapping_alone() -> None:
    arguments = ["--recording", str(RECORDING), "--mapping", "claim", "-o", "json"]
    found = json.loads(CliRunner().invoke(app, arguments, env=MAPPINGS).stdout)
    assert [one["mapping"] for one in found["mappings"]] == ["claim"]


@pytest.mark.parametrize("given", ["x", "nothing=3", "101", "explained="])
def test_a_share_that_cannot_be_asked_for_is_refused(given: str) -> None:
    with pytest.raises(ConfigError):
        floors(given)


@pytest.mark.parametrize(
    ("arguments", "told_"),
    [
        ([], "--recording"),
        (["--recording", "none.gz"], "none.gz"),
        (["--recording", str(RECORDING), "--live"], "say what to read"),
        (["--recording", str(RECORDING), "--mapping", "nobody"], "there are"),
        (["--recording", str(RECORDING), "--html", "/nowhere/x.html"], "/nowhere/x.html"),
    ],
)
def test_bad_input_is_told_with_status_2(arguments: list[str], told_: str) -> None:
    done = CliRunner().invoke(app, arguments, env=MAPPINGS)
    assert (done.exit_code, told_ in done.stderr) == (2, True), done.output
