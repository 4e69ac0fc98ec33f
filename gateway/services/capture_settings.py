"""What people change about capture: ``connect/settings.yaml``, with values from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from gateway.model.errors import ConfigError, Fault

__all__ = ["CaptureSettings", "load_capture_settings"]

_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(_Part):
    """How Kafka Connect reaches the legacy database; what is empty is taken from ``legacy_dsn``."""

    host: str = ""
    port: int | None = None
    name: str = ""
    user: str = "gateway_capture"
    password: SecretStr = SecretStr("")

    @field_validator("port", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None


class PaceSettings(_Part):
    """How long a change may wait for others, and how often the connector shows a sign of life (milliseconds)."""

    poll_ms: Annotated[int, Field(ge=1)] = 20
    heartbeat_ms: Annotated[int, Field(ge=1)] = 1000


class RetainedTopics(_Part):
    """Partitions and retention (hours, -1 for ever) of one kind of topic."""

    partitions: Annotated[int, Field(ge=1)] = 4
    retention_hours: Annotated[int, Field(ge=-1)] = -1


class TopicSettings(_Part):
    """Topics of one installation; ``largest_record`` in bytes holds for every link of the chain."""

    replication: Annotated[int, Field(ge=1)] = 1
    largest_record: Annotated[int, Field(ge=1024 * 1024)] = 32 * 1024 * 1024
    raw: RetainedTopics = RetainedTopics(partitions=4, retention_hours=168)
    public: RetainedTopics = RetainedTopics(partitions=4, retention_hours=-1)
    audit_retention_hours: Annotated[int, Field(ge=-1)] = 8760
    state_partitions: Annotated[int, Field(ge=1)] = 16


class CaptureSettings(_Part):
    """The whole file; every key may be left out."""

    database: DatabaseSettings = DatabaseSettings()
    pace: PaceSettings = PaceSettings()
    topics: TopicSettings = TopicSettings()
    options: Mapping[str, str] = {}


def load_capture_settings(folder: Path, environ: Mapping[str, str]) -> CaptureSettings:
    """Read ``settings.yaml`` of the ``connect`` folder; defaults where there is no such file.

    Raises ConfigError with every fault: no YAML, unknown keys, wrong values, a variable that is not set.
    """
    file = folder / "settings.yaml"
    if not file.exists():
        return CaptureSettings()
    try:
        # BaseLoader: every scalar stays text, and the model's types decide.
        tree = yaml.load(file.read_text(), Loader=yaml.BaseLoader)  # noqa: S506 - constructs text, lists, maps only
        return CaptureSettings.model_validate(_expanded(tree or {}, environ, str(file)))
    except yaml.YAMLError as error:
        raise ConfigError(f"no YAML: {error}", where=str(file)) from error
    except ValidationError as error:
        faults = tuple(Fault(str(file), 1, 1, f"{'.'.join(map(str, e['loc']))}: {e['msg']}") for e in error.errors())
        raise ConfigError("the settings of capture are wrong", faults=faults, where=str(file)) from error


def _expanded(value: object, environ: Mapping[str, str], where: str) -> object:
    if isinstance(value, dict):
        return {key: _expanded(inner, environ, where) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expanded(inner, environ, where) for inner in value]
    return _VARIABLE.sub(lambda match: _variable(match, environ, where), value) if isinstance(value, str) else value


def _variable(match: re.Match[str], environ: Mapping[str, str], where: str) -> str:
    name, default = match[1], match[2]
    found = environ.get(name, default)
    if found is None:
        raise ConfigError(f"{name} is not set", where=where, hint=f"set it, or write ${{{name}:-default}}")
    return found
