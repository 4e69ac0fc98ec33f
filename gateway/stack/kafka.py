"""The broker: Kafka in KRaft mode, broker and controller in one process, one replica of everything."""

import shutil
import uuid
from base64 import urlsafe_b64encode
from typing import ClassVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from gateway.stack.java import arguments, class_path, properties, write_logging
from gateway.stack.processes import Command
from gateway.stack.service import Run, Service, Tell

__all__ = ["MAX_RECORD_BYTES", "Broker", "broker_settings", "cluster_id"]

# A row of 10 MB stands in its record twice, before and after, and bytes as base64: 27 MB.
MAX_RECORD_BYTES = 32 * 1024 * 1024


def broker_settings() -> dict[str, object]:
    """Return the settings that hold wherever the broker runs, without addresses and folders."""
    return {
        "auto.create.topics.enable": False,
        "num.partitions": 4,
        "default.replication.factor": 1,
        "message.max.bytes": MAX_RECORD_BYTES,
        "replica.fetch.max.bytes": MAX_RECORD_BYTES,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
    }


def _small() -> dict[str, object]:
    """What fits a machine of two cores: few threads, small buffers."""
    return {
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 2,
        "num.recovery.threads.per.data.dir": 2,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "log.index.size.max.bytes": 1024 * 1024,
        # After a kill -9 the controller (in the same process) takes the broker back only once this has passed.
        "broker.session.timeout.ms": 5000,
        "broker.heartbeat.interval.ms": 1000,
    }


def cluster_id() -> str:
    """Return a new cluster id: 16 random bytes in URL-safe base64.

    Its first letter is never a dash: one in 64 would otherwise be read as an option by Kafka's own tool.
    """
    raw = bytearray(uuid.uuid4().bytes)
    raw[0] &= 0x7F
    return urlsafe_b64encode(raw).decode().rstrip("=")


class Broker(Service):
    """The service `kafka`."""

    name: ClassVar[str] = "kafka"

    def fetch(self, tell: Tell) -> None:
        """Bring the jars into the cache."""
        self.site.store.files("kafka", tell)

    def prepare(self, run: Run) -> None:
        """Write server.properties and format the storage once."""
        settings = self.folder / "server.properties"
        settings.write_text(properties(self._settings()))
        write_logging(self.folder)
        formatted = self.folder / "formatted"
        if not formatted.exists():
            shutil.rmtree(self.folder / "data", ignore_errors=True)
            run(self._java("96m", "kafka.tools.StorageTool", "format", "-t", cluster_id(), "-c", str(settings)))
            formatted.touch()

    def command(self) -> Command:
        """Return the broker's command line."""
        return self._java("384m", "kafka.Kafka", str(self.folder / "server.properties"))

    def healthy(self) -> bool:
        """Say whether the broker answers a question for its metadata."""
        quiet: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.site.endpoints.bootstrap,
            "log_level": 0,
            "socket.timeout.ms": 1000,
        }
        try:
            return bool(AdminClient(quiet).list_topics(timeout=1.0).brokers)
        except KafkaException:
            return False

    def _java(self, heap: str, *program: str) -> Command:
        options = (write_logging(self.folder),)
        jars = class_path(self.site.store.files("kafka"))
        return Command((*arguments(heap, options), *program), self.folder, {"CLASSPATH": jars})

    def _settings(self) -> dict[str, object]:
        ports = self.site.ports
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{ports['controller']}",
            "listeners": f"PLAINTEXT://127.0.0.1:{ports['kafka']},CONTROLLER://127.0.0.1:{ports['controller']}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports['kafka']}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.folder / "data",
            **broker_settings(),
            **_small(),
        }
