"""Where abstract meets concrete: settings in, services on real adapters out."""

from __future__ import annotations

import os
from collections.abc import Sequence

from gateway.adapters.connect import ConnectRest
from gateway.adapters.registry import ConfluentRegistry
from gateway.adapters.sql import LegacyDatabase
from gateway.adapters.topics import KafkaTopics
from gateway.mapping.compiled import CompiledMapping
from gateway.services.capture import Capture
from gateway.services.capture_plan import capture_plan
from gateway.services.capture_settings import load_capture_settings
from gateway.settings import Settings

__all__ = ["wire_capture", "wire_registry", "wire_topics"]


def wire_registry(settings: Settings) -> ConfluentRegistry:
    """The schema registry."""
    return ConfluentRegistry(settings.registry_url, settings.registry)


def wire_topics(settings: Settings) -> KafkaTopics:
    """Topics of the cluster."""
    return KafkaTopics(settings.bootstrap, settings.kafka)


def wire_capture(settings: Settings, mappings: Sequence[CompiledMapping]) -> Capture:
    """Capture of this installation. ConfigError: settings.yaml or the mappings do not allow one."""
    chosen = load_capture_settings(settings.connect, os.environ)
    return Capture(
        capture_plan(mappings, prefix=settings.prefix, topic_prefix=settings.topic_prefix, user=chosen.database.user),
        chosen,
        settings.connect,
        ConnectRest(settings.connect_url),
        wire_topics(settings),
        LegacyDatabase(settings.legacy_dsn) if settings.legacy_dsn else None,
    )
