"""The command: what it says of a world that is away, and of a word it does not know."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gateway.cli.doctor import app
from gateway.cli.doctor_text import diagnosis_lines
from gateway.services.doctor_report import Area, AreaReport, Diagnosis, Finding, Severity

AWAY = {
    "GATEWAY_LEGACY_DSN": "",
    "GATEWAY_CONNECT_URL": "http://127.0.0.1:1",
    "GATEWAY_REGISTRY_URL": "http://127.0.0.1:1",
    "GATEWAY_BOOTSTRAP": "127.0.0.1:1",
}


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in AWAY.items():
        monkeypatch.setenv(name, value)


def test_what_cannot_be_looked_at_is_told_and_the_exit_status_is_two() -> None:
    result = CliRunner().invoke(app, ["--only", "database,connect,registry"])
    assert result.exit_code == 2
    assert result.output.count("could not be looked at") == 3
    assert "not looked at: database, connect, registry" in result.output
    assert "Traceback" not in result.output


def test_the_whole_of_the_output_is_json_where_that_was_asked_for() -> None:
    result = CliRunner().invoke(app, ["--only", "database", "-o", "json"])
    told = json.loads(result.stdout)
    assert (told["errors"], told["exit_code"], result.exit_code) == (0, 2, 2)
    assert told["areas"][0]["area"] == "database"
    assert "legacy_dsn" in told["areas"][0]["unseen"]


def test_an_unknown_area_is_refused_with_those_there_are() -> None:
    result = CliRunner().invoke(app, ["--only", "topix"])
    assert result.exit_code == 2
    assert "database, connect, topics, registry, mappings" in result.output


def test_the_help_has_examples_and_exit_statuses() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert "gateway doctor --only" in result.output
    assert "Exit status" in result.output


def test_a_stack_to_which_nothing_was_applied_is_told_in_a_few_lines_with_the_commands_that_mend_it() -> None:
    topics = tuple(
        Finding(Severity.ERROR, f"topic t{n}", "it does not exist", "gateway connect apply") for n in range(26)
    )
    subjects = tuple(
        Finding(Severity.ERROR, f"subject s{n}", "it is not there", "gateway schemas push") for n in range(2)
    )
    told = Diagnosis((AreaReport(Area.TOPICS, topics), AreaReport(Area.REGISTRY, subjects)))
    lines = [line for line, _ in diagnosis_lines(told)]
    assert lines == [
        "topics",
        "  error    26 topics: t0, t1, t2 and 23 more",
        "           it does not exist\n           → gateway connect apply",
        "registry",
        "  error    subject s0",
        "  error    subject s1",
        "           it is not there\n           → gateway schemas push",
        "28 errors, 0 warnings, 0 notes",
        "mended by: gateway connect apply (26), then gateway schemas push (2)",
    ]
