"""What the templates of connect/ become, and what people may change about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.model.errors import ConfigError
from gateway.services.capture_database import Superfluous
from gateway.services.capture_plan import CapturePlan, capture_plan
from gateway.services.capture_render import DatabaseAddress, connector_config, database_script
from gateway.services.capture_settings import CaptureSettings, load_capture_settings
from tests.unit.capture.samples import aggregate, insurer

CONNECT = Path(__file__).parents[3] / "connect"
ADDRESS = DatabaseAddress("db.example", 5432, "legacy", "s'e\"c\\r#e: t")
PROMISED = {
    "decimal.handling.mode": "string",
    "time.precision.mode": "isostring",
    "binary.handling.mode": "bytes",
    "skipped.operations": "none",
    "tombstones.on.delete": "false",
    "extended.headers.enabled": "false",
    "provide.transaction.metadata": "true",
    "exactly.once.support": "required",
    "publication.autocreate.mode": "disabled",
    "snapshot.mode": "initial",
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false",
    "value.converter.replace.null.with.default": "false",
    "event.converting.failure.handling.mode": "fail",
    "producer.override.transaction.timeout.ms": "10000",
    "topic.creation.markers.partitions": "1",
}


def plan(prefix: str = "") -> CapturePlan:
    return capture_plan(insurer(), prefix=prefix, topic_prefix="legacy", user="gateway_capture")


def test_the_settings_that_ship_are_the_defaults() -> None:
    assert load_capture_settings(CONNECT, {}) == CaptureSettings() == load_capture_settings(Path("/nowhere"), {})


def test_what_the_protocol_needs_stands_in_the_configuration() -> None:
    config = connector_config(CONNECT, plan(), CaptureSettings(), ADDRESS)
    assert PROMISED.items() <= config.items()
    assert all(isinstance(value, str) for value in config.values())


def test_every_value_survives_its_quoting() -> None:
    config = connector_config(CONNECT, plan("p."), CaptureSettings(), ADDRESS)
    assert config["database.password"] == ADDRESS.password
    assert config["message.key.columns"] == plan("p.").message_key_columns
    assert config["transforms.route1.regex"] == plan("p.").routes[0].pattern
    assert json.loads(json.dumps(dict(config))) == config


def test_ten_megabyte_rows_fit_through_every_link() -> None:
    settings = CaptureSettings()
    config = connector_config(CONNECT, plan(), settings, ADDRESS)
    links = ("producer.override.max.request.size", "topic.creation.default.max.message.bytes")
    assert {int(config[link]) for link in links} == {settings.topics.largest_record}
    assert int(config["producer.override.buffer.memory"]) >= settings.topics.largest_record
    assert settings.topics.largest_record >= 3 * 10 * 1024 * 1024


def test_options_of_settings_yaml_win_over_the_template() -> None:
    settings = CaptureSettings(options={"poll.interval.ms": "500", "slot.failover": "true"})
    config = connector_config(CONNECT, plan(), settings, ADDRESS)
    assert (config["poll.interval.ms"], config["slot.failover"]) == ("500", "true")


def test_no_rename_leaves_no_predicate_behind() -> None:
    mapping = aggregate("A", "a.raw", ("id",), {"s.t": {"id": "id"}})
    small = capture_plan([mapping], prefix="", topic_prefix="legacy", user="u")
    config = connector_config(CONNECT, small, CaptureSettings(), ADDRESS)
    assert (config["transforms"], config["predicates"]) == ("route1", "")


def test_the_script_quotes_names_and_secrets() -> None:
    script = database_script(
        CONNECT, plan("p."), database='le"gacy', password="it's", revoked=Superfluous(("crm.secret",), ("hr",))
    )
    assert "PASSWORD 'it''s'" in script
    assert 'ON DATABASE "le""gacy"' in script
    assert 'REVOKE ALL ON "crm"."secret"' in script
    assert 'REVOKE ALL ON SCHEMA "hr"' in script
    assert f'"{plan("p.").role}"' in script


def test_without_a_password_the_role_keeps_its_own() -> None:
    assert "PASSWORD" not in database_script(CONNECT, plan(), database="legacy")


def test_a_template_that_names_what_there_is_not_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "connector.yaml").write_text("a: 1\nb: {{ nothing.at_all }}\n")
    with pytest.raises(ConfigError, match=r"connector\.yaml.*nothing"):
        connector_config(tmp_path, plan(), CaptureSettings(), ADDRESS)
    (tmp_path / "connector.yaml").write_text("a: 1\n{% if %}\n")
    with pytest.raises(ConfigError, match=r"connector\.yaml:2"):
        connector_config(tmp_path, plan(), CaptureSettings(), ADDRESS)


@pytest.mark.parametrize("text", ["- a\n", "a: [1]\n", "a: {b: c}\n"])
def test_a_template_that_makes_no_texts_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "connector.yaml").write_text(text)
    with pytest.raises(ConfigError, match="one text for each option"):
        connector_config(tmp_path, plan(), CaptureSettings(), ADDRESS)


def test_settings_read_the_environment_and_leave_connect_s_own_variables(tmp_path: Path) -> None:
    text = "database: {host: '${HOST}', port: '${PORT:-5433}', password: '${file:/run/secrets/db:password}'}\n"
    (tmp_path / "settings.yaml").write_text(text)
    database = load_capture_settings(tmp_path, {"HOST": "h: x"}).database
    assert (database.host, database.port) == ("h: x", 5433)
    assert database.password.get_secret_value() == "${file:/run/secrets/db:password}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("database: {host: '${NOT_SET}'}", "NOT_SET is not set"),
        ("databse: {}", "databse"),
        ("topics: {raw: {partitions: 0}}", r"topics\.raw\.partitions"),
        ("topics: {raw: {partitions: many}}", r"topics\.raw\.partitions"),
        ("a: [", "no YAML"),
    ],
)
def test_wrong_settings_are_refused_with_their_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    with pytest.raises(ConfigError, match=told):
        load_capture_settings(tmp_path, {})
