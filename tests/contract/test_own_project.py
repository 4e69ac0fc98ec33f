"""A project of one's own: from the wheel alone, in a clean environment, to events out of an existing cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.stack import Stack

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("stack")]  # one wheel for all


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment that holds the pinned run-time packages and the wheel of `make dist`, no more."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = ["-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    python = str(folder / "env/bin/python")
    wheel = next(folder.glob("*.whl"))
    subprocess.run([python, *pip, "install", "--require-hashes", "-r", ROOT / "requirements/run.txt"], check=True)
    subprocess.run([python, *pip, "install", "--no-deps", str(wheel)], check=True)
    return folder / "env/bin/gateway"


@pytest.fixture(scope="module")
def project(gateway: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `gateway init` wrote."""
    folder = tmp_path_factory.mktemp("projects") / "my-bridge"
    run(gateway, folder.parent, "init", "my-bridge")
    return folder


def run(gateway: Path, folder: Path, *arguments: str, status: int = 0, **more: str) -> str:
    """What a command prints on stdout, run in ``folder`` with no setting but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "PYTHON"))}
    done = subprocess.run(
        [gateway, *arguments], cwd=folder, env={**kept, **more}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def test_a_new_projects_cases_pass(gateway: Path, project: Path) -> None:
    assert "6 of 6 cases pass" in run(gateway, project, "test")


def test_a_new_project_has_settings_capture_compose_file_and_ci(project: Path) -> None:
    compose = yaml.safe_load((project / "docker-compose.yml").read_text())
    schemas = files("check_jsonschema") / "builtin_schemas/vendor"
    assert not list(Draft202012Validator(json.loads((schemas / "compose-spec.json").read_text())).iter_errors(compose))
    mounted = [str(one).split(":")[0] for service in compose["services"].values() for one in service.get("volumes", [])]
    for place in (one for one in mounted if one.startswith("./")):
        assert (project / place).exists(), f"the Compose file mounts {place}"
    workflow = project / ".github/workflows/mappings.yml"
    checked = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)]
    assert subprocess.run(checked, capture_output=True).returncode == 0
    assert (project / "requirements.txt").read_text().startswith("strangler-gateway==")
    assert {path.name for path in (project / "connect").iterdir()} >= {"settings.yaml", "connector.yaml"}
    assert (project / "schema/mapping.schema.json").exists()


def test_what_its_own_ci_asks_for_passes(gateway: Path, project: Path) -> None:
    workflow = yaml.safe_load((project / ".github/workflows/mappings.yml").read_text())
    commands = [step["run"] for step in workflow["jobs"]["mappings"]["steps"] if "run" in step]
    asked = [words for words in map(str.split, commands) if words[0] == "gateway"]
    assert {words[1] for words in asked} >= {"fmt", "lint", "test", "check"}
    for words in asked:
        run(gateway, project, *words[1:])


def test_nothing_is_written_over_unless_asked(gateway: Path, project: Path) -> None:
    settings = project / "gateway.yaml"
    before = settings.read_text()
    settings.write_text(before + "# mine\n")
    run(gateway, project.parent, "init", "my-bridge", status=2)
    assert settings.read_text().endswith("# mine\n")
    run(gateway, project.parent, "init", "my-bridge", "--force")
    assert settings.read_text() == before


def test_the_wheel_holds_the_gateway_alone(gateway: Path) -> None:
    python = gateway.parent / "python"
    asked = "import gateway.wiring, importlib.util as u; print([n for n in ('legacy_db', 'pytest') if u.find_spec(n)])"
    done = subprocess.run([python, "-c", asked], cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def installed(stack: Stack, prefix: str) -> Iterator[dict[str, str]]:
    """Settings of a cluster that exists, whose legacy database has the example's table and one row in it."""
    name = f"own_{prefix.strip('.')}"
    with psycopg.connect(stack.endpoints.postgres_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    dsn = stack.endpoints.postgres_dsn.rsplit("/", 1)[0] + f"/{name}"
    at = stack.endpoints
    yield {
        "GATEWAY_PREFIX": prefix,
        "GATEWAY_BOOTSTRAP": at.bootstrap,
        "GATEWAY_REGISTRY_URL": at.registry_url,
        "GATEWAY_CONNECT_URL": at.connect_url,
        "GATEWAY_LEGACY_DSN": dsn,
        "GATEWAY_HTTP_PORT": "0",
    }
    with psycopg.connect(stack.endpoints.postgres_dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.mark.stack
def test_it_runs_against_a_cluster_that_exists(gateway: Path, project: Path, installed: dict[str, str]) -> None:
    """Contracts, capture, doctor, worker: a row written by a legacy program comes out as an event."""
    with psycopg.connect(installed["GATEWAY_LEGACY_DSN"], autocommit=True) as connection:
        connection.execute((project / "legacy.sql").read_bytes())
    run(gateway, project, "schemas", "push", **installed)
    assert "every layer that was looked at fits" in run(gateway, project, "check", "--live", "--registry", **installed)
    run(gateway, project, "connect", "apply", "--yes", **installed)
    try:
        run(gateway, project, "doctor", **installed)
        event = _first_event(gateway, project, installed)
    finally:
        run(gateway, project, "connect", "delete", "--forget", "--yes", **installed)
    assert event["type"] == "crm.person.v1.PersonRegistered", event
    assert event["data"]["name"] == "Meier Lia", event


def _first_event(gateway: Path, project: Path, installed: dict[str, str]) -> Any:
    worker = subprocess.Popen(
        [gateway, "run", "--from-beginning"], cwd=project, env={**os.environ, **installed}, stdout=subprocess.DEVNULL
    )
    try:
        with psycopg.connect(installed["GATEWAY_LEGACY_DSN"], autocommit=True) as connection:
            connection.execute(
                b"INSERT INTO crm.person (prs_id, nm, str, zip, city) VALUES (42, 'Meier Lia', 'Seeweg 2', '8001', 'Z')"
            )
        printed = run(gateway, project, "tail", "--from-beginning", "--max", "1", "-o", "json", **installed)
        return json.loads(printed.splitlines()[0])
    finally:
        worker.terminate()
        worker.wait(15)
