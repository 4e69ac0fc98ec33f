"""The state folder of one stack: where each service keeps its files, logs, process record and port."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.shipped import cache_home
from gateway.stack.artifacts import Store
from gateway.stack.endpoints import Endpoints
from gateway.stack.free import free_ports

__all__ = ["CACHE", "STATE", "Site", "cache_folder"]

STATE = Path(".state/stack")
CACHE = cache_home()
_PORTS = ("postgres", "kafka", "controller", "connect", "registry", "registry-management")


def cache_folder() -> Path:
    """Return the download cache: GATEWAY_CACHE, or `.cache` of a checkout, or the user's cache folder."""
    return Path(os.environ.get("GATEWAY_CACHE") or CACHE).absolute()


@dataclass(frozen=True, slots=True)
class Site:
    """A state folder, its download cache and the ports of its services by name."""

    state: Path
    store: Store
    ports: dict[str, int]

    @property
    def endpoints(self) -> Endpoints:
        """Where the services answer."""
        return Endpoints.at(self.ports)

    def folder(self, service: str) -> Path:
        """Return the folder of a service, made if absent."""
        folder = self.state / service
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def log(self, service: str) -> Path:
        """Return the path of a service's log."""
        return self.state / "logs" / f"{service}.log"

    def record(self, service: str) -> Path:
        """Return the path of a service's process record."""
        return self.state / "run" / f"{service}.json"


def known_ports(state: Path) -> dict[str, int]:
    """Return the ports that an earlier start chose, or none."""
    path = state / "stack.json"
    return dict(json.loads(path.read_text())["ports"]) if path.exists() else {}


def choose_ports(known: dict[str, int], in_use: set[str]) -> dict[str, int]:
    """Return a port for each service: the known one of those in use, for the others the known one if still free."""
    kept = {name: known[name] for name in _PORTS if name in known and name.split("-")[0] in in_use}
    if "kafka" in kept and "controller" in known:
        kept["controller"] = known["controller"]
    return kept | free_ports([name for name in _PORTS if name not in kept], known)


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Keep other starters and stoppers of this state folder waiting meanwhile."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
