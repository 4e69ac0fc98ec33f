"""Where the running parts answer, as written to `stack.json` for machines."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["FORMAT", "Endpoints"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of a stack: `host:port` for Kafka, base URLs for Connect and the registry's Confluent API, PostgreSQL.

    The addresses of services that were not asked for are reserved, but nothing answers there.
    """

    bootstrap: str
    connect_url: str
    registry_url: str
    postgres_host: str
    postgres_port: int
    postgres_database: str
    postgres_user: str
    postgres_password: str

    @property
    def postgres_dsn(self) -> str:
        """The superuser's connection URL."""
        return self.dsn()

    def dsn(self, user: str | None = None, password: str | None = None, database: str | None = None) -> str:
        """Return a connection URL, with another user, password or database where one is given."""
        login = f"{user or self.postgres_user}:{password or self.postgres_password}"
        place = f"{self.postgres_host}:{self.postgres_port}"
        return f"postgresql://{login}@{place}/{database or self.postgres_database}"

    @classmethod
    def at(cls, ports: dict[str, int]) -> "Endpoints":
        """Return the addresses that belong to a table of ports (keys: postgres, kafka, connect, registry)."""
        return cls(
            bootstrap=f"127.0.0.1:{ports['kafka']}",
            connect_url=f"http://127.0.0.1:{ports['connect']}",
            registry_url=f"http://127.0.0.1:{ports['registry']}/apis/ccompat/v7",
            postgres_host="127.0.0.1",
            postgres_port=ports["postgres"],
            postgres_database="legacy",
            postgres_user="postgres",
            postgres_password="postgres",  # noqa: S106 - listens on the loopback address only
        )

    def as_json(self, ports: dict[str, int]) -> str:
        """Return the text of `stack.json`."""
        fields = {"format": FORMAT, **asdict(self), "postgres_dsn": self.postgres_dsn, "ports": ports}
        return json.dumps(fields, indent=2) + "\n"

    @classmethod
    def read(cls, path: Path) -> "Endpoints":
        """Return the addresses that a `stack.json` tells; raises OSError or KeyError if it is absent or another's."""
        return cls.at(json.loads(path.read_text())["ports"])
