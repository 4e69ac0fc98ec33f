"""How each service of a stack does, for people and machines."""

from dataclasses import dataclass

import psutil

from gateway.stack.processes import ProcessRecord
from gateway.stack.service import Service
from gateway.stack.site import Site

__all__ = ["ServiceStatus", "status_of"]


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service: `memory` in bytes over all its processes (shared pages counted once), 0 if it does not run."""

    service: str
    port: int
    pid: int | None
    healthy: bool
    memory: int


def status_of(service: Service, site: Site) -> ServiceStatus:
    """Ask a service for its health and the system for its processes."""
    record = ProcessRecord.read(site.record(service.name))
    process = record.process() if record else None
    if process is None:
        return ServiceStatus(service.name, site.ports[service.name], None, healthy=False, memory=0)
    return ServiceStatus(service.name, site.ports[service.name], process.pid, service.healthy(), _memory(process))


def _memory(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            full = one.memory_full_info()
            total += int(getattr(full, "pss", full.uss))
        except psutil.NoSuchProcess:
            continue
    return total
