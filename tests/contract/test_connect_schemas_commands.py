"""`gateway connect` and `gateway schemas` as a person runs them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import connect, schemas
from gateway.mapping.loader import load
from gateway.stack import Stack
from gateway.wiring import wire_capture
from tests.contract.capturing import CONNECT, installation
from tests.unit.capture.samples import CREATE

MAPPING = """
mapping: customer
source: {{topics: [legacy.customer.raw], unit: transaction}}
aggregate: {{type: Customer, key: [customerId]}}
capability: customer
tables:
  {schema}.cust:
    as: customer
    row: [customerId]
    columns:
      cust_id: {{as: customerId, type: int}}
      nm: {{as: name}}
events:
  CustomerRenamed: {{version: 1}}
rules:
  - rule: renamed
    event: CustomerRenamed
    each: {{table: customer, changed: [name]}}
    data: {{customerId: "{{{{ key.customerId }}}}", name: "{{{{ after.name }}}}"}}
"""
FIELDS = [{"name": "customerId", "type": "long", "doc": "Who."}, {"name": "name", "type": "string", "doc": "Now."}]
CONTRACT = {"type": "record", "name": "CustomerRenamed", "namespace": "insurer.customer.v1", "doc": "A new name."}

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, prefix: str) -> Path:
    events = tmp_path / "mappings" / "customer" / "events"
    (events / "history").mkdir(parents=True)
    (events.parent / "customer.yaml").write_text(MAPPING.format(schema=f"s_{prefix.strip('.')}"))
    (events / "CustomerRenamed.v1.avsc").write_text(json.dumps({**CONTRACT, "fields": FIELDS}, indent=2))
    earlier = {**CONTRACT, "doc": "Renamed.", "fields": FIELDS}
    (events / "history" / "CustomerRenamed.v1.0.avsc").write_text(json.dumps(earlier, indent=2))
    return tmp_path


def runner(app: object, environment: dict[str, str]) -> Run:
    return lambda *arguments: CliRunner().invoke(app, list(arguments), env=environment)  # type: ignore[arg-type]


@pytest.fixture
def environment(folder: Path, prefix: str) -> dict[str, str]:
    return {"GATEWAY_PREFIX": prefix, "GATEWAY_MAPPINGS": str(folder / "mappings"), "GATEWAY_CONNECT": str(CONNECT)}


@pytest.fixture
def live(stack: Stack, environment: dict[str, str], prefix: str) -> Iterator[dict[str, str]]:
    at, schema = stack.endpoints, f"s_{prefix.strip('.')}"
    with psycopg.connect(at.postgres_dsn, autocommit=True) as database:
        database.execute(CREATE.format(schema=schema).encode())
        yield {
            **environment,
            "GATEWAY_BOOTSTRAP": at.bootstrap,
            "GATEWAY_CONNECT_URL": at.connect_url,
            "GATEWAY_REGISTRY_URL": at.registry_url,
            "GATEWAY_LEGACY_DSN": at.postgres_dsn,
        }
        settings = installation(stack, prefix)
        plan = wire_capture(settings, load(Path(environment["GATEWAY_MAPPINGS"]))).plan
        database.execute(f'DROP PUBLICATION IF EXISTS "{plan.publication}"'.encode())
        database.execute(f"DROP SCHEMA {schema} CASCADE".encode())
        if database.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [plan.role]).fetchone():
            database.execute(f'DROP OWNED BY "{plan.role}"; DROP ROLE "{plan.role}"'.encode())


@pytest.mark.stack
def test_apply_shows_and_does_then_finds_nothing_then_delete_takes_it_away(live: dict[str, str]) -> None:
    run = runner(connect.app, live)
    dry = run("apply", "--dry-run")
    assert dry.exit_code == 0
    assert "+tasks.max: 1" in dry.output
    assert run("status").exit_code == 1
    done = run("apply", "--wait")
    assert done.exit_code == 0, done.output
    assert "Applied." in done.output
    assert run("apply").output == "Nothing differs.\n"
    status = run("status", "-o", "json")
    assert (status.exit_code, json.loads(status.output)["streaming"]) == (0, True)
    assert "streaming" in run("status").output
    assert run("restart").exit_code == 0
    assert "deleted" in run("delete", "--forget", "--yes").output
    assert "did not exist" in run("delete", "--forget", "--yes").output


@pytest.mark.stack
def test_the_printed_sql_makes_what_apply_would_make(live: dict[str, str]) -> None:
    run = runner(connect.app, live)
    script = run("sql").output
    with psycopg.connect(live["GATEWAY_LEGACY_DSN"]) as database:
        database.execute(script.encode())
    told = run("apply", "--dry-run").output
    assert "database wanted" in told
    assert [line for line in told.partition("--- topics")[0].splitlines() if line.startswith("+role")] == [
        line for line in told.splitlines() if line.endswith(": a new password")
    ]


@pytest.mark.stack
def test_contracts_are_pushed_once_and_checked(live: dict[str, str]) -> None:
    run = runner(schemas.app, live)
    pushed = run("push")
    assert pushed.exit_code == 0, pushed.output
    assert "registered CustomerRenamed 1.0" in pushed.output
    assert {line.split()[0] for line in run("push").output.splitlines()} == {"unchanged"}
    assert "1 contracts in 2 versions" in run("check").output


@pytest.mark.stack
def test_what_breaks_a_registered_version_is_refused_with_its_line(live: dict[str, str], folder: Path) -> None:
    run = runner(schemas.app, live)
    assert run("push").exit_code == 0
    file = folder / "mappings" / "customer" / "events" / "CustomerRenamed.v1.avsc"
    (file.parent / "history" / "CustomerRenamed.v1.0.avsc").unlink()
    file.write_text(file.read_text().replace('"string"', '["null", "string"]'))
    assert run("check", "--offline").exit_code == 0
    refused = run("check")
    assert refused.exit_code == 2
    line = 1 + file.read_text().splitlines().index('      "type": ["null", "string"],')
    assert f"CustomerRenamed.v1.avsc:{line}:" in refused.output
    assert "nullability changed: name" in refused.output
    assert run("push").exit_code == 2


def test_what_breaks_the_history_is_refused_without_a_registry(environment: dict[str, str], folder: Path) -> None:
    file = folder / "mappings" / "customer" / "events" / "CustomerRenamed.v1.avsc"
    file.write_text(file.read_text().replace('"string"', '["null", "string"]'))
    refused = runner(schemas.app, environment)("check", "--offline")
    assert refused.exit_code == 2
    assert "nullability changed: name" in refused.output


def test_a_registry_that_is_away_has_an_exit_status_of_its_own(environment: dict[str, str]) -> None:
    away = {**environment, "GATEWAY_REGISTRY_URL": "http://127.0.0.1:9"}
    refused = runner(schemas.app, away)("check")
    assert refused.exit_code == 3
    assert "does not answer" in refused.output


def test_connect_that_is_away_has_an_exit_status_of_its_own(environment: dict[str, str]) -> None:
    away = {**environment, "GATEWAY_CONNECT_URL": "http://127.0.0.1:9"}
    refused = runner(connect.app, away)("apply")
    assert refused.exit_code == 3
    assert "Kafka Connect does not answer" in refused.output


def test_a_wrong_setting_is_told_by_its_name(environment: dict[str, str]) -> None:
    refused = runner(connect.app, {**environment, "GATEWAY_HTTP_PORT": "x"})("status")
    assert refused.exit_code == 2
    assert "http_port" in refused.output
