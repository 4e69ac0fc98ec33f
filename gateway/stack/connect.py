"""Kafka Connect, one distributed worker with Debezium's connector for PostgreSQL."""

from typing import ClassVar

from gateway.stack.java import arguments, class_path, properties, write_logging
from gateway.stack.kafka import MAX_RECORD_BYTES
from gateway.stack.probe import answers
from gateway.stack.processes import Command
from gateway.stack.service import Run, Service, Tell

__all__ = ["ConnectWorker", "worker_settings"]


def worker_settings() -> dict[str, object]:
    """Return the settings that hold wherever the worker runs, without addresses and folders."""
    return {
        "group.id": "gateway-connect",
        "config.storage.topic": "gateway-connect.configs",
        "offset.storage.topic": "gateway-connect.offsets",
        "status.storage.topic": "gateway-connect.status",
        "config.storage.replication.factor": 1,
        "offset.storage.replication.factor": 1,
        "status.storage.replication.factor": 1,
        "offset.storage.partitions": 1,
        "status.storage.partitions": 1,
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": False,
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": False,
        "exactly.once.source.support": "enabled",
        "connector.client.config.override.policy": "All",
        "topic.creation.enable": True,
        # A killed worker's tasks come back at once, and its membership ends soon.
        "scheduled.rebalance.max.delay.ms": 0,
        "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 2000,
        "producer.max.request.size": MAX_RECORD_BYTES,
        "producer.buffer.memory": 2 * MAX_RECORD_BYTES,
        "plugin.discovery": "service_load",
    }


class ConnectWorker(Service):
    """The service `connect`."""

    name: ClassVar[str] = "connect"
    requires: ClassVar[frozenset[str]] = frozenset({"kafka"})
    deadline: ClassVar[float] = 120.0

    def fetch(self, tell: Tell) -> None:
        """Bring Connect's jars and the connector into the cache."""
        self.site.store.files("kafka", tell)
        self.site.store.unpacked("debezium", tell)

    def prepare(self, run: Run) -> None:
        """Write connect.properties."""
        settings = {
            "bootstrap.servers": self.site.endpoints.bootstrap,
            "listeners": self.site.endpoints.connect_url,
            "plugin.path": self.site.store.unpacked("debezium"),
            # Broker and worker start side by side: look for the broker often.
            "reconnect.backoff.max.ms": 250,
            **worker_settings(),
        }
        (self.folder / "connect.properties").write_text(properties(settings))

    def command(self) -> Command:
        """Return the worker's command line."""
        main = "org.apache.kafka.connect.cli.ConnectDistributed"
        options = (write_logging(self.folder),)
        jars = class_path(self.site.store.files("kafka"))
        program = (*arguments("512m", options), main, str(self.folder / "connect.properties"))
        return Command(program, self.folder, {"CLASSPATH": jars})

    def healthy(self) -> bool:
        """Say whether the worker has joined its group and answers."""
        return answers(f"{self.site.endpoints.connect_url}/health")
