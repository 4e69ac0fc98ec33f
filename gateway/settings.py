"""Settings and their sources: keyword, environment (``GATEWAY_*``), ``gateway.yaml``, defaults; the first wins."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource

__all__ = ["Incarnation", "Settings"]

from pydantic import BaseModel


class Incarnation(BaseModel):
    """A declared new timeline of the source: its number and the first commit time (ms since the epoch) it holds for."""

    name: int = Field(ge=2, le=0xFFFF)
    since_ms: int = Field(alias="from")


class Settings(BaseSettings):
    """One installation of the gateway. Sizes in bytes, times in seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_", env_nested_delimiter="__", yaml_file="gateway.yaml", extra="ignore"
    )

    prefix: str = Field("", description="stands before all topics, groups and transactional ids of this installation")
    bootstrap: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers")
    registry_url: str = Field("http://127.0.0.1:8081", description="base URL of the Confluent-compatible registry API")
    connect_url: str = Field("http://127.0.0.1:8083", description="base URL of Kafka Connect's REST API")
    legacy_dsn: str = Field("", description="libpq connection string of the legacy database")
    mappings: Path = Field(Path("mappings"), description="folder of the mapping files")
    connect: Path = Field(Path("connect"), description="folder of the connector settings")

    connector: Literal["postgresql"] = "postgresql"
    layout: Literal["aggregate"] = "aggregate"
    raw_format: Literal["json", "avro"] = Field("json", description="of raw values: Debezium JSON, or Confluent Avro")
    topic_prefix: str = Field("legacy", description="Debezium's topic.prefix: source.name, and the head of raw topics")

    rules: Literal["rolled-out", "folder"] = Field(
        "rolled-out", description="once there was a rollout: which rules hold, those or the ones of the mappings folder"
    )
    group: str = Field("gateway", description="consumer group, without the installation's prefix")
    instance: str = Field("1", description="names this process in its transactional id; stable over restarts")
    group_protocol: Literal["classic", "consumer"] = Field(
        "classic", description="Kafka's group protocol; both by range"
    )
    commit_interval_ms: int = 100
    transaction_max_records: int = 5_000
    transaction_max_bytes: int = 8 * 1024 * 1024
    record_max_bytes: int = Field(
        32 * 1024 * 1024, description="largest event or letter; a topic's own max.message.bytes holds where it is less"
    )
    set_max_events: int = Field(200_000, description="most events of one change set; above it is a dead letter")
    set_max_bytes: int = Field(32 * 1024 * 1024, description="largest change set, as records read or events written")
    unit_max_bytes: int = Field(4 * 1024**3, description="largest open transaction of one partition; then it stops")
    unit_memory_bytes: int = Field(
        16 * 1024 * 1024, description="open transactions of one worker held in memory; the rest goes to a file"
    )
    spill_folder: str = Field("", description="folder of those files; the system's own for temporary files if empty")
    lookup_max_bytes: int = Field(64 * 1024 * 1024, description="most memory for the reference data of `lookups`")
    storm_parked: int = Field(10_000, ge=0, description="aggregates a partition parks before it pauses; 0: any number")
    storm_letters: float = Field(1_000, ge=0, description="dead letters a second at which a partition pauses; 0: any")
    topic_check_seconds: float = Field(
        60.0, gt=0, description="how often it is looked whether raw topics are what they were: id and partition count"
    )
    headers: Literal["cloudevents", "full", "minimal"] = "cloudevents"
    incarnations: tuple[Incarnation, ...] = Field(
        (), description="new timelines of the source, oldest first: {name: 2, from: <commit time in ms>}"
    )
    worker_crashes: int = Field(10, ge=1, description="crashes of workers within a minute at which `gateway run` ends")
    http_port: int = Field(9464, description="health and metrics of `gateway run`; 0 picks a free port")
    http_host: str = Field("127.0.0.1", description="address that health and metrics are served on")

    kafka: dict[str, str] = Field(default_factory=dict, description="any librdkafka setting, passed through")
    registry: dict[str, str] = Field(default_factory=dict, description="any registry client setting, passed through")

    @field_validator("incarnations")
    @classmethod
    def _growing(cls, declared: tuple[Incarnation, ...]) -> tuple[Incarnation, ...]:
        for one, following in pairwise(declared):
            if following.name <= one.name or following.since_ms <= one.since_ms:
                raise ValueError(f"incarnation {following.name} must have a greater name and time than {one.name}")
        return declared

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of the sources: keyword arguments, environment, YAML file."""
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls)

    def topic(self, name: str) -> str:
        """The topic ``name`` of this installation, with its prefix."""
        return f"{self.prefix}{name}"
