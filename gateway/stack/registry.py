"""The schema registry: Apicurio with its storage in a file."""

from typing import ClassVar

from gateway.stack.java import arguments
from gateway.stack.probe import answers
from gateway.stack.processes import Command
from gateway.stack.service import Service, Tell

__all__ = ["Registry", "registry_settings"]


def registry_settings() -> dict[str, str]:
    """Return the settings that hold wherever the registry runs, without addresses and folders."""
    return {
        "apicurio.storage.kind": "sql",
        "apicurio.storage.sql.kind": "h2",
    }


class Registry(Service):
    """The service `registry`."""

    name: ClassVar[str] = "registry"

    def fetch(self, tell: Tell) -> None:
        """Bring the program into the cache."""
        self.site.store.unpacked("apicurio", tell)

    def command(self) -> Command:
        """Return the registry's command line."""
        settings = {
            "quarkus.http.host": "127.0.0.1",
            "quarkus.http.port": self.site.ports["registry"],
            # Without these two it takes port 9000 of every address.
            "quarkus.management.host": "127.0.0.1",
            "quarkus.management.port": self.site.ports["registry-management"],
            # H2 would write half a second after it acknowledged
            "apicurio.datasource.url": f"jdbc:h2:file:{self.folder / 'registry'};WRITE_DELAY=0",
            **registry_settings(),
        }
        options = [f"-D{key}={value}" for key, value in settings.items()]
        program = self.site.store.unpacked("apicurio") / "quarkus-run.jar"
        return Command((*arguments("256m", options), "-jar", str(program)), self.folder)

    def healthy(self) -> bool:
        """Say whether the Confluent API answers."""
        return answers(f"{self.site.endpoints.registry_url}/subjects")
