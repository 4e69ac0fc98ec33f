"""The command: what it says of a world that is away, and of a word it does not know."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gateway.cli.doctor import app

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
